# The two commands of the README are `make report` and `make test`; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
LAB := .venv-lab
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help env report test docs docs-links lab bench fuzz calibration lint notebooks data messages lock clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F '\t' '{printf "  make %-12s %s\n", $$1, $$2}'

env: $(READY)  ## make .venv from requirements.lock

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Fix: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

report: env  ## run every city in params/ and print where the pages are
	$(BIN)/vlr run

test: env  ## everything that proves that the kit works
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest

docs: env  ## make the site: build/docs/index.html; a warning is an error
	$(BIN)/python -m sphinx -q -W --keep-going -n -b html docs build/docs
	@echo build/docs/index.html

docs-links: env  ## try the links of the site that lead elsewhere; needs the network
	$(BIN)/python -m sphinx -q -b linkcheck docs build/docs-links

lab: $(LAB)/.ready  ## make .venv-lab with JupyterLab from requirements-lab.lock

$(LAB)/.ready: requirements-lab.lock pyproject.toml
	$(PYTHON) -m venv $(LAB)
	$(LAB)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-lab.lock
	$(LAB)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

bench: env  ## measure the speed beside the usual tools: ratios, half an hour
	$(BIN)/python tools/bench.py
	$(BIN)/python tools/bench_runs.py
	$(BIN)/python tools/bench_store.py
	$(BIN)/python tools/bench_import.py

fuzz: env  ## give every door 50,000 damaged files: some hours; goes on where it was stopped
	$(BIN)/python tools/fuzz.py

calibration: env  ## measure the error rates of every default on simulated series: some ten minutes
	$(BIN)/python tools/calibration.py

lint: env  ## format, and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

notebooks: env  ## refresh the stored outputs of the cells that nbval compares
	$(BIN)/python tools/notebooks.py

data: env  ## make the made-up city and datapackage.json again
	$(BIN)/python tools/made_up_city.py
	$(BIN)/python tools/datapackage.py

messages: env  ## collect what the kit says for the translators, and update the catalogues
	$(BIN)/python tools/messages.py

lock: env  ## make requirements.lock and environment.yml from pyproject.toml
	$(BIN)/python tools/dependencies.py

clean:  ## remove what the kit has made (.venv, .venv-lab, reports, caches)
	rm -rf $(VENV) $(LAB) reports build .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
