# Everything a developer or a curious user types. `make demo` and `make test` set up what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEVELOPMENT := $(VENV)/.ready-development
BENCH := build/bench
# One process a processor; one that has nothing left takes over tests of the other.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

# Tests that a campaign has do more; it also runs all that are left to it.
LARGE := any_sequence or any_order or any_change or crash or state_machine or kill or concurrency or corruption \
	or hostile or committed or sliding or recorded or interrupts or streams or check_estimator or frozen or no_network

# The same folder in every run, so that models are fetched once; override it to try a fresh machine.
export EDGE_ICL_HOME ?= $(CURDIR)/.demo

# Tests start hundreds of processes: without byte code each would compile the project again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test tests lint docs format counts campaign fuzz bench accuracy mcpb wheels clean

help:
	@echo "make demo      set up, teach a store some expenses, ask, forget one and prove it"
	@echo "make test      set up, then lint, type-check and run the tests"
	@echo "make counts    record what the main paths cost in instructions (with valgrind), files and bytes"
	@echo "make campaign  the long tests: thousands of examples, crashes, power cuts, kills, corruptions"
	@echo "make fuzz      an hour of bytes of any kind before the decoders of a store (Linux)"
	@echo "make bench     measure: every target in one table (about ten minutes)"
	@echo "make accuracy  measure: answers, what they cost, the clustering's frontier (hours)"
	@echo "make mcpb      write dist/edge-icl-VERSION.mcpb, with which assistants are told of edge-icl"
	@echo "make wheels    build the wheels for people without a compiler, and try them (ten minutes)"
	@echo "make docs      write the API reference to build/docs"
	@echo "make format    format the code"
	@echo "make clean     remove what make made, the fetched models included"

setup: $(DEVELOPMENT)

# llama-cpp-python is compiled on the first install: about five minutes on two cores. pip keeps the wheel.
# Without --no-compile pip writes byte code for all that it installs, half of the time, and little of it is used.
$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@echo "installing; the first time, llama.cpp is compiled, which takes some minutes"
	$(BIN)/python -m pip install --quiet --no-compile --editable .
	@touch $(READY)

# Apart from what the demo needs: with scikit-learn, DSPy and PySide it is a gigabyte.
$(DEVELOPMENT): $(READY)
	$(BIN)/python -m pip install --quiet --no-compile --editable . --group dev
	@touch $(DEVELOPMENT)

demo: $(READY)
	$(BIN)/edge-icl models fetch
	$(BIN)/edge-icl demo

# Lint keeps one processor busy and no more, so it runs beside the tests.
test: setup
	@$(MAKE) --no-print-directory --jobs=2 lint tests

tests: setup
	$(PYTEST)

# The tests compare with the record, so this is what a change of speed is committed with.
counts: setup
	$(BIN)/python tests/support/recorded_costs.py

# Not in setup: pyspark, which has 491 MB and is for one test.
campaign: setup
	$(BIN)/python -m pip install --quiet "pyspark>=4,<5"
	$(PYTEST) --campaign --hypothesis-profile=campaign -k "$(LARGE)"
	$(PYTEST) --campaign -m campaign -k "not ($(LARGE))"

# Not in setup: atheris, which has libFuzzer in it, comes for Linux and for few versions of Python.
fuzz: setup
	$(BIN)/python -m pip install --quiet atheris
	$(BIN)/python tests/store/fuzz.py -max_total_time=3600 -max_len=4096

# mypy wants the package as users have it: models/ and cli/ inside edge_icl/.
lint: setup
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	@mkdir -p build/lint/edge_icl
	@ln -sfn $(CURDIR)/edge_icl/* $(CURDIR)/models $(CURDIR)/cli build/lint/edge_icl/
	cd build/lint && $(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml -p edge_icl
	cd build/lint && $(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml $(CURDIR)/integrations/*/*.py
	cd build/lint && MYPYPATH=$(CURDIR)/benchmarks $(CURDIR)/$(BIN)/mypy \
		--config-file $(CURDIR)/pyproject.toml $(CURDIR)/benchmarks/*.py

docs: setup
	$(BIN)/python -m pdoc -d google -o build/docs edge_icl edge_icl.aio edge_icl.batch \
		edge_icl.sklearn edge_icl.langchain edge_icl.dspy edge_icl.models edge_icl.openai edge_icl.ray
	@echo "build/docs/index.html"

format: setup
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format --quiet .

mcpb:
	$(PYTHON) integrations/mcpb/build.py
	@ls dist/*.mcpb

# An environment of its own: the rivals bring a hundred packages.
$(BENCH)/.ready: pyproject.toml benchmarks/requirements.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BENCH)/bin/python -m pip install --quiet --editable . -r benchmarks/requirements.txt
	@touch $@

bench: $(BENCH)/.ready
	$(BENCH)/bin/edge-icl models fetch
	cd benchmarks && $(CURDIR)/$(BENCH)/bin/python bench.py --out ../build/bench.json

accuracy: setup
	$(BIN)/pip install --quiet "matplotlib>=3.10" "scikit-learn>=1.7"
	@mkdir -p build
	$(BIN)/edge-icl models fetch
	cd benchmarks && $(CURDIR)/$(BIN)/python forgetting.py
	cd benchmarks && $(CURDIR)/$(BIN)/python accuracy.py curves --out ../build/curves.jsonl
	cd benchmarks && $(CURDIR)/$(BIN)/python accuracy_report.py ../build/curves.jsonl
	cd benchmarks && $(CURDIR)/$(BIN)/python costs.py
	cd benchmarks && $(CURDIR)/$(BIN)/python frontier.py

# Not in setup: it has an environment of its own, for the programs that make wheels. See docs/releasing.md.
wheels:
	$(PYTHON) release/wheels.py

clean:
	rm -rf $(VENV) .demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
