"""Generated from bench/cores by bench/cores/fit.py. Do not edit."""

from typing import Any

INSTRUCTIONS: dict[str, dict[str, dict[str, float]]] = {}
MEMORY: dict[str, dict[str, tuple[int, int]]] = {}
TRANSFORMS: dict[str, dict[str, Any]] = {}
