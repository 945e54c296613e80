# Everything here works on a fresh machine with Python 3.11 or newer and `make`.
PYTHON ?= python3
# What `make demo` and `make test` pass on: DEMO_ARGS="--once", PYTEST_ARGS="-k registry".
DEMO_ARGS ?=
PYTEST_ARGS ?=

VENV := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test coverage soak model lint format docs bench matrix ci clean

help:
	@echo "make demo     a real small model, real text, and the site on http://127.0.0.1:8000/"
	@echo "make test     the whole suite on SQLite (DATABASE_URL names another database)"
	@echo "make coverage what the last \`make test\` covered"
	@echo "make soak     the long runs: fuzzed answers and bills, hanging calls, rows edited under load (some minutes)"
	@echo "make model    install the real local model for the tests too (127 MB)"
	@echo "make lint     ruff, mypy, import-linter"
	@echo "make format   ruff's formatting and fixes"
	@echo "make docs     the documentation as HTML in docs/_build"
	@echo "make bench    what a call costs beside raw httpx: a table of ratios"
	@echo "make matrix   every supported Python and Django (needs the interpreters)"
	@echo "make ci       what continuous integration runs"
	@echo "make clean    remove .venv and what tools left behind"

demo:
	@$(PYTHON) tools/venv.py demo
	@exec $(VENV)/python -m example_project.demo $(DEMO_ARGS)

test:
	@$(PYTHON) tools/venv.py test
	@$(VENV)/python -m coverage erase
	$(VENV)/python -m coverage run -m pytest $(PYTEST_ARGS)

coverage:
	$(VENV)/python -m coverage combine --quiet
	$(VENV)/python -m coverage report

soak:
	@$(PYTHON) tools/venv.py test
	FUZZ_ROUNDS=10000 $(VENV)/python -m pytest -q tests/core/wire/test_fuzz.py tests/ledger/test_bill.py
	SOAK=1 $(VENV)/python -m pytest -q -rP tests/reliability/test_deadlines.py
	SCHEMATHESIS_CASES=200 $(VENV)/python -m pytest -q tests/api/test_schemathesis.py
	FRESHNESS_STEPS=1200 $(VENV)/python -m pytest -q tests/django_app/test_freshness.py -k no_process

model:
	@$(PYTHON) tools/venv.py model

lint:
	@$(PYTHON) tools/venv.py lint
	$(VENV)/python -m ruff check
	$(VENV)/python -m ruff format --check
	$(VENV)/python -m mypy
	$(VENV)/lint-imports

format:
	@$(PYTHON) tools/venv.py lint
	$(VENV)/python -m ruff check --fix
	$(VENV)/python -m ruff format

docs:
	@$(PYTHON) tools/venv.py docs
	$(VENV)/python -m sphinx -W --keep-going -q -b html docs docs/_build

bench:
	@$(PYTHON) tools/venv.py test
	$(VENV)/python -m benchmarks.overhead

matrix:
	@$(PYTHON) tools/venv.py matrix
	$(VENV)/python -m tox run

ci:
	.ci/run

clean:
	rm -rf .venv .tox build dist docs/_build .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
