# Two commands: `make report` runs the study in config.yaml, `make test` runs the tests. `make help` lists all.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

FITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
# The first suitable Python on this machine.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c "$(FITS)" 2>/dev/null && echo $$python && break; done)
# Where pip finds a build of torch, such as --extra-index-url …: the plain index has the CUDA build.
PIP_ARGS ?=
CORES ?= all
STUDY ?= config.yaml
CONFIG ?=
V ?=
CLAIMS ?= $(shell grep -l "^claims:" workflow/studies/*.yaml)

VENV := .venv
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" PYTHONPATH="$(CURDIR)/workflow$${PYTHONPATH:+:$$PYTHONPATH}"
PIP_INSTALL := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check
LINTED := workflow tests docs
SNAPSHOTS = $(shell grep -rl '== prose' --include='test_*.py' tests/unit)
OVERRIDES := $(if $(CONFIG),--config $(CONFIG))

.PHONY: help
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 21
	echo
	echo "Variables: STUDY=$(STUDY)  CONFIG='seeds=50 epochs=500'  CORES=$(CORES)  PYTHON=$(PYTHON)"
	echo "           V=1 shows Snakemake's own output of make report"
	echo "           PIP_ARGS='--extra-index-url …' where pip finds torch's build for the CPU"

.PHONY: report
report: $(VENV)/ready  ## train what is missing of the study, and render its report
	@exec env $(RUN) python -m bnbench run --configfile $(STUDY) $(OVERRIDES) --cores $(CORES) $(if $(V),--verbose)

.PHONY: claims
claims: $(VENV)/ready  ## run the studies of the literature's claims, and render reports/claims
	@for study in $(CLAIMS); do
		echo "==> $$study"
		$(RUN) snakemake --cores $(CORES) --configfile $$study --quiet rules progress
	done
	echo "==> The page of the claims"
	$(RUN) python -m bnbench claims $(CLAIMS)

.PHONY: plan
plan: $(VENV)/ready  ## say what the study would cost and what it could detect
	@$(RUN) python -m bnbench plan --configfile $(STUDY) $(OVERRIDES) --cores $(CORES)

.PHONY: rebuild
rebuild: $(VENV)/ready  ## render the report again from existing results, without training
	@$(RUN) python -m bnbench rebuild --configfile $(STUDY) $(OVERRIDES)

.PHONY: test
test: $(VENV)/ready-test  ## run the tests
	@echo "==> Running the tests (unit tests, workflow runs, the report in a browser)"
	# Two files at a time, those that take longest first.
	$(RUN) python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: snapshots
snapshots: $(VENV)/ready-test  ## update the stored sentences of the tests; review them with git diff
	@echo "==> Writing what the sentences say today"
	$(RUN) python -m pytest -q --snapshot-update --snapshot-declaration-order $(SNAPSHOTS)
	git --no-pager diff --stat -- 'tests/**/__snapshots__'

.PHONY: gpu
gpu: $(VENV)/ready-test  ## test and measure all that needs a GPU, in eight minutes (see docs/gpu.md)
	$(RUN) python tests/gpu/run.py

.PHONY: test-cluster
test-cluster: $(VENV)/ready-test  ## run the tests on SLURM, installed and started on this machine first (as root)
	@echo "==> Running the tests on a SLURM cluster"
	$(RUN) timeout -k 60 3600 python -m pytest -q tests/cluster

.PHONY: image
image:  ## build the container image with apptainer, podman or docker (see containers/build.sh)
	@containers/build.sh

.PHONY: test-container
test-container: $(VENV)/ready-test  ## run the tests on a container image, built first (as root)
	@echo "==> Running the tests in the image"
	$(RUN) timeout -k 60 3600 python -m pytest -q tests/container

.PHONY: lint
lint: $(VENV)/ready-test  ## check format, types and the workflow's style
	@echo "==> Format and lint"
	$(RUN) ruff format --check $(LINTED)
	$(RUN) ruff check $(LINTED)
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) snakefmt --check Snakefile workflow/rules
	$(RUN) snakemake --lint

.PHONY: format
format: $(VENV)/ready-test  ## format the code
	$(RUN) ruff check --fix-only $(LINTED)
	$(RUN) ruff format $(LINTED)
	$(RUN) snakefmt Snakefile workflow/rules

.PHONY: docs
docs: $(VENV)/ready  ## write the pages of docs/ that follow from the schemas
	@$(RUN) python docs/generate.py

.PHONY: bench
bench: $(VENV)/ready-bench  ## measure training, the pipeline, growth, the report of a large study, and how often verdicts err
	@echo "==> Measuring; leave the machine alone for an hour"
	$(RUN) python tests/benchmarks/training_speed.py
	$(RUN) python tests/benchmarks/late_epochs.py
	$(RUN) python tests/benchmarks/modular_speed.py --write
	$(RUN) python tests/benchmarks/held_once.py --write
	$(RUN) python tests/benchmarks/cost_model.py
	$(RUN) python tests/benchmarks/cuda_cost_model.py
	$(RUN) python tests/benchmarks/checkpoint_cost.py
	$(RUN) python tests/benchmarks/pipeline_cost.py
	$(RUN) python tests/benchmarks/wall_time.py
	$(RUN) python tests/benchmarks/scale.py
	$(RUN) python tests/benchmarks/planning_speed.py
	$(RUN) python tests/benchmarks/rebuild_scale.py --write
	$(RUN) python tests/benchmarks/own_results.py --write
	$(RUN) python tests/benchmarks/calibration.py
	$(RUN) python tests/benchmarks/calibration_scales.py
	$(RUN) python tests/benchmarks/calibration_tuning.py
	$(RUN) env PYTHONPATH=workflow:tests/unit python tests/benchmarks/calibration_exploratory.py
	$(RUN) python tests/benchmarks/calibration_trajectories.py

.PHONY: example
example: example-page claims  ## bring reports/example, which README.md and docs/claims.md quote, up to date
	cp reports/claims/claims.md reports/example/

.PHONY: example-page
# The default study as it is, whatever else the command line says.
example-page: override STUDY := config.yaml
example-page: override OVERRIDES :=
example-page: report  ## the same without the claims: the page of the default study, with all that it links to
	@echo "==> Bringing reports/example up to date"
	# A report that is there may be of earlier code.
	$(RUN) python -m bnbench rebuild --configfile $(STUDY)
	rm -rf reports/example/figures reports/example/tables
	mkdir -p reports/example/data
	cp -r reports/default/{figures,tables,index.html,verdicts.json} reports/example/
	cp reports/default/data/newest.json reports/example/data/

.PHONY: lock
lock: $(VENV)/ready-test  ## pin the newest allowed versions of everything that is needed
	@compile="python -m piptools compile -q --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --no-header"
	$(RUN) $$compile --extra train --output-file containers/requirements.lock pyproject.toml
	$(RUN) $$compile --extra train --extra test --constraint containers/requirements.lock --output-file tests/requirements.lock pyproject.toml
	$(RUN) $$compile --extra train --extra bench --constraint tests/requirements.lock --output-file tests/benchmarks/requirements.lock pyproject.toml
	# The build for the CPU names itself "+cpu"; the pin is the release, whatever it was built for.
	sed -i 's/+cpu$$//' containers/requirements.lock tests/requirements.lock tests/benchmarks/requirements.lock

.PHONY: clean
clean:  ## remove the environment and everything that can be made again, but no results
	rm -rf $(VENV) build .snakemake .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/ready: containers/requirements.lock
	@echo "==> Making the environment in $(VENV): a few minutes, once"
	stop() { echo "make: $$*; then give the same command again" >&2; exit 1; }
	[ -n "$(PYTHON)" ] || stop "no Python 3.11, 3.12 or 3.13 was found: install one, or name one with PYTHON=…"
	$(PYTHON) -c "" || stop "PYTHON=$(PYTHON) does not run: install it, or name another of 3.11 to 3.13"
	$(PYTHON) -c "$(FITS)" || stop "PYTHON=$(PYTHON) is $$($(PYTHON) -V): name one of 3.11 to 3.13"
	$(PYTHON) -c "import ensurepip, venv" || stop "install Python's venv (on Debian: apt-get install $(notdir $(PYTHON))-venv)"
	# An environment that is a link belongs to another clone, and so does the package in it.
	linked() { [ -L $(VENV) ]; }
	{ linked || $(PYTHON) -m venv $(VENV); } && $(PIP_INSTALL) $(PIP_ARGS) --requirement containers/requirements.lock ||
		stop "fix the error above (the environment takes 1.7 GB, with CUDA's libraries 5.4 GB)"
	linked || $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/ready-test: $(VENV)/ready tests/requirements.lock
	@echo "==> Adding the test tools to $(VENV)"
	$(PIP_INSTALL) $(PIP_ARGS) --requirement tests/requirements.lock
	touch $@

$(VENV)/ready-bench: $(VENV)/ready-test tests/benchmarks/requirements.lock
	@echo "==> Adding what the benchmarks compare with to $(VENV)"
	$(PIP_INSTALL) $(PIP_ARGS) --requirement tests/benchmarks/requirements.lock
	touch $@
