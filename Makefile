# Each target does its own set-up into .venv from pinned versions and hashes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# uv where it is installed, else pip: the same versions, checked against the same hashes.
ifneq ($(shell command -v uv),)
INSTALLER := uv: 15 seconds, minutes where they are not cached
MAKE_VENV = uv venv --quiet --allow-existing --no-python-downloads --python $(PYTHON) $(VENV)
INSTALL = uv pip install --quiet --python $(BIN)/python --no-deps
else
INSTALLER := pip: 2 minutes, more where they are not cached
MAKE_VENV = $(PYTHON) -m venv $(VENV)
INSTALL = $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps
endif

# Modules are compiled once, whatever the environment says: tests start some hundred processes.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := install
.PHONY: install dev demo test test-slow reliability up lint types imports validate audit check dist simulate mutants \
	test-wheel bench parity \
	train eval lock clean

install: $(VENV)/.runtime
dev: $(VENV)/.dev

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "mood search needs Python 3.11 or newer; point PYTHON at one: make PYTHON=python3.12"; exit 1; }
	@$(MAKE_VENV)

$(VENV)/.runtime: pyproject.toml requirements/build.txt requirements/runtime.txt | $(BIN)/python
	@echo "Installing $$(grep -c == requirements/runtime.txt) packages into $(VENV) with $(INSTALLER) ..."
	@$(INSTALL) --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	@$(INSTALL) --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "Installing what tests and checks need ..."
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

demo: install
	$(BIN)/moodsearch demo

up: install
	$(BIN)/moodsearch up

# One more than there are cores: many tests wait for a server or a process.
test: dev
	$(BIN)/pytest -n $$(($$(nproc) + 1))

test-slow: dev
	$(BIN)/pytest -n 2 -m slow

# Writes the tables of docs/reliability.md from what tests observe of each fault.
reliability: dev
	$(BIN)/pytest -m slow tests/pipelines/test_fault_matrix.py --write-reliability

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: dev
	$(BIN)/mypy

# Dagster's exit code does not tell of a module that cannot be imported; its output does.
validate: install
	@home=$$(mktemp -d); \
		DAGSTER_HOME=$$home $(BIN)/dagster definitions validate -w workspace.yaml 2>&1 | tee $$home/log; \
		! grep -q ERROR $$home/log && grep -q "Validation successful" $$home/log

# What is imported is declared, and the other way round.
imports: dev
	$(BIN)/deptry assets pipelines resources serving

# Known holes of the pinned versions, where an advisory service can be asked.
audit: dev
	$(BIN)/python .ci/audit

check: lint types imports validate

# The source distribution, and the wheel made from it.
dist: dev
	rm -rf dist
	$(BIN)/python -m build --quiet --no-isolation

# Everything in one process, in an order and with faults that a seed decides. A failure names the line
# that replays it.
SEED ?= $(shell od -An -N3 -tu4 /dev/urandom)
STEPS ?= 10000
simulate: dev
	PYTHONHASHSEED=0 $(BIN)/python -m tests.simulation --seed $(SEED) --steps $(STEPS) $(SIMULATE_OPTIONS)

# Whether the simulation finds bugs that are planted.
mutants: dev
	$(BIN)/python -m tests.simulation.mutants $(MUTANTS)

# The wheel in an environment of its own, in a folder of its own, does what the checkout does.
test-wheel: dist
	.ci/wheel dist/*.whl

# Beside what others do with the same model, which has an environment of its own.
bench: dev .venv-parity/.ready
	$(BIN)/python -m bench $(BENCH_OPTIONS)

# The offline model from nothing to its shipped files (training/README.md says what must be installed).
train: build/train-venv/.ready
	build/train-venv/bin/python -m training all $(TRAIN_OPTIONS)

build/train-venv/.ready: training/requirements.txt
	$(PYTHON) -m venv build/train-venv
	build/train-venv/bin/python -m pip install --quiet --disable-pip-version-check \
		-r training/requirements.txt
	touch $@

# Any values of CLAP_MODEL side by side: make eval MODELS="offline ./folder" SAMPLES=path/to/sonic-pi
MODELS ?= offline
eval: install
	$(BIN)/python -m training.evaluate --models $(MODELS) $(if $(SAMPLES),--samples $(SAMPLES))

# CLAP beside transformers at full size; its weights are random and stay in .cache.
parity: .venv-parity/.ready
	.venv-parity/bin/python -m parity live

.venv-parity/.ready: parity/requirements.txt
	$(PYTHON) -m venv .venv-parity
	@echo "Installing PyTorch and transformers into .venv-parity ..."
	@.venv-parity/bin/python -m pip --disable-pip-version-check install --quiet -r parity/requirements.txt
	@touch $@

# Writes requirements/*.txt anew from pyproject.toml (needs uv).
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate -o requirements/runtime.txt
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate -c requirements/runtime.txt -o requirements/dev.txt
	echo "setuptools==82.0.1" | uv pip compile - --generate-hashes --no-emit-index-url --no-header \
		--no-annotate -o requirements/build.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache dist build/lib build/bdist*
