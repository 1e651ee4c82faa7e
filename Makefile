# The two commands of the README, and the ones behind them. Needs Python >= 3.11, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run test check lock

run: $(VENV)/run.stamp  ## start Fawen on SQLite with the simulator
	$(BIN)/fawen serve

test: $(VENV)/dev.stamp  ## run the tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

check: $(VENV)/dev.stamp  ## format, lint, types, import rules, FAQ
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/fawen kb check

$(VENV)/run.stamp: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	touch $@

$(VENV)/dev.stamp: requirements-dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	touch $@ $(VENV)/run.stamp

# Addresses of package servers stay out of the lock files: a site installs from its own mirror.
lock:
	uv pip compile pyproject.toml --group build --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 -o requirements.txt
	uv pip compile pyproject.toml --group build --group dev --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 -c requirements.txt -o requirements-dev.txt
