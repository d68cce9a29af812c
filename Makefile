# Every target does all set-up itself. Prerequisites: make, Python 3.11-3.13 and a package index that pip can reach.
SHELL := /bin/bash
# Set in some shells and images, it would make each process compile the same sources again.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help

AIRFLOW_PORT ?= 8080
SANDBOX_PORT ?= 8090
SEEDS ?= 1000
export AIRFLOW_PORT SANDBOX_PORT

SERVES = (3, 11) <= sys.version_info[:2] <= (3, 13)
FITS = -c 'import sys; sys.exit(not $(SERVES))' 2>/dev/null
# The fastest one serves. Python built without its compiler's optimisations, as a version manager builds it unless
# told, is slower at everything. Each that fits says how many microseconds it takes for some work, and where it is;
# a version manager's stand-in with no version behind it says nothing.
RACE = -c 'import ensurepip, sys, timeit, venv; \
	$(SERVES) and print(round(1e6 * min(timeit.repeat( \
	"sorted(str(i) for i in range(9999))", number=5, repeat=20))), sys.executable)' 2>/dev/null
FIND_PYTHON = type -ap python3.13 python3.12 python3.11 python3 | while read -r python; do \
	"$$python" $(RACE) < /dev/null; done | sort -n | sed -n '1s/^[^ ]* //p'
BIN := .venv/bin
INSTALLED := .venv/.installed
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header \
	--generate-hashes pyproject.toml

.PHONY: help setup demo airflow test lint bench simulate lock ui clean

help:
	@echo 'make demo      a flow over sandbox data on a real Airflow, from nothing'
	@echo 'make airflow   Airflow in the foreground, without sandbox'
	@echo 'make test      every test'
	@echo 'make lint      formatter, linter, types'
	@echo 'make bench     the benchmark: a table, and bench/latest.json'
	@echo 'make simulate  the simulation, SEEDS=$(SEEDS)'
	@echo 'make setup     .venv with the locked dependencies, nothing else'
	@echo 'make lock      lock the newest dependencies that pyproject.toml allows'
	@echo 'make ui        check the pages'"'"' sources and build them; needs Node.js 20'
	@echo 'make clean     remove .venv and caches; .airflow, where Airflow keeps its data, stays'

setup: $(INSTALLED)
	@:

# Bytecode is compiled once here, because shells and images that set PYTHONDONTWRITEBYTECODE would make each
# process of Airflow compile Airflow again.
$(INSTALLED): requirements-dev.txt requirements-uv.txt pyproject.toml
	@$(BIN)/python $(FITS) || { python=$$($(FIND_PYTHON)); \
		[ -n "$$python" ] || { echo 'No Python 3.11, 3.12 or 3.13 runs here. Install one of them first.' >&2; exit 1; }; \
		echo "Making .venv with $$python ($$("$$python" --version))"; \
		"$$python" -m venv --clear .venv; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@echo 'Installing the locked dependencies'
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements-dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	@$(BIN)/python -m order_cancellation.demo demo

airflow: setup
	@$(BIN)/python -m order_cancellation.demo airflow

# On all cores; tests/conftest.py says on how many processes, and what stays together. ARGS="-n 0" for one process.
test: setup
	@$(BIN)/python -m pytest -p no:cacheprovider -n auto --maxprocesses 8 --dist loadscope --no-loadscope-reorder $(ARGS)

lint: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: setup
	@$(BIN)/python bench/run.py $(ARGS)

simulate: setup
	@$(BIN)/python tests/simulation/run.py --seeds $(SEEDS) $(ARGS)

# The second lock is what runs in production; it is held to the versions that the tests ran with.
lock: setup
	@$(LOCK) --upgrade --extra postgres --group dev --output-file requirements-dev.txt
	@$(LOCK) --upgrade --extra postgres --constraint requirements-dev.txt --output-file requirements.txt

# What is built is committed: who installs the project needs no Node.js.
ui: ui/node_modules/.installed
	@cd ui && npm run --silent lint && npm run --silent test && npm run --silent build

ui/node_modules/.installed: ui/package.json ui/package-lock.json
	@cd ui && npm ci --silent
	@touch $@

clean:
	rm -rf .venv ui/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
