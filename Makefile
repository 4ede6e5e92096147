# A thin front of packaging/bootstrap.py, which does the same where make is missing.
# Further arguments: make test ARGS="-k waterfall"
PYTHON ?= python3
ARGS ?=

.PHONY: run test bench package clean
run test bench package:
	@$(PYTHON) packaging/bootstrap.py $@ -- $(ARGS)

clean:
	rm -rf .venv build dist out *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
