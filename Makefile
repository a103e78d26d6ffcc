# Aduan. `make` alone lists what there is. On a fresh machine only Python 3.11, make and git are
# needed: every target first makes sure of .venv (at once when the lock has not changed).

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test cluster-test check bench soak i18n lock format vendor docs-pictures venv clean

VENV := .venv/bin
# Tests run in this many processes; ARGS goes to pytest: make test ARGS="-k clock"
WORKERS ?= 2
ARGS ?=

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Serve on http://127.0.0.1:8080 with demo data (DEMO=0: an empty office)
	@python=$$(sh tools/python.sh) && exec "$$python" run.py

test: venv ## Run all tests: SQLite, PostgreSQL, browser (ARGS="-k word")
	@$(VENV)/python tools/install_test_tools.py
	@$(VENV)/python -m pytest -n $(WORKERS) --dist loadfile --max-worker-restart=0 $(ARGS)

cluster-test: venv ## Several servers that fail one by one (Debian, as root; ARGS=--write)
	@$(VENV)/python tools/cluster_test.py $(ARGS)

check: venv ## Lint, format, types, import rules, SOP, translations, migrations
	@$(VENV)/python tools/check.py $(ARGS)

soak: venv ## Fifty officers at once for ten minutes (SOAK_SECONDS=60 for another time)
	@SOAK_SECONDS=$${SOAK_SECONDS:-600} $(VENV)/python -m pytest -q tests/integration/trust/test_soak.py

bench: venv ## Time the main pages on many complaints (ARGS="--cases 10000")
	@$(VENV)/python -m benchmarks $(ARGS)

i18n: venv ## Extract messages, update both catalogues, fail on gaps
	@$(VENV)/python tools/i18n.py update

format: venv ## Put the code in shape: ruff check --fix, ruff format
	@$(VENV)/ruff check --fix --quiet
	@$(VENV)/ruff format

lock: venv ## Pin requirements/*.in again (UPGRADE=1: to the newest allowed)
	@$(VENV)/python tools/lock.py $(if $(UPGRADE),--upgrade)

vendor: venv ## Fetch the vendored front-end files again (needs npm)
	@$(VENV)/python tools/vendor.py $(ARGS)

docs-pictures: venv ## Take the pictures of the user guide again (needs Chromium)
	@$(VENV)/python tools/docs_pictures.py $(ARGS)

clean: ## Remove what the tools made (not instance/, not .venv)
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

venv:
	@python=$$(sh tools/python.sh) && "$$python" tools/bootstrap.py --dev
