# Every target sets itself up: a virtual environment in .venv, made once and again when the requirements change.
# Another Python: make test PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# A terminal's language must not decide what a test sees.
export PYTHONUTF8 := 1

.PHONY: help demo test check docs format
help:
	@echo "make demo    adapt a foundation model to text this machine already has, measure it, predict"
	@echo "make test    all tests and doctests"
	@echo "make check   formatting, lint and types"
	@echo "make docs    the documentation, in docs/_build/html"
	@echo "make format  rewrite the sources in the house format"

demo: $(READY)
	$(BIN)/headwater demo

# Each process has one thread: two that share the cores wait for one another.
test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyrefly check

docs: $(READY)
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "headwater needs Python 3.11 or newer: make PYTHON=python3.12 (or apt-get install python3)"; exit 1; }
	@set -e; if command -v uv >/dev/null && uv --version >/dev/null 2>&1; then \
	    test -x $(BIN)/python || uv venv --python "$(PYTHON)" .venv; \
	    uv pip install --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'; \
	else \
	    $(PYTHON) -c 'import ensurepip' 2>/dev/null \
	        || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }; \
	    test -x $(BIN)/python || $(PYTHON) -m venv .venv; \
	    $(BIN)/python -m pip install --constraint constraints.txt --editable '.[dev]'; \
	fi
	@touch $@
