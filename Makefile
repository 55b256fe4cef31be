# What a developer runs; CONTRIBUTING.md says when.

PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# Most tests wait for processes of their own, so four jobs pay on two cores. A file's tests share what they set up.
PARALLEL := -n $(or $(JOBS),4) --dist loadfile
FAST := not process and not model and not simulator and not slow

.PHONY: setup lint types test test-fast test-slow mutants parity bench docs man picture release-check ci

setup:  ## an editable install with all that tests and checks need
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --editable '.[embedded,dev]'

lint:
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types:
	$(BIN)/mypy

test:  ## the suite; JOBS=0 runs it in one process, with --pdb for instance
	$(PYTEST) $(PARALLEL)

test-fast:  ## without processes, models and the simulated NPU: under 40 s on 2 cores
	$(PYTEST) -q $(PARALLEL) -m '$(FAST)'

test-slow:  ## processes killed at random over 200 recordings, and the benchmarks on tiny input
	$(PYTEST) -n 0 -m slow

mutants:  ## which small mistakes would no test notice? MODULES="store/planner files"; all critical modules take hours
	$(BIN)/python -m tests.support.mutants $(MODULES)

parity:  ## against FunASR's torch code; needs the extra [export], torch and ../shared
	$(PYTEST) -n 0 tests/parity

bench:  ## each benchmark on tiny input
	$(PYTEST) -n 0 -m slow tests/test_benchmarks.py

docs:  ## docs/commands.md, from the help of the program
	$(BIN)/python scripts/command_reference.py docs

man:  ## man/*.1, from the help of the program
	$(BIN)/python scripts/command_reference.py man

picture:  ## docs/images/terminal.svg, by a run in tmux; after messages of transcribe have changed
	$(BIN)/python scripts/terminal_picture.py

release-check:  ## wheel and sdist: what they hold, and whether both install and run on the oldest and the newest Python
	scripts/release_check.sh

ci:
	.ci/run
