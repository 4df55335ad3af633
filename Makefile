# The few verbs of this project; each sets up what it needs first. Python >= 3.11, git and make are enough.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.requirements-installed
ROOT_APT = [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null

.PHONY: run test lint services stop bench browser screenshots messages

run: $(READY) .env
	@exec $(BIN)/python manage.py dev

services: $(READY) .env
	@$(BIN)/python manage.py services

stop: $(READY) .env
	@$(BIN)/python manage.py services --stop

bench: $(READY) .env
	@$(BIN)/python -m benchmarks

# The pictures of the README, from a portal that `make run` has started.
screenshots: $(READY) .env
	@$(BIN)/python docs/screenshots.py

# Collect the texts that people read; what lacks a German wording is listed.
messages: $(READY) .env
	@$(BIN)/python -m tests.messages

lint: $(READY) .env
	@echo "== ruff: style and safety"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== mypy: types"
	@$(BIN)/mypy .
	@echo "== lint-imports: the floors of the house"
	@PYTHONPATH=. $(BIN)/lint-imports
	@echo "== check --deploy: production settings"
	@$(BIN)/python -m tests.production manage.py check --deploy --fail-level WARNING
	@echo "== makemigrations --check: no model without its migration"
	@$(BIN)/python manage.py services
	@$(BIN)/python manage.py makemigrations --check --dry-run

test: $(READY) .env browser lint
	@echo "== pytest: everything, in a browser too"
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

# A checkout that make has set up is a developer's machine; production sets its own environment instead.
.env:
	@printf '%s\n' '# Written by make: this checkout is a developer machine.' 'DEBUG=1' > $@

$(READY): requirements-dev.txt | $(BIN)/python
	@echo "Installing the locked requirements."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	    || { $(ROOT_APT) && apt-get -qq update && apt-get -qq install -y python3-venv >/dev/null; } \
	    || { echo "Python's venv is missing: ask root for 'apt-get install python3-venv'." >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv

browser:
	@$(PYTHON) -c 'import shutil, sys; sys.exit(not any(map(shutil.which, \
	    ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))))' \
	    || { $(ROOT_APT) && apt-get -qq update && apt-get -qq install -y chromium >/dev/null; } \
	    || echo "No Chromium or Chrome was found: the browser tests cannot run (apt-get install chromium)." >&2
