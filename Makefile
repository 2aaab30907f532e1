# The front door. `make run` and `make test` are the whole set-up; `make help` lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test fix bench soak lock assets clean

BIN := .venv/bin
UV_LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/installed-run ## run the portal (PORT=8000); Ctrl-C stops it, the data is kept
	@scripts/system-libraries run
	@exec env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m trustportal

test: .venv/installed-dev ## every gate: format, lint, types, imports, unit, integration, browser
	@scripts/system-libraries test
	@exec scripts/gates

fix: .venv/installed-dev ## put the code into form, as far as the tools can
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

bench: .venv/installed-dev ## what is measured in time
	@$(BIN)/python -m pytest tests/bench

soak: .venv/installed-dev ## the long runs: many kills, load, restore
	@scripts/system-libraries test
	@$(BIN)/python -m pytest -m slow tests e2e

lock: .venv/installed-dev ## choose versions anew and write the lock files
	@$(UV_LOCK) --upgrade --group dev pyproject.toml -o requirements/dev.txt
	@grep -E '^uv==' requirements/dev.txt | sed 's/[ ;\\].*//' | $(UV_LOCK) --upgrade - -o requirements/bootstrap.txt
	@sed -E '/^ +--hash/d; s/ \\$$//' requirements/dev.txt | grep -vE '^ *#' > .venv/constraints.txt
	@$(UV_LOCK) --upgrade --no-annotate -c .venv/constraints.txt pyproject.toml -o requirements/run.txt
	@if grep -nE '://|--(index|extra|find)' requirements/*.txt; then \
		echo "A lock file names an index: that must not be." >&2; exit 1; fi

assets: ## build trustportal/static from assets/ (needs node; the built files are committed)
	@cd assets && npm ci --no-audit --no-fund && npm run build

clean: ## remove what can be made again; your data in var/ stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.venv/installed-run: requirements/run.txt requirements/bootstrap.txt
	@scripts/install run
	@touch $@

.venv/installed-dev: requirements/dev.txt requirements/bootstrap.txt
	@scripts/install dev
	@touch .venv/installed-run $@
