# `make mnist` and `make test` need Python 3.11 or newer, make and git; they set up the rest in .venv.
# With another interpreter:  make test PYTHON=python3.12 VENV=.venv312      With arguments:  make test ARGS="-k conv -x"

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
OUT ?=
ARGS ?=
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help mnist test test-full quick test-nojit test-bounds test-registers test-slow browser oracle bench docs lint figures results types format clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

mnist: $(VENV)/.examples ## train a convolutional network on MNIST; results go to runs/mnist
	$(BIN)/numpycnn train mnist $(if $(OUT),--out $(OUT)) $(ARGS)

test: $(VENV)/.test ## run the tests and the examples in the docstrings, in two processes
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-full: $(VENV)/.test ## run the tests with ten times as many drawn configurations
	NUMPYCNN_FULL=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

QUICK := plain fast functional layers losses optim test_checks.py test_backends.py test_signatures.py

quick: $(VENV)/.test ## run the tests of operations and layers, in about a minute, as before each commit
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "not oracle" $(addprefix tests/,$(QUICK)) $(ARGS)

COMPILED := tests/kernels tests/fast

test-nojit: $(VENV)/.test ## run the tests of the fast backend and its kernels uncompiled, as plain Python
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest $(COMPILED) $(ARGS)

test-bounds: $(VENV)/.test ## run the same tests with every index checked
	@cache=$$(mktemp -d) && trap 'rm -rf "$$cache"' EXIT && \
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR="$$cache" $(BIN)/python -m pytest $(COMPILED) $(ARGS)

test-registers: $(VENV)/.test ## run the same tests as on processors with smaller registers
	@cache=$$(mktemp -d) && trap 'rm -rf "$$cache"' EXIT && export NUMBA_CACHE_DIR="$$cache" && \
	NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=+avx,+avx2,+fma $(BIN)/python -m pytest $(COMPILED) $(ARGS) && \
	NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES= $(BIN)/python -m pytest $(COMPILED) $(ARGS)

test-slow: $(VENV)/.test ## train by the default recipe, classify a hundred drawings, and train networks for large images
	NUMPYCNN_SLOW=1 $(BIN)/python -m pytest tests/explain/test_drawings.py tests/test_benchmarks.py $(ARGS)

browser: $(VENV)/.browser ## install Playwright, with which some tests operate pages in Chromium

oracle: $(VENV)/.bench ## install PyTorch, with which some tests compare

bench: $(VENV)/.bench ## compare with PyTorch on an idle machine, in about half an hour, into benchmarks/results.md
	$(BIN)/python benchmarks/run_all.py $(ARGS)

docs: $(VENV)/.docs ## build the documentation, examples included, into docs/_build/html; ARGS="-D plot_gallery=0" skips them
	$(BIN)/sphinx-build -W --keep-going -j auto -b html $(ARGS) docs docs/_build/html

lint: $(VENV)/.dev ## check style, format, types, words, and the order of imports
	$(BIN)/python tools/check_words.py
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

figures: $(VENV)/.examples ## draw the figures of the documentation
	$(BIN)/python docs/make_figures.py
	$(BIN)/python docs/visualize_figures.py
	$(BIN)/python docs/tour_figures.py
	$(BIN)/python docs/augmentation_figures.py
	$(BIN)/python docs/recipe_figures.py

results: $(VENV)/.examples ## run the recipes again, three seeds each, in about four hours, into docs/results.md
	$(BIN)/python docs/make_results.py $(ARGS)

types: $(VENV)/.dev ## check the types alone
	$(BIN)/mypy

format: $(VENV)/.dev ## sort the imports and format the code
	$(BIN)/ruff check --select I --fix
	$(BIN)/ruff format

clean: ## remove the environments and all caches, but no results
	rm -rf $(VENV) .venv-ci .venv-ci-digits build dist docs/_build docs/gallery docs/api/generated .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find numpycnn tests -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp per extra of pyproject.toml: installed once, and again when that file changes.
$(VENV)/.examples $(VENV)/.test $(VENV)/.browser $(VENV)/.bench $(VENV)/.dev $(VENV)/.docs: $(VENV)/.%: pyproject.toml $(VENV)/.created
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$*]'
	@touch $@

WANTED = import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

$(VENV)/.created:
	@$(PYTHON) -c '$(WANTED)' 2>/dev/null || { \
	echo "numpycnn needs Python 3.11 or newer, for which numba has wheels, with its venv module; '$(PYTHON)' says: $$($(PYTHON) -V 2>&1 | head -n 1)." \
	"Name another, as in  make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@
