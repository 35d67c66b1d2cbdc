# SPDX-License-Identifier: Apache-2.0
"""How much a flatbuffer describes, counted before any of it is copied."""

import inspect
from functools import cache
from types import SimpleNamespace
from typing import Any

from stridepack.errors import ModelError
from stridepack.tflite.schema import enum_names, load_schema

# Tensors, operators, buffers and all the tables they consist of. Real models have thousands.
MAX_TABLES = 100_000

# Fields of a union type with another name.
_UNIONS = {
    "Details": "QuantizationDetails",
    "ArraySegments": "SparseIndexVector",
    "ArrayIndices": "SparseIndexVector",
}


class Census:
    """Counts what unpacking would copy, before it does.

    Offsets in a flatbuffer may all lead to the same place, so a small file can describe millions
    of large tables. An honest file holds each of its elements once, or a few times.

    Attributes
    ----------
    newer : str
        Kind of the first table with a field that the schema does not know; empty if there is none.
    """

    def __init__(self, file: str, nbytes: int) -> None:
        self._file = file
        self._nbytes = nbytes
        self._elements = 0
        self._tables = 0
        self._vtables: set[tuple[str, int]] = set()
        self.newer = ""

    def add(self, n_elements: int) -> None:
        """Count elements of vectors, and bytes of strings."""
        self._elements += n_elements
        if self._elements > 4 * self._nbytes:
            raise ModelError(
                f"{self._file}: the file is damaged. It describes more than {4 * self._nbytes} "
                f"elements in {self._nbytes} bytes."
            )

    def visit(self, table: Any) -> None:
        """Count a table and all that it refers to."""
        self._tables += 1
        if self._tables > MAX_TABLES:
            raise ModelError(
                f"{self._file}: this is not a model for a microcontroller. It has more than "
                f"{MAX_TABLES} tensors, operators and their parts."
            )
        self._look_for_newer_fields(table)
        for field in _fields(type(table).__name__):
            if hasattr(table, f"{field}Length"):
                self._visit_vector(table, field)
            else:
                self._visit_value(table, field, getattr(table, field)())

    def _look_for_newer_fields(self, table: Any) -> None:
        from flatbuffers import number_types

        kind, tab = type(table).__name__, table._tab
        vtable = tab.Pos - tab.Get(number_types.SOffsetTFlags, tab.Pos)
        if self.newer or (kind, vtable) in self._vtables:
            return
        self._vtables.add((kind, vtable))
        end = vtable + tab.Get(number_types.VOffsetTFlags, vtable)
        if any(tab.Bytes[vtable + 4 + 2 * _n_known_fields(kind) : end]):  # 0: the field is absent
            self.newer = kind

    def _visit_vector(self, table: Any, field: str) -> None:
        length = getattr(table, f"{field}Length")()
        self.add(length)
        if not hasattr(table, f"{field}AsNumpy"):  # of tables
            for i in range(length):
                self.visit(getattr(table, field)(i))

    def _visit_value(self, table: Any, field: str, value: Any) -> None:
        if isinstance(value, bytes):
            self.add(len(value))
        elif hasattr(value, "_tab"):
            self.visit(value)
        elif hasattr(value, "Bytes"):  # a union: a table whose class another field names
            self._visit_union(table, field, value)

    def _visit_union(self, table: Any, field: str, value: Any) -> None:
        union = _UNIONS.get(field, field)
        kind = getattr(table, f"{field}Type")()
        name = enum_names(union).get(kind)
        if name is None:
            raise ModelError(
                f"{self._file}: it has {union} of type {kind}, which the installed tflite-micro "
                "does not know. A later version of tflite-micro may know it."
            )
        if name != "NONE":
            member = getattr(load_schema(), name)()
            member.Init(value.Bytes, value.Pos)
            self.visit(member)


@cache
def _n_known_fields(table: str) -> int:
    """How many fields the schema has for a table; its function to start one says it."""
    told: list[int] = []
    getattr(load_schema(), f"{table}Start")(SimpleNamespace(StartObject=told.append))
    return told[0]


@cache
def _fields(table: str) -> tuple[str, ...]:
    """Accessors of a table that lead to a value, or to an element of a vector."""
    helpers = ("Init", "Length", "AsNumpy", "IsNone")
    return tuple(
        name
        for name, member in vars(getattr(load_schema(), table)).items()
        if inspect.isfunction(member) and name[0].isupper() and not name.endswith(helpers)
    )
