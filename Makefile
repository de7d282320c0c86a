# make demo   sets up .venv, trains and tests on the bundled data, shows what it did
# make test   the same, then all tests
# make assignment   answers the assignment, question by question; 3 and 4 need LEXIGRAD_DATA=FOLDER (docs/assignment.md)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Kernels are cached per state of the sources: numba does not notice a change in a function that a kernel calls from another file.
SOURCES_HASH := $(shell find src -name '*.py' | sort | xargs cat | cksum | cut -d' ' -f1)
export NUMBA_CACHE_DIR := $(CURDIR)/.cache/numba-$(SOURCES_HASH)

.PHONY: demo test test-long assignment lint format bench clean

demo: $(VENV)/installed
	$(BIN)/lexigrad demo

test: demo $(VENV)/installed-test
	$(BIN)/python -m pytest -m "not long"
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest tests/machine tests/maths tests/losses tests/kernels/test_softmax_regression.py tests/kernels/test_dual_ascent.py -m "not long"

test-long: $(VENV)/installed-test
	$(BIN)/python -m pytest -m long -s -v

assignment: $(VENV)/installed
	$(BIN)/pip install --quiet -e '.[assignment]'
	$(BIN)/python examples/assignment/softmax.py
	$(BIN)/python examples/assignment/neural_network.py
	$(BIN)/python examples/assignment/word_vectors.py
	$(BIN)/python examples/assignment/sentiment.py

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed
	$(BIN)/pip install --quiet -e '.[bench]'
	$(BIN)/python -m benchmarks.peers
	$(BIN)/python -m benchmarks.train_classifier
	$(BIN)/python -m benchmarks.train_losses
	$(BIN)/python -m benchmarks.pretrained
	$(BIN)/python -m benchmarks.predict_classifier
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.mathematics
	$(BIN)/python -m benchmarks.accuracy
	$(BIN)/python -m benchmarks.sentiment
	$(BIN)/python -m benchmarks.initial
	$(BIN)/python -m benchmarks.tuning
	$(BIN)/python -m benchmarks.train_vectors
	$(BIN)/python -m benchmarks.similar_words
	$(BIN)/python -m benchmarks.vector_costs
	$(BIN)/python -m benchmarks.derivations
	$(BIN)/python -m benchmarks.fasttext_models
	$(BIN)/python -m benchmarks.quantization
	$(BIN)/python -m benchmarks.softmax_regression
	$(BIN)/python -m benchmarks.score_column
	$(BIN)/python -m benchmarks.score_files
	$(BIN)/python -m benchmarks.score_scaling
	$(BIN)/python -m benchmarks.score_memory
	$(BIN)/python -m benchmarks.score_error

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lexigrad needs Python 3.11 or newer: make PYTHON=python3.12 demo")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -e .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/pip install --quiet -e '.[test]'
	touch $@

clean:
	rm -rf $(VENV) .cache .bench build dist
