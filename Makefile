# Two commands do everything: `make demo` and `make test`. Both set up .venv themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 3
ARGS ?=
PACKAGES := facility ingest rules ticketing simulators dashboards plantroom

.DEFAULT_GOAL := help
.PHONY: help demo test check soak bench docs site dist pins sbom clean

help:
	@echo "make demo   the whole system with a simulated building; prints the address (Ctrl-C ends it)"
	@echo "make test   the whole suite"
	@echo "make check  lint, types, import contracts, house rules"
	@echo "make soak   the long matrices; writes their tables into docs/"
	@echo "make bench  measures speed; prints the figures"
	@echo "make dist   the wheel and the source archive, in dist/"
	@echo "make site   docs as a web site in build/site"

$(VENV)/core: requirements/core.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Plantroom needs Python 3.11 or newer; set PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/core.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/dev: $(VENV)/core requirements/server.txt requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	@touch $@

demo: $(VENV)/core
	@exec $(BIN)/plantroom demo $(ARGS)

test: $(VENV)/dev
	$(BIN)/python -m pytest -n $(WORKERS) -m "not soak" $(ARGS)

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml --severity-level medium $(PACKAGES)
	@$(BIN)/python requirements/audit.py --program $(BIN)/pip-audit --stamp $(VENV)/audited --day $$(date -u +%F)
	$(BIN)/python -m pytest -q tests/house

# What is in the image, for who has to look it up: CycloneDX.
sbom: $(VENV)/dev
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file build/sbom.json requirements/server.txt

soak: $(VENV)/dev
	$(BIN)/python -m pytest -n 0 -m soak --hypothesis-profile=search $(ARGS)

bench: $(VENV)/dev
	$(BIN)/python -m bench $(ARGS)

# Write the reference pages that are generated from the code.
docs: $(VENV)/core
	$(BIN)/python -m plantroom.reference docs

# The pages of docs as a site, from files alone. Open build/site/index.html; to search in it, let something serve it.
site: $(VENV)/dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo "build/site/index.html; with search: python3 -m http.server --directory build/site"

# The wheel is built from the source archive, so that who has only that gets the same.
dist:
	rm -rf build/dist dist && $(PYTHON) -m venv build/dist
	build/dist/bin/pip install --quiet --disable-pip-version-check build
	build/dist/bin/python -m build .
	@ls -l dist

# Solve the ranges of pyproject.toml and dev.in anew and write the exact versions with the hash of every file of each;
# ARGS=--keep adds what is missing and leaves the rest.
pins:
	rm -rf build/pins && $(PYTHON) -m venv build/pins
	build/pins/bin/pip install --quiet --disable-pip-version-check uv
	build/pins/bin/python requirements/pins.py --uv build/pins/bin/uv $(ARGS)
	rm -rf build/pins

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
