# Every command of the README. All work in .venv, which `install` makes and keeps up to date.
PYTHON ?= python3
RUN := .venv/bin/python
PYTEST := $(RUN) -m pytest
ON_POSTGRES := $(RUN) -m tests.postgres
# Two cores are what the smallest box has. Fault tests time what they see, so they run one at a time.
PARALLEL ?= -n 2
# Bare `manage.py` wants a SECRET_KEY; these commands check code and start nothing that listens.
CHECK := DEBUG=1 $(RUN) manage.py

.PHONY: install demo test test-fast test-faults lint format bench needs
.DEFAULT_GOAL := demo

install: .venv/installed
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: install
	DEBUG=1 $(RUN) manage.py demo $(if $(ONCE),--once)

# What the tests need of the machine, before the first of them runs; it prints the install command.
needs: install
	@$(RUN) -m tests.machine

# Everything but faults, on both databases. What a browser shows does not depend on the database: once is enough.
test: needs
	$(PYTEST) $(PARALLEL) -m "not faults and not browser"
	$(ON_POSTGRES) $(PYTEST) $(PARALLEL) -m "not faults"

# Within a minute, while working: SQLite only, no browser.
test-fast: install
	$(PYTEST) $(PARALLEL) -m "not faults and not browser and not slow"

test-faults: needs
	$(PYTEST) -m faults
	$(ON_POSTGRES) $(PYTEST) -m faults

lint: install
	.venv/bin/ruff check .
	.venv/bin/mypy
	$(CHECK) check
	$(CHECK) makemigrations --check --dry-run

format: install
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

# Every benchmark that can be run by itself prints one table. PostgreSQL is the tests' own here, without fsync.
BENCHMARKS := $(basename $(notdir $(shell grep -l "__main__" benchmarks/*.py)))
bench: needs
	for each in $(BENCHMARKS); do $(RUN) -m benchmarks.$$each || exit 1; done
	$(ON_POSTGRES) sh -c 'for each in $(BENCHMARKS); do $(RUN) -m benchmarks.$$each || exit 1; done'
