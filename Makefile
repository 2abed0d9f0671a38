# Everything runs in .venv, which is made from requirements.lock when missing or out of date.
# Needs GNU make and Python 3.11 or newer with its venv module; PYTHON names another interpreter.

IS_OLD = import sys; sys.exit(sys.version_info < (3, 11))
PYTHONS = python3 python3.14 python3.13 python3.12 python3.11
FIT = $(foreach name,$(PYTHONS),$(shell $(name) -c '$(IS_OLD)' 2>/dev/null && echo $(name)))
PYTHON ?= $(firstword $(FIT) python3)
PROCESSES ?= 2
MINUTES ?= 10
EVENTS ?= 1000000

BIN = .venv/bin
BENCHED = --json build/bench.json --svg build/bench.svg
READY = .venv/requirements.installed
COMPILE = --universal --generate-hashes --python-version 3.11 --no-header \
	--no-emit-index-url --no-emit-find-links --all-extras --group dev

.PHONY: help demo test test-matrix test-long torture walk docs lint bench bench-quick bench-large lock clean
.DELETE_ON_ERROR:

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' Makefile | expand -t 12

demo: $(READY) ## a first look, with a database of its own
	@$(BIN)/python -m generator demo

test: $(READY) ## run the tests, with a database of their own; PROCESSES=2 at a time
	@$(BIN)/python -m pytest -q -n $(PROCESSES)

test-matrix: $(READY) ## run them on PostgreSQL 14 to 18; VERSIONS="17 18" and TESTS="-m every_version" select
	@$(BIN)/python -m tests.matrix $(if $(VERSIONS),--versions "$(VERSIONS)") \
		--processes $(PROCESSES) -- $(TESTS)

test-long: $(READY) ## try 500 random histories on several connections, and 2,000 random reports
	@HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -q \
		tests/concurrency/test_stateful.py tests/report/test_answers.py

torture: $(READY) ## let everything happen at once for MINUTES=10, crashes included, and compare
	@$(BIN)/python -m tests.torture --minutes $(MINUTES)

walk: $(READY) ## deploy, adopt, change, restore and leave beside live writers, with EVENTS=1000000
	@$(BIN)/python -m tests.walk --events $(EVENTS)

docs: $(READY) ## write docs/reference.md, docs/registry.md and sql/README.md from the source
	@$(BIN)/python -m docs.reference
	@$(BIN)/python -m docs.registry
	@$(BIN)/python -m docs.sql_map

lint: $(READY) ## check style and types, and that sql/ is what the generator renders
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/python -m generator render --check

bench: $(READY) ## measure what the rollups cost, in ten to twenty minutes; see build/bench.svg
	@$(BIN)/python -m benchmarks $(BENCHED)

bench-quick: $(READY) ## see in a minute that this works
	@$(BIN)/python -m benchmarks --quick $(BENCHED)

bench-large: $(READY) ## measure with up to ten million events, for hours
	@$(BIN)/python -m benchmarks --large $(BENCHED)

lock: ## lock pyproject.toml's dependencies; UPGRADE=--upgrade for their newest versions
	@set -e; scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	$(PYTHON) -m venv "$$scratch/venv"; \
	"$$scratch/venv/bin/pip" install --quiet --disable-pip-version-check uv; \
	cp requirements.lock "$$scratch/new.lock"; \
	"$$scratch/venv/bin/uv" pip compile --quiet $(UPGRADE) $(COMPILE) pyproject.toml \
		-o "$$scratch/new.lock"; \
	if grep -nE '://|index-url|find-links' "$$scratch/new.lock"; then \
		echo 'error: the lock file names places that others cannot reach' >&2; exit 1; \
	fi; \
	cp "$$scratch/new.lock" requirements.lock

clean: ## remove .venv and all that was built or cached here; databases are kept
	@rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +

$(READY): requirements.lock
	@$(PYTHON) -c '$(IS_OLD)' || { \
		echo 'error: $(PYTHON) is not Python 3.11 or newer; try make PYTHON=python3.12' >&2; exit 1; }
	@echo 'Installing requirements.lock into .venv ...'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements.lock
	@touch $@
