# Everything a person needs is a target here; CI calls the same ones.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help install serve test lint clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(VENV)/installed  ## make .venv with everything the other targets need

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[service,embedded,dev]'
	@touch $@

serve: install  ## run the chat service on http://127.0.0.1:8000 (HOST, PORT, WORKERS, DATABASE_URL)
	@exec $(BIN)/python -m service serve

test: install  ## run the test suite on a real PostgreSQL
	$(BIN)/python -m pytest

lint: install  ## ruff and mypy, strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:  ## remove what the other targets made, but not .data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build *.egg-info
