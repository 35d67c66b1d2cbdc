# SPDX-License-Identifier: Apache-2.0
# For the Makefiles beside this folder: all vectors as one file, $(IMAGE).

PYTHON ?= python3
VECTORS := ../vectors
IMAGE := ../../build/tests/vectors.img

$(IMAGE): $(VECTORS)/image.py ../../spec/spec.toml $(wildcard $(VECTORS)/valid/* $(VECTORS)/invalid/*)
	@command -v $(PYTHON) >/dev/null || { echo "no $(PYTHON): set PYTHON to a Python of at least 3.11"; exit 1; }
	@$(PYTHON) $< $@
