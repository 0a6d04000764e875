# EpSpot. `make help` lists what can be done; everything but help and clean sets up .venv first.

PYTHON ?= python3
SAM ?= sam
PREFIX ?= epspot

PY := .venv/bin/python
STAMP := .venv/.installed
PEERS := .venv-bench/.installed
TEMPLATES := template.yaml infra/*.yaml iot/*.yaml

.DEFAULT_GOAL := help
.PHONY: help setup run test lint bench build deploy clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Create .venv with everything locked (PYTHON=python3.12 chooses the interpreter)

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo "EpSpot needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --requirement requirements/dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

run: $(STAMP) ## Start the whole system on this machine, with a simulated site (ARGS=--help tells more)
	$(PY) -m infra.local.demo $(ARGS)

test: $(STAMP) ## Run all tests, with coverage (ARGS="-k name" chooses)
	$(PY) -m pytest --numprocesses=2 --dist=loadgroup --cov --cov-report=term $(ARGS)

lint: $(STAMP) ## Check style, types, who imports whom, and the templates
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/cfn-lint $(TEMPLATES)

bench: $(STAMP) $(if $(filter allocation delivery,$(or $(ONLY),allocation)),$(PEERS)) ## Measure, into build/bench/ (ONLY=allocation measures one area)
	$(PY) -m tests.bench $(ONLY)

# What EpSpot is compared with is large, so it stands apart; without it the other figures are measured all the same.
$(PEERS): requirements/bench.txt
	@{ $(PYTHON) -m venv .venv-bench && .venv-bench/bin/python -m pip install --quiet \
		--disable-pip-version-check --requirement requirements/bench.txt && touch $@; } || \
		echo "The peers can't be installed, so the figures that compare with them are left out." >&2

build: $(STAMP) ## Build for AWS, into build/sam/
	@command -v $(SAM) > /dev/null || { \
		echo "The AWS SAM CLI is missing: pip install aws-sam-cli in an environment of its own," >&2; \
		echo "then name it: make $(MAKECMDGOALS) SAM=/where/it/is/bin/sam" >&2; exit 1; }
	PYTHON="$(CURDIR)/$(PY)" $(SAM) build --build-dir build/sam

deploy: build ## Deploy to the AWS account that you are signed in to (PREFIX=epspot names the environment)
	$(SAM) deploy --template-file build/sam/template.yaml --stack-name $(PREFIX) --resolve-s3 \
		--capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND --parameter-overrides Prefix=$(PREFIX) $(ARGS)

clean: ## Remove what was built and cached; .venv stays
	rm -rf build .aws-sam .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
