# Every target sets itself up in .venv: only make and Python 3.11, 3.12 or 3.13 with venv are needed.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= $(shell for v in python3.13 python3.12 python3.11 python3; do \
	$$v -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { echo $$v; break; }; done)
BIN := .venv/bin
INSTALLED := .venv/.installed
INSTALLED_UI := .venv/.installed-ui
INSTALLED_SCALE := .venv/.installed-scale
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-deps
HASHED := --require-hashes --only-binary :all:
export DO_NOT_TRACK := 1

.PHONY: test-cluster cluster scale planted-words redaction-quality chaos restore-drill suite help run test test-strangers test-ui dev check licences evaluate live storm crash-points outage probes mutants hostile fuzz bench batch-study \
	growth search-scale load-test soak report examples stop clean

help:  ## show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 20

$(INSTALLED): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 with venv is needed; install one or set PYTHON=." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked packages into .venv (once) ..."
# langdetect is published as source only. It is built by the setuptools that is locked; pip would fetch one of its own choice.
	@sed -n '/^setuptools==/,/[^\\]$$/p' requirements.lock > .venv/setuptools.lock
	@$(BIN)/python $(PIP_INSTALL) $(HASHED) -r .venv/setuptools.lock
	@$(BIN)/python $(PIP_INSTALL) $(HASHED) --no-binary langdetect --no-build-isolation -r requirements.lock
	@$(BIN)/python $(PIP_INSTALL) --no-build-isolation -e .
	@touch $@

run: $(INSTALLED)  ## ingest data/examples through Dagster, show documents, bill and one search
	@$(BIN)/tvdb ingest data/examples
	@echo
	@$(BIN)/tvdb budget
	@echo
	@echo 'Search: "What penalty applies on the Harbor PPO if nobody got approval before a CT scan?"'
	@$(BIN)/tvdb search -k 1 "What penalty applies on the Harbor PPO if nobody got approval before a CT scan?"

test: $(INSTALLED)  ## run the test suite
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tvdb_pipeline_tests/hostile

test-strangers: $(INSTALLED)  ## hostile files and 500 mutated ones, the small form of make hostile and make fuzz
	@$(BIN)/python -m pytest -n 2 --dist loadfile tvdb_pipeline_tests/hostile

$(INSTALLED_UI): requirements-ui.lock $(INSTALLED)
	@$(BIN)/python $(PIP_INSTALL) $(HASHED) -r requirements-ui.lock
	@touch $@

test-ui: $(INSTALLED_UI)  ## the Dagster UI in the machine's own Chromium: uploads, backfills, checks, plots
	@$(BIN)/python -m pytest tvdb_pipeline_tests/ui -rs $(if $(PICTURES),--pictures)

$(INSTALLED_SCALE): requirements-scale.lock $(INSTALLED)
	@$(BIN)/python $(PIP_INSTALL) $(HASHED) -r requirements-scale.lock
	@touch $@

test-cluster: $(INSTALLED_SCALE)  ## the main job on a cluster of two workers, uploads and artifacts in object storage; head, database and storage fail
	@$(BIN)/python -m pytest tvdb_pipeline_tests/cluster -n 0

cluster: $(INSTALLED_SCALE)  ## a cluster for trying on this machine: the UI on http://127.0.0.1:3000, two workers, a shared folder
	@mkdir -p -m 700 .tvdb .tvdb/shared
	@TVDB_RUN_LAUNCHER=ray TVDB_ARTIFACT_URL="$${TVDB_ARTIFACT_URL:-file://$(CURDIR)/.tvdb/shared}" $(BIN)/tvdb serve --workers 2

scale: $(INSTALLED_SCALE)  ## two workers and one killed, throughput of one and two, 10,000 queued among 100,000 and a million partitions
	@$(BIN)/python -m benchmarks.scale

dev: $(INSTALLED)  ## Dagster UI on http://127.0.0.1:3000 with daemon and upload sensor
	@$(BIN)/tvdb dev

suite: $(INSTALLED)  ## the tests once more, their outcome kept for the reports
	@$(BIN)/python -m benchmarks.suite

check: $(INSTALLED)  ## lint, types, and known vulnerabilities of what is locked
	@$(BIN)/ruff check tvdb_pipeline tvdb_pipeline_tests benchmarks data deploy
	@$(BIN)/ruff format --check tvdb_pipeline tvdb_pipeline_tests deploy
	@$(BIN)/pyright --pythonpath $(BIN)/python
	@$(BIN)/python -m deploy.supply_chain.advisories

licences: $(INSTALLED)  ## write docs/licences.md: the licence of every locked distribution
	@$(BIN)/python -m deploy.supply_chain.licences

evaluate: $(INSTALLED)  ## how well documents are read, against known truth, and how often search finds the answers
	@$(BIN)/python -m benchmarks.parsing_quality
	@$(BIN)/tvdb ingest data/examples >/dev/null
	@$(BIN)/python benchmarks/search_recall.py

live: $(INSTALLED)  ## three examples against the real provider, for a cent at most (needs OPENAI_API_KEY)
	@$(BIN)/python benchmarks/live.py

chaos: $(INSTALLED)  ## a deployment whose daemon, code server, workers and database are killed 60 times while 200 documents arrive
	@$(BIN)/python -m benchmarks.chaos

restore-drill: $(INSTALLED)  ## back up under load, destroy everything, restore, compare; flip bytes in copies of the backup
	@$(BIN)/python -m benchmarks.restore_drill

storm: $(INSTALLED)  ## many processes spend at once and are killed at random; ledger against bill
	@$(BIN)/python -m tvdb_pipeline_tests.resilience.storm

planted-words: $(INSTALLED)  ## words of documents, looked for wherever none may stand, after kills at every third named point
	@PLANTED_KILLS=3 $(BIN)/python -m pytest tvdb_pipeline_tests/test_planted_words.py -n 0

crash-points: $(INSTALLED)  ## a kill at every named point, then a restart
	@$(BIN)/python -m tvdb_pipeline_tests.resilience.crash_points

outage: $(INSTALLED)  ## the provider fails in the middle of 50 documents
	@$(BIN)/python -m tvdb_pipeline_tests.resilience.outage

probes: $(INSTALLED)  ## 16 processes and one circuit breaker
	@$(BIN)/python -m tvdb_pipeline_tests.resilience.probes

mutants: $(INSTALLED)  ## deliberate bugs that the tests must catch
	@$(BIN)/python -m tvdb_pipeline_tests.resilience.mutants

hostile: $(INSTALLED)  ## bombs, loops, traps and broken files through the pipeline, a good document between every two
	@$(BIN)/python -m tvdb_pipeline_tests.hostile.run

fuzz: $(INSTALLED)  ## 20,000 mutated documents through admission and parsing
	@$(BIN)/python -m tvdb_pipeline_tests.hostile.fuzz --runs 20000 --minutes 30

bench: $(INSTALLED)  ## ours and other systems on the same documents, and the lower bound; reports/performance.md (45 minutes)
	@$(BIN)/python -m benchmarks.performance

batch-study: $(INSTALLED)  ## documents a run, texts a request, index kept or made: seconds and requests of each
	@$(BIN)/python -m benchmarks.performance.batch_size

growth: $(INSTALLED)  ## the same work at 100, 1,000 and 10,000 documents, and Dagster's side of it
	@$(BIN)/python -m benchmarks.growth

search-scale: $(INSTALLED)  ## search among 10,000, 100,000 and 250,000 vectors: time and recall
	@$(BIN)/python -m benchmarks.search_at_scale

redaction-quality: $(INSTALLED)  ## what is taken out of texts before they are sent: recall and precision by kind
	@$(BIN)/python -m benchmarks.redaction_quality

load-test: $(INSTALLED)  ## 50 documents of up to 230 pages, several runs at once, a provider that refuses, a budget that is short
	@$(BIN)/python -m benchmarks.load

soak: $(INSTALLED)  ## 30 minutes of uploads that come, change and go; memory, connections and files watched
	@$(BIN)/python -m benchmarks.load.soak --minutes 30

report: $(INSTALLED)  ## write the five reports, their plots and reports/index.html from what was measured last
	@$(BIN)/tvdb report

examples:  ## draw data/examples anew, in an environment of its own
	@test -x .venv-examples/bin/python || $(PYTHON) -m venv .venv-examples
	@.venv-examples/bin/python $(PIP_INSTALL) $(HASHED) -r data/examples/drawing/requirements.lock
	@.venv-examples/bin/python data/examples/draw.py

stop: $(INSTALLED)  ## stop the embedded database
	@$(BIN)/tvdb stop

clean: ## remove the environment and everything under .tvdb
	@test ! -x $(BIN)/tvdb || $(BIN)/tvdb stop || true
	@rm -rf .venv .venv-examples .venv-peers .tvdb
