# Everything sets itself up: `make demo` and `make test` need Python 3.11 or newer, make, and the network once.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

UV_VERSION := 0.13.8
# The first Python here that is new enough; looked for only when an environment has to be made.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)
export UV_PYTHON_DOWNLOADS := never
# As pip does: a laboratory behind a proxy has its own authority in the system.
export UV_SYSTEM_CERTS := true
unexport VIRTUAL_ENV
BIN := .venv/bin
READY := .venv/.ready
CRUCIBLE := .oracles/nano-crucible/.ready
SCOPEFOUNDRY := .oracles/scopefoundry/.ready
SCICAT := .oracles/scicat/.ready
ARGS ?=

.PHONY: help demo test test-long check bench chaos thumbnails fuzz fuzz-guided schema format oracles oracle-crucible oracle-scopefoundry oracle-scicat chromium clean

help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):.*##/\1|/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{printf "make %-12s%s\n", $$1, $$2}'

demo: $(READY)  ## a simulated instrument, the daemon and the local catalog, to look at (ARGS=--exit-when-done)
	@$(BIN)/labferry demo $(ARGS)

test: $(READY) oracle-crucible oracle-scicat chromium  ## every test that takes less than minutes
	$(BIN)/pytest -m "not slow and not pds" -n auto --dist loadfile $(ARGS)

test-long: $(READY) oracles chromium  ## the tests that take minutes
	LABFERRY_EXAMPLES=long $(BIN)/pytest -m "slow and not pds" --timeout 1800 $(ARGS)

test-pds: $(READY) oracle-pds  ## the AT Protocol's tests against a real PDS
	$(BIN)/pytest -m pds --timeout 600 $(ARGS)

check: $(READY)  ## lint, format, types, import rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## measure latency, throughput and the cost of rest
	$(BIN)/python -m tests.benchmarks $(ARGS)

thumbnails: $(READY)  ## draw the contact sheet of the corpus: build/thumbnails/contact-sheet.png
	$(BIN)/python -m tests.contactsheet $(ARGS)

fuzz: $(READY)  ## read 10,000 broken inputs of each family in the sandbox (ARGS="--inputs 1000 --keep dat")
	$(BIN)/python -m tests.fuzz $(ARGS)

fuzz-guided: $(READY)  ## let atheris look for what one family of readers cannot take (FAMILY=dat)
	@test -d .oracles/atheris || .uv/bin/uv pip install --quiet --python $(BIN)/python --target .oracles/atheris atheris==3.0.0
	@mkdir -p build/fuzz && cd build/fuzz && PYTHONPATH=$(CURDIR):$(CURDIR)/.oracles/atheris $(CURDIR)/$(BIN)/python -m tests.fuzz.guided $(or $(FAMILY),dat) -max_total_time=600 $(ARGS)

chaos: $(READY)  ## ten minutes of random faults and kill -9 over 2,000 files; counts what was lost or doubled (ARGS=--seed 7)
	@$(BIN)/python -m tests.chaos $(ARGS)

schema: $(READY)  ## write config/labferry.schema.json from the settings
	$(BIN)/python -m daemon.schema > config/labferry.schema.json.new
	mv config/labferry.schema.json.new config/labferry.schema.json

format: $(READY)  ## format the code and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:  ## remove everything that make made
	rm -rf .venv .uv .oracles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment ----------------------------------------------------------------------------------------------

.uv/.ready: Makefile
	@test -n "$(PYTHON)" || { echo "labferry needs Python 3.11 or newer and finds none; install one, or say make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "labferry needs Python 3.11 or newer; $(PYTHON) is another" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "this Python has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@test -x .uv/bin/uv && .uv/bin/uv --version | grep -q " $(UV_VERSION)\b" || { $(PYTHON) -m venv .uv && .uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); }
	@touch $@

# --inexact: what a person installed there by hand stays.
$(READY): .uv/.ready pyproject.toml uv.lock
	@.uv/bin/uv sync --quiet --frozen --inexact --compile-bytecode --python $(PYTHON)
	@$(BIN)/python -m compileall -q daemon ingestors  # the process that reads files writes nothing, not even this
	@touch $@

# --- other programs that the tests compare with; without the network those tests skip and say why --------------------

oracles: oracle-crucible oracle-scopefoundry oracle-scicat  ## the programs that tests compare with

oracle-crucible: .uv/.ready
	@test -e $(CRUCIBLE) || PYTHON=$(PYTHON) sh tests/environments/oracle.sh nano-crucible nano-crucible==3.3.0

oracle-scopefoundry: .uv/.ready
	@test -e $(SCOPEFOUNDRY) || PYTHON=$(PYTHON) sh tests/environments/oracle.sh scopefoundry scopefoundry==2.2.1 numpy h5py qtpy pyqtgraph PyQt6 uuid7

oracle-scicat: .uv/.ready
	@test -e $(SCICAT) || PYTHON=$(PYTHON) sh tests/environments/oracle.sh scicat scitacean==26.10.1 pyscicat==0.4.8

oracle-pds:
	@test -e .oracles/pds/.ready || PYTHON=$(PYTHON) sh tests/environments/pds.sh
	@test -e .oracles/atdata/.ready || sh tests/environments/atdata.sh

chromium:
	@sh tests/environments/chromium.sh
