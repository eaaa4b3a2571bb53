# Everything a person needs is a target here; CI calls the same ones.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help install serve test lint docs conformance conformance-all image-test package-test release compare micro clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{sub(/:.*/, "", $$1); printf "  make %-16s %s\n", $$1, $$2}'

install: $(VENV)/for-all  ## make .venv with everything the other targets need

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; name another: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

# To serve takes a fraction of what the tests need, so that a first look comes sooner.
$(VENV)/for-serving: pyproject.toml | $(BIN)/python
	$(PIP) 'pip>=25.1'  # which knows dependency groups
	$(PIP) -e '.[all]' --group service --group embedded
	@touch $@

$(VENV)/for-all: pyproject.toml $(VENV)/for-serving
	$(PIP) -e '.[all]' --group service --group embedded --group comparison --group docs --group dev
	@touch $@

serve: $(VENV)/for-serving  ## run the chat service on http://127.0.0.1:8000 (HOST, PORT, WORKERS, DATABASE_URL)
	@exec $(BIN)/python -m service serve

test: install  ## the test suite on all cores (ONLY='tests/service -k search', SHARDS=4, ORDER=random SEED=7)
	$(BIN)/python -m tests.shards $(ONLY)

lint: install  ## ruff and mypy, strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: install  ## the documentation as a site in site/, which needs no network (index.html)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

conformance: install  ## CPython's own asyncio tests, on the event loop that is the gevent hub
	$(BIN)/python -m tests.conformance

conformance-all: conformance  ## the same, and the runtime's own tests, on every Python that is here
	$(BIN)/python -m tests.conformance.every

image-test: install  ## build the container image, run it, stop it (as root, with buildah and debootstrap)
	$(BIN)/python -m tests.image

package-test: install  ## build wheel and sdist, look inside, and use the wheel where nothing else is
	$(BIN)/python -m pytest tests/package

release: install  ## build wheel and sdist, check them, and say what is left to do
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*
	DIST=dist $(BIN)/python -m pytest tests/package
	@$(BIN)/python -m tests.package dist

compare: install  ## the lab: this and its peers side by side, about half an hour (QUICK=1, CLAIM=C1, ONLY=go,node)
	$(BIN)/python -m comparison run $(if $(QUICK),--quick) $(if $(CLAIM),--claim $(CLAIM)) $(if $(ONLY),--only $(ONLY))

micro: install  ## what single parts cost: a request's layers, the pool, the workers, the loop, a task; about 8 minutes
	for part in layers flask_calls postgres worker asgi tasks bridge loop outside connections; do $(BIN)/python -m comparison.micro.$$part || exit 1; done

clean:  ## remove what the other targets made, but not .data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist site *.egg-info
