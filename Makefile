# `make` alone lists the targets. Everything is installed into .venv; only system packages need root (see tools/system_packages).
BIN := .venv/bin
STAMP := .venv/.installed
WORKERS ?= 4
# More arguments for pytest, such as ARGS='-k outbox'.
ARGS ?=
# The Python that .venv is made with; the newest that fits if not given.
PYTHON ?=
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-live test-quick fuzz check format bench screenshot constraints clean system-test system-bench system-screenshot

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 14

setup: $(STAMP)  ## make .venv with the exact versions of constraints.txt

$(STAMP): pyproject.toml constraints.txt tools/make_environment tools/find_python
	@tools/make_environment $@

demo: setup  ## a desk that lives, with servers and customers of its own
	@$(BIN)/deskhand demo

test: setup system-test  ## every test, against real servers
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

test-live: setup system-test  ## only the tests that need a real server
	@$(BIN)/python -m pytest -n $(WORKERS) -m live $(ARGS)

test-quick: setup  ## only the tests that need nothing of the system and are not slow
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not live and not slow" $(ARGS)

fuzz: setup  ## damage mail in many more ways than the tests do
	@DESKHAND_FUZZ_EXAMPLES=20000 $(BIN)/python -m pytest -n 0 --timeout 0 tests/channels/email/test_fuzz.py $(ARGS)

check: setup  ## style, types and the layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup  ## put every file into the house style
	@$(BIN)/ruff check --fix --select I .
	@$(BIN)/ruff format .

bench: setup system-bench  ## measure deskhand and its peers
	@$(BIN)/python -m benchmarks $(ARGS)

screenshot: setup system-screenshot  ## draw the pictures of the documentation
	@$(BIN)/python -m console.screenshot docs/pictures $(ARGS)

constraints: setup  ## write constraints.txt from what .venv holds
	@$(BIN)/python tools/write_constraints.py

system-test:
	@tools/system_packages dovecot-imapd
	@tools/unpack_servers

system-bench:
	@tools/system_packages notmuch python3-notmuch2 maildir-utils neomutt aerc

system-screenshot:
	@tools/system_packages librsvg2-bin fonts-dejavu-core

clean:  ## remove .venv and everything that tools have left
	@rm -rf .venv .servers build dist benchmarks/work .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache ./*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
