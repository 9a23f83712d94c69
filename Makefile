# The commands of the project; `make help` lists them.
.DEFAULT_GOAL := help
.NOTPARALLEL:

PY := .venv/bin/python
SETUP := .venv/.installed node_modules/.installed

.PHONY: help dev test lint types unit integration fuzz browser eval chaos faults backup restore audit redrive bench mutants refill-scan reset setup graph openapi package invoke deploy

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: $(SETUP) ## run everything on this machine until Ctrl-C
	@$(PY) -m infra.local.dev

test: lint types unit integration ## all checks and tests, on ports and data of their own

lint: .venv/.installed ## style, formatting and the import rule
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@.venv/bin/lint-imports --no-logo

types: .venv/.installed ## strict types
	@$(PY) -m mypy

unit: .venv/.installed ## tests that open no socket
	@$(PY) -m pytest tests/unit --disable-socket --allow-unix-socket

integration: $(SETUP) ## tests against the real parts
	@$(PY) -m pytest tests --ignore=tests/unit

browser: $(SETUP) .venv/.browser ## the tests with a real Chromium, which must be on the PATH
	@$(PY) -m pytest tests/contract/test_browser.py tests/console -rs

.PHONY: console screenshots
screenshots: $(SETUP) .venv/.browser ## what the console looks like, into docs/console
	@$(PY) -m tests.console.screenshots

console: node_modules/.installed ## copy the console into TO, for any host of static files; STORAGE=https://<project>.supabase.co
	@node infra/console/publish.mjs $(TO) $(STORAGE)

fuzz: $(SETUP) ## send new odd requests to every route, for SECONDS (600) as each role
	@FUZZ_SECONDS=$(or $(SECONDS),600) $(PY) -m pytest tests/contract/test_fuzzing.py -rA

eval: $(SETUP) ## play the conversations of tests/evals; ARGS="--failures --group attacks"
	@$(PY) -m tests.evals $(ARGS)

chaos: $(SETUP) ## 2,000 orders in bad weather, nothing lost; ARGS="--orders 200 --seed 3"
	@$(PY) -m tests.chaos $(ARGS)

faults: $(SETUP) ## break every part of a stack in the middle of confirmations
	@NEXUS_ALL_FAULTS=1 $(PY) -m pytest tests/faults -rA

backup: $(SETUP) ## save database, accounts and files of the running `make dev`; FOLDER=...
	@$(PY) -m infra.backup save $(FOLDER)

restore: $(SETUP) ## bring the latest backup back (FOLDER=... another), with `make dev` stopped
	@$(PY) -m infra.backup restore $(FOLDER)

audit: $(SETUP) ## look for known faults in the packages, as far as the advisories can be reached
	@$(PY) -m pip install -qq --disable-pip-version-check -r requirements-dev.txt -r requirements-audit.txt || true
	@$(PY) -m infra.audit

redrive: .venv/.installed ## list events that nobody took; ARGS=--all delivers them again, STAGE=prod there
	@$(PY) -m infra.redrive --stage $(or $(STAGE),local) $(ARGS)

bench: $(SETUP) ## measure how fast it is; ARGS="refills --scale 0.1"
	@$(PY) -m tests.bench $(ARGS)

mutants: $(SETUP) .venv/.mutation ## change the rules in small ways: do tests notice? ARGS="sql --sample 30", ARGS=python
	@$(PY) -m tests.mutation $(ARGS)

refill-scan: .venv/.installed ## look now for medicines that run out, on the running `make dev`
	@$(PY) -m infra.local.refill_scan

reset: .venv/.installed ## delete the laptop's data: the next `make dev` starts over
	@$(PY) -m infra.local.reset

setup: $(SETUP) ## install the packages only

openapi: .venv/.installed ## describe the API anew, in functions/health/openapi.json
	@$(PY) -m infra.openapi

graph: .venv/.installed ## draw the chat's graph into docs/chat-graph.md
	@$(PY) -m functions.chat.drawing

invoke: .venv/.installed ## let function FN of the running `make dev` answer an EVENT of tests/events; AS=<who>
	@$(PY) -m infra.invoke $(FN) $(EVENT) $(if $(AS),--as $(AS))

package: $(SETUP) ## build what a deployment of STAGE (dev or prod) uploads, and print its sizes
	@node_modules/.bin/osls package --stage $(or $(STAGE),dev)

deploy: $(SETUP) ## check, migrate, deploy STAGE (dev or prod) and look at it; docs/runbook.md
	@$(PY) -m infra.deploy --stage $(or $(STAGE),dev) $(ARGS)

.venv/.installed: requirements.txt requirements-dev.txt
	@infra/local/setup.sh python

.venv/.mutation: requirements-mutation.txt .venv/.installed
	@$(PY) -m pip install -qq --disable-pip-version-check -r requirements-mutation.txt && touch $@

.venv/.browser: requirements-browser.txt .venv/.installed
	@$(PY) -m pip install -qq --disable-pip-version-check -r requirements-browser.txt && touch $@

node_modules/.installed: package.json package-lock.json
	@infra/local/setup.sh node
