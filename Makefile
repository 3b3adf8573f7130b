# Seven targets.  PYTHON is the interpreter of an environment with `pip install -e ".[dev]"`.
PYTHON ?= .venv/bin/python
export PYTHONPATH := $(CURDIR)

check: ## format, lint, types, import contracts, quick tests; what CI runs
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(dir $(PYTHON))lint-imports
	$(PYTHON) -m pytest -q

fmt: ## format and apply safe fixes
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

test: ## every test, long ones too
	$(PYTHON) -m pytest -q -m ""

sim: ## crash and fault simulation; SEED=1,2,3 chooses the runs
	SIM_SEED=$(or $(SEED),1) $(PYTHON) -m pytest -q -m "" tests/simulation tests/property

golden: ## rewrite golden digests and bytes; review the diff
	$(PYTHON) -m pytest -q tests/golden --update

snapshots: ## redraw the golden screens and the README's pictures; review the diff
	$(PYTHON) -m tests.snapshots.redraw
	$(PYTHON) -m tests.snapshots.pictures docs/pictures

serve: ## the local exchange without a dashboard
	$(PYTHON) -m tradecli demo --headless

.PHONY: check fmt test sim golden snapshots serve
