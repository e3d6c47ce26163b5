# The README's commands. All use .venv, which `install` creates and updates.
PYTHON ?= python3
RUN := .venv/bin/python
PYTEST := $(RUN) -m pytest
ON_POSTGRES := $(RUN) -m tests.postgres
# The smallest machine has two cores. Fault tests that measure time run one at a time.
PARALLEL ?= -n 2 --dist worksteal
# Tables made from the models take a second, by migrations twelve. `make test` on PostgreSQL runs the migrations.
FROM_MODELS := --nomigrations
# Without DEBUG, manage.py needs a SECRET_KEY. These commands only check code.
CHECK := DEBUG=1 $(RUN) manage.py

.PHONY: install demo test test-fast test-pages test-faults lint format bench bench-queue peers screenshots needs
.DEFAULT_GOAL := demo

install: .venv/installed
.venv/installed: pyproject.toml constraints.txt
	@echo "Installing into .venv. The first time takes about a minute."
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: install
	DEBUG=1 $(RUN) manage.py demo $(if $(ONCE),--once)

# Checks what the tests need on the machine, and prints how to install what is missing.
needs: install
	@$(RUN) -m tests.machine

# All but the fault tests. The engine's run on both databases. One is enough for the rest: SQLite for what uses none, else PostgreSQL.
test: needs
	$(PYTEST) $(PARALLEL) $(FROM_MODELS) -m "not faults and not browser and not one_database"
	$(ON_POSTGRES) $(PYTEST) $(PARALLEL) -m "not faults"

# For use while coding: takes less than a minute, on SQLite, without a browser.
test-fast: install
	$(PYTEST) $(PARALLEL) $(FROM_MODELS) -m "not faults and not browser and not slow"

# Each page of subjects in each state, for each role, in both themes, at three widths. Screenshots go to the folder that SHOTS_DIR names.
test-pages: needs
	$(PYTEST) $(PARALLEL) tests/browser/test_pages.py tests/browser/test_ads.py tests/browser/test_accessibility.py -m "exhaustive or browser"

test-faults: needs
	$(PYTEST) tests/faults $(PARALLEL) $(FROM_MODELS) -m "not alone"
	$(PYTEST) tests/faults $(FROM_MODELS) -m alone
	$(ON_POSTGRES) sh -c '$(PYTEST) tests/faults $(PARALLEL) $(FROM_MODELS) -m "not alone" && $(PYTEST) tests/faults $(FROM_MODELS) -m alone'

lint: install
	.venv/bin/ruff check .
	.venv/bin/mypy
	$(CHECK) check
	$(CHECK) makemigrations --check --dry-run

format: install
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

# Every page from the demo's data, and the four days that the how-to tells. Takes some minutes.
screenshots: needs
	$(RUN) -m tests.browser.screenshots docs/images/pages
	SHOTS_DIR=docs/images/days $(PYTEST) $(FROM_MODELS) tests/browser/days

# Queues that ours is compared with and whose packages are not for our environment. django-ox needs Python 3.12.
peers:
	$(PYTHON) -m venv .venv-dbos && .venv-dbos/bin/pip install dbos==3.4.0 'psycopg[binary]==3.3.9'
	python3.12 -m venv .venv-ox && .venv-ox/bin/pip install django-ox==1.9.1 'psycopg[binary]==3.3.9'

# Each benchmark that has a main() prints one table. PostgreSQL is a temporary server without fsync, unless TEST_POSTGRES_FSYNC=on.
export BENCH_DBOS_PYTHON ?= $(wildcard .venv-dbos/bin/python)
export BENCH_OX_PYTHON ?= $(wildcard .venv-ox/bin/python)
BENCHMARKS := $(filter-out queue,$(basename $(notdir $(shell grep -l "__main__" benchmarks/*.py))))
bench: needs bench-queue
	for each in $(BENCHMARKS); do $(RUN) -m benchmarks.$$each || exit 1; done
	$(ON_POSTGRES) sh -c 'for each in $(BENCHMARKS); do $(RUN) -m benchmarks.$$each || exit 1; done'

# The table of docs/benchmarks.md, within half an hour.
bench-queue: needs
	$(ON_POSTGRES) $(RUN) -m benchmarks.queue
	$(RUN) -m benchmarks.queue
