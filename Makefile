# make demo         the full pipeline on bundled data: vectors, analogies, a text classifier
# make test         all tests
# make fuzz         damaged files of every kind: COUNT=1000000 readings, or MINUTES=60
# make test-peers   gensim's own tests on our classes; downloads gensim
# make test-browser the site, and the pages that commands write, in headless Chromium
# make check        lint, format, types
# make docs         the site of the documentation, build/site/html; runs every chapter of the course
# make torture      every long command killed, interrupted and with faults in its files; half an hour
# make bench        every comparison with other libraries; BENCH="--quick word2vec" for a part
# make bench-check  every benchmark on small inputs: a crash or a wrong result fails
#
# Each installs what it needs into .venv. To use another interpreter: make test PYTHON=python3.13

PYTHON ?= python3
VENV ?= .venv
PACKAGES = wordvec seqclf corpora cli

ifeq ($(OS),Windows_NT)
BIN = $(VENV)/Scripts
else
BIN = $(VENV)/bin
endif

# Public data sets for the accuracy tests, which are skipped without them.
WORDVEC_DATA ?= $(if $(wildcard ../shared/data/.),$(CURDIR)/../shared/data)
ifneq ($(strip $(WORDVEC_DATA)),)
export WORDVEC_DATA
endif

# One worker per core, at most four, because every worker compiles the same kernels. In their own order, because files
# of few tests would come last, and some of those take minutes.
PYTEST = $(BIN)/python -m pytest -q -n auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
DEMO = demo-output
# Print a command as it would be typed, then run it.
run = @printf '\n$$ %s\n' '$(1)'; PATH="$(CURDIR)/$(BIN):$$PATH" $(1)

.PHONY: demo torture bench bench-check test test-all test-minimum test-peers test-browser suite kernels-as-python kernels-with-bounds kernels-anywhere examples
.PHONY: check format clean fuzz docs docs-fast

test: suite kernels-as-python kernels-with-bounds kernels-anywhere examples

# Branch coverage is taken in this one run; the floor is fail_under in pyproject.toml.
suite: $(VENV)/installed-test
	$(PYTEST) --cov --cov-report= tests
	@printf 'branch coverage outside kernels: '; $(BIN)/coverage report --format=total | sed 's/$$/ %/'
	@$(BIN)/coverage report >/dev/null

kernels-as-python: $(VENV)/installed-test
	NUMBA_DISABLE_JIT=1 $(PYTEST) -m "not slow" tests/kernels

# Numba's cache does not distinguish code compiled with bounds checks.
kernels-with-bounds: $(VENV)/installed-test
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR="$(CURDIR)/$(VENV)/numba-boundscheck" $(PYTEST) -m "not slow" tests/kernels

# Compiled for a generic processor, without optional instruction sets.
kernels-anywhere: $(VENV)/installed-test
	NUMBA_CPU_NAME=generic NUMBA_CACHE_DIR="$(CURDIR)/$(VENV)/numba-generic" \
		$(PYTEST) tests/kernels/test_simd.py tests/kernels/test_tile.py tests/kernels/test_negative_sampling.py

# The examples in docstrings and on the pages of docs.
examples: $(VENV)/installed-test
	WORDVEC_CACHE="$(CURDIR)/$(VENV)/cache" $(PYTEST) --doctest-modules --doctest-glob="*.md" --ignore=docs/examples \
		$(PACKAGES) docs

# TORTURE="--kills 10 --only tag" for a part.
torture: $(VENV)/installed-test
	$(BIN)/python tests/torture.py $(TORTURE)

# Mutated files of every kind, in processes that may crash; new faults and their inputs are saved in .fuzzing/faults.
fuzz: $(VENV)/installed-test
	$(BIN)/python -m tests.fuzzing.campaign --count $(or $(COUNT),1000000) --minutes $(or $(MINUTES),60) $(FUZZ)

demo: $(VENV)/installed-test
	@mkdir -p $(DEMO)
	$(call run,train-embeddings sample:english --tokenizer words --lowercase -o $(DEMO)/vectors.safetensors)
	$(call run,word-analogy $(DEMO)/vectors.safetensors king - man + woman --top 5)
	$(call run,wordvec neighbors $(DEMO)/vectors.safetensors paris --top 5)
	$(call run,word-analogy $(DEMO)/vectors.safetensors --questions sample:english-questions)
	$(call run,classify-text train sample:disasters --vectors $(DEMO)/vectors.safetensors -o $(DEMO)/model.safetensors --test sample:disasters-test --baselines)
	$(call run,classify-text predict $(DEMO)/model.safetensors "Evacuation ordered after the river burst its banks" "My kitchen is a disaster area after baking")

bench: $(VENV)/installed-bench
	$(BIN)/python -m benchmarks $(BENCH)

# Every benchmark once, on small inputs, without peers. Skipped: benchmarks that use their own compilation cache or
# train to convergence.
bench-check: $(VENV)/installed-test
	$(BIN)/python -m benchmarks --quick --repeats 1 --no-peers --skip startup --skip net_costs --skip classification \
		-o $(VENV)/bench-check

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PACKAGES) wordvec_seqclf.py

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# A warning is an error. The fast one shows the recorded outputs instead of running the chapters.
docs: $(VENV)/installed-docs
	$(BIN)/python docs/build_site.py

docs-fast: $(VENV)/installed-docs
	$(BIN)/python docs/build_site.py --fast

# Pages of the site in headless Chromium: errors of scripts, and widths.
test-browser: docs-fast
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[report]'
	$(BIN)/python -m pytest -q -rs -m browser tests

# The whole suite on every supported Python of this machine, each in an environment of its own.
test-all:
	@failed=; for python in $$($(PYTHON) tests/interpreters.py); do \
		name=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		printf '\n== Python %s: %s\n' "$$name" "$$python"; \
		$(MAKE) --no-print-directory test PYTHON="$$python" VENV=".venv-$$name" || failed="$$failed $$name"; \
	done; if [ -n "$$failed" ]; then printf '\nfailed on Python%s\n' "$$failed"; exit 1; fi

# The suite with the least versions that setup.cfg names.
test-minimum:
	$(PYTHON) -m venv .venv-minimum
	.venv-minimum/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test]' \
		$$($(PYTHON) tests/minimum_requirements.py)
	.venv-minimum/bin/python -m pytest -q -n auto --maxprocesses=4 --dist=loadfile tests

# gensim's own tests, imported from its wheel, on our classes; tests/peers/gensim_suites/gaps.py lists those that do not pass.
# Some of them exchange files with fastText's command, which is built from its source.
test-peers:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test]' gensim testfixtures POT
	-.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check fasttext  # needs a C++ compiler
	-.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check lime shap
	-.venv-peers/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
		-d .venv-peers/fasttext fasttext && \
		tar -xzf .venv-peers/fasttext/*.tar.gz -C .venv-peers/fasttext && \
		$(CXX) -O1 -std=c++17 -pthread -include cstdint .venv-peers/fasttext/*/src/*.cc -o .venv-peers/bin/fasttext
	FT_HOME=$(CURDIR)/.venv-peers/bin .venv-peers/bin/python -m pytest -q tests/peers

clean:
	rm -rf $(VENV) .venv-* $(DEMO) benchmark-results build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzzing

# Stamp files: reinstall when the packaging metadata changes.
$(VENV)/installed-test: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

$(VENV)/installed-bench: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[plotting]'
	@touch $@

$(VENV)/installed-docs: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@
