# `make help` lists the targets. Those that work on a database use DATABASE_URL.

SHELL := bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
# The tools of the virtual environment where there is one, else those on PATH (a container, a runbook).
BIN = $(if $(wildcard $(VENV)/bin/alembic),$(VENV)/bin/,)
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PYTEST_ARGS ?= -n 2

export MESSAGE CONFIRM ACCEPT

##@ Two commands
.PHONY: serve test notebook
serve: setup  ## build the site, serve it on http://127.0.0.1:8000, and run every page meanwhile
	$(VENV)/bin/backout serve

test: setup $(VENV)/environments/.complete  ## run everything: pages, tests, linters, the site; on PostgreSQL 18, and 15 where it is installed
	$(VENV)/bin/python -m pytest $(PYTEST_ARGS)
	@if $(VENV)/bin/backout postgres --postgres system:15 -- true 2>/dev/null; then \
		BACKOUT_POSTGRES=system:15 $(VENV)/bin/python -m pytest $(PYTEST_ARGS); \
	elif [ "$$BACKOUT_REQUIRE_ALL" = 1 ]; then \
		echo "error: BACKOUT_REQUIRE_ALL=1, and PostgreSQL 15 is not installed" >&2; exit 1; \
	else \
		echo "NOT CHECKED: everything on PostgreSQL 15, which is not installed here (Debian: postgresql-15)"; \
	fi

notebook: setup  ## open the onboarding notebooks in Jupyter; each works on a disposable database of its own
	@$(VENV)/bin/backout postgres --sample -- bash -c 'BACKOUT_POSTGRES="$$DATABASE_URL" exec "$$0" "$$@"' \
		$(VENV)/bin/jupyter lab -y --log-level=WARN $(if $(filter 0,$(shell id -u)),--allow-root) \
		--ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/docs/onboarding/first-migration.ipynb \
		--FileContentsManager.pre_save_hook=backout.notebooks.save_as_source --LabApp.extension_manager=readonly \
		--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate $(NOTEBOOK_ARGS)

##@ Measured risk
.PHONY: rehearse check evidence
rehearse: setup  ## measure what every changed revision's rollback loses, and write alembic/evidence/
	@$(VENV)/bin/backout rehearse --new --jobs 2

check: setup  ## measure every revision again; fail where evidence, docstrings or waivers are not true
	@$(VENV)/bin/backout check --jobs 2

evidence: setup  ## measure the whole chain and backout's own catalogue again, on 18 and on 15
	@$(VENV)/bin/backout rehearse --jobs 2 >/dev/null
	@$(VENV)/bin/backout rehearse --jobs 2 --postgres system:15 >/dev/null
	$(VENV)/bin/python -m backout.specimens --jobs 2
	$(VENV)/bin/python -m backout.specimens --jobs 2 --postgres system:15

##@ Migrations
.PHONY: migrate migrate-up migrate-down-one migrate-current migrate-create migrate-test sample
migrate:  ## run migrations, here or in a running compose service: MIGRATE_IN=api
ifdef MIGRATE_IN
	docker compose exec -T $(MIGRATE_IN) alembic upgrade head
else
	@$(MAKE) migrate-up
endif

migrate-up: need-database  ## apply all pending migrations
	$(BIN)alembic upgrade head

migrate-down-one: need-database  ## roll back the last migration, after asking (CONFIRM=REVISION for scripts)
	@$(BIN)backout rollback $(if $(CONFIRM),--confirm "$$CONFIRM") $(if $(ACCEPT),--accept "$$ACCEPT")

migrate-current: need-database  ## show the current revision
	@$(BIN)alembic current

migrate-create: need-database  ## create a migration from the models: MESSAGE="add users.nickname"
	@test -n "$$MESSAGE" || { echo 'error: MESSAGE is not set; for example: make migrate-create MESSAGE="add users.nickname"' >&2; exit 2; }
	@$(BIN)alembic revision --autogenerate -m "$$MESSAGE"
	@echo 'Next: read the new file, fill in its docstring, then: make migrate-up migrate-test rehearse'

migrate-test: need-database  ## test the rollback of the last migration, on a disposable database
	@bash scripts/test_migration_rollback.sh

sample: need-database  ## load the sample rows into a database at head
	@$(BIN)python -m content_creation_crew.db.sample

.PHONY: need-database
need-database:
	@test -n "$$DATABASE_URL" || { printf '%s\n' 'error: DATABASE_URL is not set: set it to postgresql://user@host:port/database, or use a disposable one:' \
		'  backout postgres --revision head --sample -- make $(firstword $(MAKECMDGOALS))' >&2; exit 2; }

##@ Development
.PHONY: setup site site-offline lint bench mutate faults lock clean help
setup: $(VENV)/.complete  ## make .venv with the locked packages
$(VENV)/.complete: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo 'error: Python 3.11 or newer is not on PATH; install it, or: make PYTHON=/path/to/python3' >&2; exit 2; }
	@echo "setting up $(VENV) (about a minute, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The releases of Alembic and SQLAlchemy that other projects run: tests/environments/NAME.txt
ENVIRONMENTS := sqlalchemy14 sqlalchemy20
$(VENV)/environments/.complete: $(VENV)/.complete $(ENVIRONMENTS:%=tests/environments/%.txt)
	@for name in $(ENVIRONMENTS); do \
		$(PYTHON) -m venv $(VENV)/environments/$$name && \
		$(VENV)/environments/$$name/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
			--requirement tests/environments/$$name.txt || exit 1; done
	@touch $@

site: setup  ## build the site into site/, executing nothing
	NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(VENV)/bin/mkdocs build --strict

site-offline: setup  ## build a copy of it into build/site-offline/, which opens from a folder, without a server
	OFFLINE=true NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(VENV)/bin/mkdocs build --strict --site-dir build/site-offline

lint: setup  ## ruff, mypy, codespell, shellcheck, zizmor
	$(VENV)/bin/python -m pytest tests/test_lint.py

bench: setup  ## measure how fast a disposable database is there, what a rehearsal costs, and how fast and heavy the site is
	$(VENV)/bin/python tests/benchmarks/bench_postgres.py
	$(VENV)/bin/python tests/benchmarks/bench_rehearsal.py
	$(VENV)/bin/python tests/benchmarks/bench_site.py
	$(VENV)/bin/python tests/benchmarks/bench_pages.py

mutate: setup  ## change the guides one word at a time and list the changes that no test notices
	$(VENV)/bin/python tests/mutate.py

faults: setup  ## make everything go wrong that may go wrong in production, and write docs/reference/faults.md
	$(VENV)/bin/python tests/faults.py $(PYTEST_ARGS)

lock: setup  ## resolve requirements.txt and those of tests/environments anew
	$(VENV)/bin/python -m pip install --quiet uv
	$(VENV)/bin/uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --no-header --output-file requirements.txt
	for name in $(ENVIRONMENTS); do \
		$(VENV)/bin/uv pip compile tests/environments/$$name.in --universal --python-version 3.11 \
			--generate-hashes --no-emit-index-url --no-annotate --no-header --output-file tests/environments/$$name.txt || exit 1; done

clean:  ## remove what make has made
	rm -rf $(VENV) build site

help:  ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
