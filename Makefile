# Everything happens in .venv, with the versions in requirements.lock.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin

# What is compiled stays compiled: tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup serve test check format bench lock clean

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tessera needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

serve: setup
	$(BIN)/tessera serve --port $(PORT)

test: setup
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) --no-print-directory test

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup .venv/bench
	@for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

.venv/bench: pyproject.toml | setup
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable '.[bench]' && touch $@

lock:
	$(PYTHON) -m venv .venv/lock
	.venv/lock/bin/pip install --quiet pip-tools
	.venv/lock/bin/pip-compile --quiet --upgrade --extra dev --strip-extras --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
	  --output-file requirements.lock pyproject.toml

clean:
	rm -rf .venv .tessera build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
