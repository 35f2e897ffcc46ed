# Certwright: everything a newcomer or CI runs. `make help` lists the targets.
# Needs Python 3.11+ with venv, and make. Node is taken from the machine when it is new enough, from PyPI if not.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PYTEST_ARGS ?= -n 2 --dist loadfile
WEB := hub/web
CONSOLE := $(WEB)/dist/index.html
CONSOLE_SOURCES := $(shell find $(WEB)/src $(WEB)/public -type f 2>/dev/null) \
	$(wildcard $(WEB)/index.html $(WEB)/vite.config.ts $(WEB)/tsconfig.json $(WEB)/package-lock.json)
PROTO_DIR := protos/certwright/agent/v1
PROTOC = $(BIN)/python -m grpc_tools.protoc -Iprotos --pyi_out=$(1) --python_out=$(1) --grpc_python_out=$(1) \
	$(PROTO_DIR)/enrollment.proto $(PROTO_DIR)/control.proto $(PROTO_DIR)/commands.proto
# Puts a usable node and npm on the PATH: see installers/node.sh.
WITH_NODE := sh installers/node.sh $(VENV)

.PHONY: help setup console demo test check bench fmt protos openapi docs lock migration package clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

$(VENV)/.created:
	@echo "setup: creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "setup: Python 3.11 or newer is needed; name it with make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "setup: $(PYTHON) has no venv module; on Debian: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.run: $(VENV)/.created requirements/run.txt pyproject.toml
	@echo "setup: installing what the hub and the agents need (pinned, checked by hash)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@echo "setup: installing what the tests and checks need"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

$(WEB)/node_modules/.installed: $(VENV)/.run $(WEB)/package.json $(WEB)/package-lock.json
	@echo "setup: installing the console's packages"
	@$(WITH_NODE) npm --prefix $(WEB) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(CONSOLE): $(WEB)/node_modules/.installed $(CONSOLE_SOURCES)
	@echo "setup: building the console"
	@$(WITH_NODE) npm --prefix $(WEB) run --silent build
	@touch $@

console: $(CONSOLE)  ## build the web console

setup: $(VENV)/.dev $(CONSOLE)  ## .venv with everything pinned, console built

demo: $(VENV)/.run $(CONSOLE)  ## the main job, end to end; ARGS=--once ends after it
	@$(BIN)/python -m tests.demo $(ARGS)

test: setup  ## install what the tests need and run all of them
	@sh tests/install-servers.sh
	@$(BIN)/pytest $(PYTEST_ARGS)
	@$(WITH_NODE) npm --prefix $(WEB) test --silent

check: setup  ## ruff, types, import contracts, drift of generated files, web lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.drift
	@$(WITH_NODE) npm --prefix $(WEB) run --silent check

bench: $(VENV)/.dev  ## every benchmark, a table each
	@$(BIN)/python -m benchmarks $(ARGS)

fmt: $(VENV)/.dev  ## format the Python sources
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

protos: $(VENV)/.dev  ## regenerate the gRPC code
	$(call PROTOC,protos)

openapi: setup  ## regenerate docs/openapi.json and the console's types
	$(BIN)/certwright hub openapi > docs/openapi.json
	@$(WITH_NODE) npm --prefix $(WEB) run --silent types

docs: $(VENV)/.dev  ## regenerate the diagrams of states
	@$(BIN)/python -m tests.state_diagrams

migration: $(VENV)/.dev  ## write a migration from the models: make migration MESSAGE="add x"
	$(BIN)/python -m hub.db.migrations.revise "$(MESSAGE)"

package: $(VENV)/.dev  ## build the agent package into dist/
	$(BIN)/python -m installers.build $(ARGS)

UV = $(BIN)/uv pip compile pyproject.toml --generate-hashes --python-version 3.11 --universal --no-header --quiet
lock: $(VENV)/.dev  ## renew the pins in requirements/
	$(UV) $(ARGS) --extra hub --extra agent --extra build -o requirements/run.txt
	$(UV) $(ARGS) --extra hub -o requirements/hub.txt
	$(UV) $(ARGS) --extra agent -o requirements/agent.txt
	$(UV) $(ARGS) --extra node -o requirements/node.txt
	$(UV) $(ARGS) --extra hub --extra agent --extra build --extra dev -o requirements/dev.txt

clean:  ## remove what was built; the demo's state too
	rm -rf build dist .demo $(WEB)/dist $(WEB)/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
