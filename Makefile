# SPDX-License-Identifier: Apache-2.0
# stridepack. `make demo`, `make check` and `make test` do all the set-up themselves.
#
#   make demo         install, pack the bundled model, report, verify exactly
#   make check        the fast loop: lint, types and the tests of the package, without PyTorch and without Debian packages
#   make test         everything that CI runs; installs the Debian packages it needs when it may
#   make lint python docs c firmware examples fuzz-short analyze proofs-short     its parts
#   make docs         the documentation site, as build/site/index.html
#   make fuzz         long fuzzing: make fuzz SECONDS=600 for ten minutes a target
#   make proofs       prove what docs/security.md says of the C runtime; needs cbmc, as in Debian 13
#   make proofs-mutants   remove one bounds check after the other, and see a proof fail each time
#   make misra        MISRA C:2012: deviations that tests/static/misra.toml does not list
#   make mutants      every command on mutants of .tflite files: make mutants COUNT=100000
#   make atheris      the same on files that atheris changes, which it installs: make atheris SECONDS=600
#   make bench        regenerate bench/results, and the tables in README.md and docs/
#   make bench-m55    count what decoding costs on an emulated Cortex-M55 and on other cores, and fit what
#                     `inspect --target` says
#   make paper        the paper's tables and figures from experiments/results
#   make vectors      rewrite tests/vectors, after a change of a format
#   make lowest       the quick tests with the oldest versions of the packages that stridepack needs
#   make format       apply the formatters
#   make wheel        what a release uploads, in dist/: built, checked, and used in an environment of its own

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEVELOP := $(VENV)/.develop
TEST := $(VENV)/.test
PEERS := $(VENV)/.peers
RELEASE := $(VENV)/.release
COUNT ?= 100000
# How what has parts that do not wait for each other runs, with the lines of each part together
AT_ONCE = -j$$(nproc) --output-sync
MODEL := examples/resnet8_cifar10_50.tflite
DEMO := build/demo
# Measured too where they are; without them the benches leave them out.
REAL_MODELS := $(wildcard $(addprefix ../shared/data/models/,*sparse*.tflite *vww*.tflite *ad01*.tflite))

# Besides a C and C++ compiler: sanitizers and fuzzers; firmware and its emulator; a processor with an int of 16 bits and its
# emulator; 32-bit and big-endian hosts; a browser for the page of `report`.
PACKAGES := clang-19 libclang-rt-19-dev lld-19 llvm-19 \
  gcc-arm-none-eabi qemu-system-arm gcc-riscv64-unknown-elf gcc-xtensa-lx106 qemu-system-misc gcc-avr avr-libc simavr \
  gcc-i686-linux-gnu libc6-dev-i386-cross gcc-powerpc-linux-gnu libc6-dev-powerpc-cross qemu-user \
  gcc-riscv64-linux-gnu libc6-dev-riscv64-cross \
  chromium chromium-driver
# Where Debian has them, and tests say that they were skipped where not: proofs and static analysis
PACKAGES += cbmc? clang-tidy-19?

SOURCES := $(shell find src core runtime bindings -name '*.py' -o -name '*.[ch]' -o -name '*.cc' -o -name '*.[ch]pp' -o -name '*.rs') \
  CMakeLists.txt $(addprefix runtime/,CMakeLists.txt stridepack.pc.in LICENSE README.md) pyproject.toml README.md
C_FILES = $(shell git ls-files '*.c' '*.h' '*.cc' '*.cpp' '*.hpp' | grep -v spk_spec.h)

.PHONY: bench-m55 demo docs paper check lowest test packages static lint python c firmware examples fuzz-short fuzz mutants atheris bench vectors format wheel clean \
  analyze misra proofs proofs-short proofs-mutants

# The threads of NumPy and PyTorch wait in loops. Where tests take every processor, that is most of their time.
check lowest lint python docs examples fuzz-short: export OMP_NUM_THREADS = 1
check lowest lint python docs examples fuzz-short: export OPENBLAS_NUM_THREADS = 1

demo: $(INSTALLED)
	mkdir -p $(DEMO)
	$(BIN)/stridepack inspect $(MODEL)
	$(BIN)/stridepack pack $(MODEL) -o $(DEMO)/resnet8.tflite
	$(BIN)/stridepack verify $(MODEL) $(DEMO)/resnet8.tflite
	$(BIN)/stridepack pack $(MODEL) -o $(DEMO)/resnet8.spk
	$(BIN)/stridepack verify $(MODEL) $(DEMO)/resnet8.spk

test: packages lint python docs c firmware examples fuzz-short analyze proofs-short
	@echo "make test: all passed"

packages:
	scripts/debian-packages.sh $(PACKAGES)

# Python's venv and its C headers are packages of their own on Debian.
$(VENV)/bin/python:
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || scripts/debian-packages.sh python3-venv
	test -f "$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" || \
	  scripts/debian-packages.sh python3-dev
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): $(VENV)/bin/python $(SOURCES)
	$(BIN)/python -m pip install -q --disable-pip-version-check '.[all]' \
	  --config-settings=cmake.define.STRIDEPACK_WERROR=ON
	touch $@

# What only developers need
$(DEVELOP): $(INSTALLED)
	$(BIN)/python -m pip install -q --disable-pip-version-check 'stridepack[all,dev]'
	touch $@

# PyTorch and what else only `make test` needs. On Linux pip takes PyTorch's build for CUDA, which is some gigabytes,
# unless pip's settings name a place that has torch==2.13.0+cpu.
$(TEST): $(DEVELOP)
	$(BIN)/python -m pip install -q --disable-pip-version-check 'stridepack[test]'
	$(BIN)/python -m pip install -q --disable-pip-version-check 'stridepack[pages]'
	touch $@

# Codecs that bench/frontier.py compares with
$(PEERS): $(TEST)
	$(BIN)/python -m pip install -q --disable-pip-version-check 'stridepack[peers]'
	touch $@

# What builds and checks a release
$(RELEASE): $(INSTALLED)
	$(BIN)/python -m pip install -q --disable-pip-version-check 'stridepack[release]'
	touch $@

check: static
	$(BIN)/mypy --exclude src/stridepack/pruning
	$(BIN)/pytest -n auto -m 'not slow' --doctest-modules --ignore-glob='*/stridepack/pruning/*' --pyargs stridepack tests/python

# The quick tests with the oldest packages that pyproject.toml admits. NumPy 1.26 is for Python 3.11 and 3.12 only.
lowest: LOWEST := build/lowest
lowest:
	$(PYTHON) -m venv --clear $(LOWEST)
	$(PYTHON) scripts/lowest_versions.py >$(LOWEST)/constraints.txt
	$(LOWEST)/bin/python -m pip install -q --disable-pip-version-check -c $(LOWEST)/constraints.txt '.[all,cluster,dev,shrink]'
	$(LOWEST)/bin/pytest -n auto -m 'not slow' tests/python

static: $(DEVELOP)
	$(BIN)/python spec/generate.py --check
	$(BIN)/python tests/vectors/generate.py --check
	$(BIN)/python bench/documents.py --check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(BIN)/clang-format --dry-run -Werror $(C_FILES)

lint: static $(TEST)
	$(BIN)/python bench/m55/fit.py --check
	$(BIN)/python bench/cores/fit.py --check
	$(BIN)/mypy

# The tests of one file run one after the other, because some share a folder that they build in. The files of tests/python,
# most of which take a few seconds, come last, so that no processor waits long for the last file of another.
python: $(TEST)
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder --doctest-modules \
	  $(filter-out tests/python/%,$(wildcard tests/*/test_*.py)) --pyargs stridepack tests/python/test_*.py

# A link that leads nowhere is an error.
docs: $(TEST)
	$(BIN)/python scripts/stage_site.py
	$(BIN)/sphinx-build --fail-on-warning --keep-going --fresh-env --quiet build/site-pages build/site

c: $(INSTALLED)
	$(MAKE) $(AT_ONCE) -C tests/c test sanitize cross PYTHON=$(abspath $(BIN)/python)

firmware: $(INSTALLED)
	$(MAKE) $(AT_ONCE) -C tests/firmware test PYTHON=$(abspath $(BIN)/python)

# Each in a folder of its own, as a user would copy it
examples: $(INSTALLED)
	$(BIN)/python examples/python/pack_model.py $(MODEL) -o build/examples/python
	rm -rf build/examples/firmware
	cp -r examples/firmware build/examples
	rm -rf build/examples/firmware/build
	$(MAKE) -C build/examples/firmware all run external run-external MODEL=$(abspath $(MODEL)) FLAGS=-Werror \
	  STRIDEPACK=$(abspath $(BIN)/stridepack) PYTHON=$(abspath $(BIN)/python)

fuzz-short: $(INSTALLED)
	$(MAKE) $(AT_ONCE) -C tests/fuzz short PYTHON=$(abspath $(BIN)/python)

fuzz: $(INSTALLED)
	$(MAKE) -C tests/fuzz long PYTHON=$(abspath $(BIN)/python)

mutants: $(INSTALLED)
	$(MAKE) -C tests/fuzz mutants FIRST=$(or $(FIRST),0) COUNT=$(COUNT) PYTHON=$(abspath $(BIN)/python)

atheris: $(INSTALLED)
	$(MAKE) -C tests/fuzz atheris PYTHON=$(abspath $(BIN)/python)

analyze:
	$(MAKE) $(AT_ONCE) -C tests/static analyze

misra:
	$(MAKE) -C tests/static misra

# Python alone suffices: nothing of the package is used.
proofs: analyze
	$(PYTHON) tests/proofs/prove.py --record

proofs-short:
	$(PYTHON) tests/proofs/prove.py --short

proofs-mutants:
	$(PYTHON) tests/proofs/mutants.py

bench-m55: packages $(TEST)
	$(BIN)/python bench/m55/run.py $(REAL_MODELS)
	$(BIN)/python bench/m55/extremes.py --compilers
	$(BIN)/python bench/m55/fit.py
	$(BIN)/python bench/m55/errors.py
	$(BIN)/python bench/m55/validate.py
	$(BIN)/python bench/cores/run.py
	$(BIN)/python bench/cores/fit.py
	$(BIN)/python bench/documents.py

bench: $(PEERS)
	$(BIN)/python bench/sizes.py
	$(BIN)/python bench/groups.py $(REAL_MODELS)
	$(BIN)/python bench/encode.py
	$(BIN)/python bench/models.py $(MODEL) $(wildcard ../shared/data/models/*.tflite)
	$(BIN)/python bench/frontier.py
	$(BIN)/python bench/documents.py

paper: $(TEST)
	$(BIN)/python -m experiments.paper

# What encoders and decoders have to agree on: rewritten after a change of a format.
vectors: $(INSTALLED)
	$(BIN)/python tests/vectors/generate.py

format: $(DEVELOP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(C_FILES)

wheel: $(RELEASE)
	rm -rf dist
	$(BIN)/python scripts/release.py dist

clean:
	rm -rf build dist $(VENV)
