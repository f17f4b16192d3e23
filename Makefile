# Targets to run and check the site. `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TESTS ?= tests
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help demo run test faults check lint format bench lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /: /'

demo: $(VENV)/.run keys ## try the site: web, workers and a made-up Discogs, with a demo account
	@exec $(BIN)/python manage.py up --sandbox $(if $(PORT),--port $(PORT))

run: $(VENV)/.run keys ## run the site with the real Discogs
	@exec $(BIN)/python manage.py up $(if $(PORT),--port $(PORT))

.PHONY: keys
keys: $(VENV)/.run
	@$(BIN)/python -m config.keys

test: $(VENV)/.dev ## run the tests on SQLite, and on PostgreSQL if it is running, side by side
	@$(BIN)/python -m tests.run $(TESTS)

faults: $(VENV)/.dev ## kill processes and break Discogs, on both databases (a quarter of an hour)
	@$(BIN)/python -m tests.run --one-by-one -m fault tests/faults tests/security

check: lint test ## lint and test: must pass before a change is merged

lint: $(VENV)/.dev ## check style, types, layers, templates and migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tests.within mypy collections_app pricing config
	$(BIN)/python -m tests.within lint-imports
	$(BIN)/djlint templates --check --lint --quiet
	$(BIN)/python -m tests.within python manage.py makemigrations --check --dry-run
	HTTPS=1 $(BIN)/python -m tests.within python manage.py check --deploy --fail-level WARNING

format: $(VENV)/.dev ## format code and templates
	-$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint templates --reformat --quiet || true

bench: $(VENV)/.dev ## run the benchmarks: throughput, requests per release, limits
	@$(BIN)/python -m tests.within python -m tests.benchmarks

lock: $(VENV)/.dev ## resolve the requirements again, with hashes
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe --no-header \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements.txt requirements.in
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe --no-header \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements-dev.txt requirements-dev.in

clean: ## remove everything that can be rebuilt; .env and the databases are kept
	rm -rf $(VENV) staticfiles test-results .mypy_cache .ruff_cache .pytest_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
