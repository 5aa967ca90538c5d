# The repository's commands; `make help` lists them.
#
# Everything is installed inside the checkout: Python into .venv, npm packages beside their
# package.json. Stamp files remember what was installed from which files, so a second run is instant
# and a changed pyproject.toml, constraint, lock file or web source installs or builds again.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

PORT ?= 8000
DATA ?= ./data
ARGS ?=
T ?=
WORKERS ?= 2
PYTHONS := $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
PIP_INSTALL := $(PIP) install --constraint constraints.txt
NPM_CI := npm ci --no-audit --no-fund --loglevel=error

RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
WEB := clients/web
WEBAPP := server/parvis/server/webapp/index.html
# Folders too: a deleted file shows only in them.
# The app is built from the TypeScript client's sources too (their packages come from $(WEB)), and
# from the documents' schema, which it shares with the server.
WEB_SOURCES := $(shell find $(WEB) clients/js/src $(wildcard plugins/parvis/plugins/*/schema.json) -mindepth 0 \
	-not -path '*/node_modules*' -not -path '*/.*' -not -path $(WEB) 2>/dev/null)

# Every folder with npm packages of its own, and the stamp that says they are installed.
NPM_FOLDERS := $(patsubst %/package.json,%,$(wildcard $(addsuffix /package.json,\
	clients/web clients/js tests/browser tests/interop tests/producers)))
NPM_STAMPS := $(addsuffix /node_modules/.installed,$(NPM_FOLDERS))

# The wheel of pyright brings pyright along; without this it asks the registry for a newer one.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

LINTERS := lint-format lint-style lint-mypy lint-pyright lint-imports lint-web lint-locks
.PHONY: help setup run test soak bench lint $(LINTERS) format clean debian

help:  ## list these commands
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1|\2/p' Makefile | column -t -s '|'
	@echo "  run takes PORT=8000 DATA=./data ARGS=…; test T=tests/storage WORKERS=2; soak T=…; bench ARGS=…"

setup: $(RUNTIME) $(WEBAPP)  ## install the program into .venv and build the web app

run: setup  ## start the server on http://127.0.0.1:8000
	@exec $(BIN)/parvis serve --port "$(PORT)" --data "$(DATA)" $(ARGS)

test: $(RUNTIME) $(DEV) $(WEBAPP) $(NPM_STAMPS) debian  ## run every test, or those of T=…
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal $(T)

soak: $(RUNTIME) $(DEV) $(WEBAPP) $(NPM_STAMPS) debian  ## run the long tests, or those of T=…
	$(BIN)/pytest -m soak -o faulthandler_timeout=0 $(T)

bench: setup tests/browser/node_modules/.installed debian  ## measure; the method is in benchmarks/README.md
	$(BIN)/python -m benchmarks.run $(ARGS)

lint: $(LINTERS)  ## check format, style, types and who imports whom

lint-format: $(RUNTIME) $(DEV)
	$(BIN)/ruff format --check .

lint-style: $(RUNTIME) $(DEV)
	$(BIN)/ruff check .

lint-mypy: $(RUNTIME) $(DEV)
	$(BIN)/mypy

lint-pyright: $(RUNTIME) $(DEV)
	$(BIN)/pyright

lint-imports: $(RUNTIME) $(DEV)
	$(BIN)/lint-imports --no-logo

lint-web: $(NPM_STAMPS)
	@for folder in $(NPM_FOLDERS); do \
		echo "npm run lint in $$folder"; npm --prefix "$$folder" run --silent --if-present lint; \
	done

# A lock file that names a download host ties every checkout to that host; integrity is enough.
lint-locks:
	@locks=$$(find . -name package-lock.json -not -path '*/node_modules/*'); \
	if grep -lE '"resolved": *"[a-z+]+:' $$locks /dev/null; then \
		echo "these lock files carry download addresses;" \
			"run npm install with omit-lockfile-registry-resolved=true" >&2; exit 1; \
	fi

format: $(RUNTIME) $(DEV)  ## rewrite the Python sources in house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove everything installed or built here; the data stays
	rm -rf $(VENV) $(addsuffix /node_modules,$(NPM_FOLDERS)) $(dir $(WEBAPP)) dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# --- Python -----------------------------------------------------------------------------------

$(BIN)/python:
	@unfit=""; \
	for python in $(PYTHONS); do \
		found=$$("$$python" -c 'import platform; print(platform.python_version())' 2>/dev/null) \
			|| continue; \
		if ! "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
			unfit="$$unfit  $$python is Python $$found, too old"$$'\n'; \
		elif ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
			unfit="$$unfit  $$python cannot make environments (Debian: apt install python3-venv)"$$'\n'; \
		else \
			echo "Python $$found → $(VENV)"; \
			"$$python" -m venv --clear $(VENV); exit 0; \
		fi; \
	done; \
	printf 'Parvis needs Python 3.11 or newer.\n%sName another one with make PYTHON=…\n' "$$unfit" >&2; \
	exit 1

# pip comes first: an older one knows neither dependency groups nor constraints for build tools.
$(RUNTIME): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Python packages → $(VENV)"
	@$(PIP_INSTALL) pip
	@$(PIP_INSTALL) --build-constraint constraints.txt --editable .[pdf,s3]
	@touch $@

$(DEV): $(RUNTIME)
	@echo "development tools → $(VENV)"
	@$(PIP_INSTALL) --group dev
	@touch $@

# --- npm --------------------------------------------------------------------------------------

%/node_modules/.installed: %/package.json %/package-lock.json
	@command -v node >/dev/null && command -v npm >/dev/null \
		|| { echo "Parvis needs Node 20 or newer and npm; neither may be missing." >&2; exit 1; }
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' \
		|| { echo "Parvis needs Node 20 or newer; this is $$(node --version)." >&2; exit 1; }
	@echo "npm packages → $*/node_modules"
	@cd $* && $(NPM_CI)
	@touch $@

$(WEBAPP): $(WEB)/node_modules/.installed $(WEB_SOURCES)
	@echo "web app → $(dir $@)"
	@npm --prefix $(WEB) run --silent build -- --logLevel warn
	@test -s $@ || { echo "the build of $(WEB) left no $@" >&2; exit 1; }
	@touch $@

# --- Debian packages that only the tests need ------------------------------------------------------

debian:
	@missing=""; \
	compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing="$$missing postgresql"; \
	command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ] || missing="$$missing pgbouncer"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	{ command -v gcc >/dev/null && [ -e /usr/include/stdio.h ]; } || missing="$$missing gcc libc6-dev"; \
	command -v curl >/dev/null || missing="$$missing curl"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || missing="$$missing libfaketime"; \
	compgen -G '/usr/lib/*/libpango-1.0.so.0' >/dev/null || missing="$$missing libpango-1.0-0"; \
	compgen -G '/usr/lib/*/libpangoft2-1.0.so.0' >/dev/null || missing="$$missing libpangoft2-1.0-0"; \
	compgen -G '/usr/lib/*/libharfbuzz-subset.so.0' >/dev/null || missing="$$missing libharfbuzz-subset0"; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "The tests need:$$missing. Install them first: sudo apt-get install$$missing" >&2; \
		exit 1; \
	fi; \
	echo "Debian packages:$$missing"; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get -o DPkg::Lock::Timeout=300 update -qq </dev/null; \
	apt-get -o DPkg::Lock::Timeout=300 install -qq --yes --no-install-recommends $$missing </dev/null
