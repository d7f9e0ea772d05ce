# One command for each thing to do here; `make help` lists them.
#   make PYTHON=python3.13 VENV=.venv313 run    another Python, in an environment of its own
#   make test ARGUMENTS="-k replay -x"          what to hand to pytest (or to the benchmarks)
#   make test PROCESSES=0                       one test after the other, in one process

PYTHON ?= python3
VENV ?= .venv
ARGUMENTS ?=
# One more than most machines' two cores: a test waits for servers about a quarter of its time.
PROCESSES ?= 3
python := $(VENV)/bin/python
# The sets of requirements. development.txt contains all others, so it is compiled first and decides their versions.
sets := development embedded embedded-development production
# A key for the checks; no server uses it.
unused_key := SECRET_KEY=looks-at-models-and-settings-and-serves-nobody

.DEFAULT_GOAL := help
.PHONY: help run run-production-like doctor test test-fast test-embedded lint faults bench ci messages requirements audit

help: ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-28s %s\n", $$1, $$2}'

run: $(VENV)/.installed-embedded ## everything on SQLite with demo data, on http://127.0.0.1:8000; Ctrl-C stops it all
	@exec $(python) manage.py run

run-production-like: $(VENV)/.installed-production ## MariaDB, Redis, nginx, gunicorn, workers, two sweeps, beat, Flower, all private
	@tools/require mariadb-server redis-server nginx
	@exec $(python) manage.py run_production_like

doctor: $(VENV)/.installed-embedded ## look for what is wrong in the database of `make run` (ARGUMENTS="--fix", "--terminal SERIAL")
	@$(python) manage.py doctor $(ARGUMENTS)

test: $(VENV)/.installed-development ## the whole suite on a private MariaDB and Redis (TEST_DATABASE_URL names another server)
	@tools/require mariadb-server redis-server chromium nginx prometheus
	$(python) -m pytest -n $(PROCESSES) --dist worksteal --durations 20 $(ARGUMENTS)

test-fast: $(VENV)/.installed-development ## what needs no process, no browser and no commit: for while one works
	@tools/require mariadb-server redis-server
	$(python) -m pytest -n $(PROCESSES) --dist worksteal --durations 20 -m fast $(ARGUMENTS)

test-embedded: $(VENV)/.installed-embedded-development ## the main path on SQLite and the broker that `make run` finds; no root, no server
	TEST_EMBEDDED=1 $(python) -m pytest $(ARGUMENTS)

lint: $(VENV)/.installed-development ## ruff, mypy, the import rules, forgotten migrations, Django's checks
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(unused_key) $(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo
	$(unused_key) $(python) manage.py makemigrations --check --dry-run
	$(unused_key) $(python) manage.py check

faults: $(VENV)/.installed-development ## only the tests that break things on purpose
	@tools/require mariadb-server redis-server
	$(python) -m pytest tests/faults $(ARGUMENTS)

bench: $(VENV)/.installed-production ## the speed targets, as ratios measured in one run
	@tools/require mariadb-server redis-server
	$(python) -m benchmarks $(ARGUMENTS)

ci: lint test ## what must pass before a change is merged

messages: $(VENV)/.installed-embedded ## collect the pages' words for translation and compile what is translated (needs gettext)
	cd backend && $(unused_key) $(abspath $(python)) ../manage.py makemessages --locale en --no-location --no-wrap --no-obsolete \
	  --extension py,html,txt
	@sed -i '/^"POT-Creation-Date:/d; /^"Report-Msgid-Bugs-To:/d' backend/web/locale/en/LC_MESSAGES/django.po
	cd backend && $(unused_key) $(abspath $(python)) ../manage.py compilemessages --locale en

requirements: ## compile requirements/*.in to exact versions with hashes (needs uv)
	decided=; for set in $(sets); do \
	  uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header \
	    $$decided requirements/$$set.in -o requirements/$$set.txt || exit; \
	  decided="--constraint requirements/development.txt"; done

audit: $(VENV)/.installed-embedded-development ## ask pip-audit whether a pinned package has a known vulnerability
	@$(python) tools/audit.py requirements/development.txt

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "Python 3.11, 3.12 or 3.13 is needed, and $(PYTHON) is: $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name another one: make PYTHON=python3.13 …" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# A stamp file for each set of requirements, so that the second run installs nothing. The files have hashes: pip refuses
# any other package. Only sets with mysqlclient need a compiler.
$(sets:%=$(VENV)/.installed-%): $(VENV)/.installed-%: requirements/%.txt | $(VENV)/bin/pip
	@! grep -q '^mysqlclient==' $< || PYTHON=$(python) tools/require mysqlclient
	$(python) -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
