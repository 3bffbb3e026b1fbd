# Everything runs from a bare machine with Python 3.11 or later and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEMO := demo

.PHONY: help install demo test test-slow test-gpu check format bench docs clean

help:
	@echo "make demo       a Warp dataset of 1,000 kernels in $(DEMO)/"
	@echo "make test       the tests"
	@echo "make check      lint, format, types, docs"
	@echo "make install    $(VENV) with every extra, in the versions of constraints.txt"
	@echo "make test-slow  the tests that take minutes"
	@echo "make test-gpu   the tests that need a CUDA device"
	@echo "make bench      the figures that the README states, as docs/benchmarks.md"
	@echo "make docs       the generated pages of docs/"

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt setuptools
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e ".[all,dev]"
	@touch $@

demo: $(INSTALLED)
	$(BIN)/irsmith generate recipes/warp-demo.toml --out $(DEMO)
	$(BIN)/irsmith stats $(DEMO)
	@echo
	@echo "The dataset is in $(DEMO)/. Next, try:"
	@echo "  $(BIN)/irsmith show $(DEMO) 0                     one row, Python beside C++"
	@echo "  $(BIN)/irsmith show $(DEMO) 7 --stage cuda        and beside CUDA"
	@echo "  $(BIN)/irsmith lower examples/saxpy.py            a file of your own"
	@echo "  $(BIN)/irsmith doctor                             what works on this machine"

test: $(INSTALLED)
	$(BIN)/python -m pytest -m "not slow and not gpu" -n 2

test-slow: $(INSTALLED)
	$(BIN)/python -m pytest -m slow

test-gpu: $(INSTALLED)
	$(BIN)/python -m pytest -m gpu

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_docs.py

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks.run

docs: $(INSTALLED)
	$(BIN)/irsmith coverage --frontend warp --out docs/coverage-warp.md
	$(BIN)/irsmith coverage --frontend jax --out docs/coverage-jax.md
	$(BIN)/python -m benchmarks.gallery
	$(BIN)/python -m benchmarks.natural --out docs/natural.md

clean:
	rm -rf $(VENV) $(DEMO) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
