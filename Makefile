# Two commands matter: `make reproduce` and `make test`. Each is all that a fresh clone needs.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
# The pip that Python 3.9 brings makes no editable installs without a setup.py.
PIP := pip==25.0.1
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e

# The interpreter: $PYTHON where it is given, else the first of these that is 3.9-3.11.
CANDIDATES := $(if $(PYTHON),"$(PYTHON)",python3.11 python3.10 python3.9 python3)
SUPPORTED := import sys; sys.exit(not (3, 9) <= sys.version_info[:2] <= (3, 11))
INTERPRETER := $(shell for p in $(CANDIDATES); do \
	"$$p" -c '$(SUPPORTED)' 2>/dev/null && { echo "$$p"; break; }; done)
ITS_VERSION := import sys; print("%d.%d" % sys.version_info[:2])
VERSION := $(if $(INTERPRETER),$(shell "$(INTERPRETER)" -c '$(ITS_VERSION)'),none)

# Debian packages are installed only by root, or by a sudo that asks nothing.
APT_INSTALL = command -v apt-get >/dev/null && \
	SUDO=$$([ "$$(id -u)" = 0 ] || { command -v sudo >/dev/null && echo sudo -n || echo false; }) && \
	{ $$SUDO apt-get -qq update && $$SUDO apt-get -qq install -y --no-install-recommends $(1); } >/dev/null 2>&1
IMPORT_MXNET = $(BIN)/python -W ignore -c 'import mxnet'

NOTEBOOKS := $(patsubst %.py,%,$(wildcard notebooks/*.py))
# Kernels read nobody's own settings, leave nothing in the checkout, and give the records' bits.
KERNELS = IPYTHONDIR="$$PWD/$(VENV)/ipython" MPLBACKEND= PYTHONWARNINGS= OMP_NUM_THREADS=1

# The site has an environment of its own: it needs neither MXNet nor a Python that MXNet has.
SITE := .venv-site
MATHJAX := 3.2.2
FORMULAS := _build/mathjax/tex-svg-full.js

.PHONY: help install data reproduce notebooks $(NOTEBOOKS) shelf explore site test test-slow lint constraints clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

# A .venv of this Python is used as it is; one of ours of another Python is made anew.
$(VENV)/.python-$(VERSION):
	@if [ -z "$(INTERPRETER)" ]; then echo "No Python 3.9, 3.10 or 3.11 among: $(CANDIDATES)." \
	"MXNet 1.9.1 needs numpy 1.23, which exists for these only; install one or set PYTHON=/path/to/it." >&2; exit 1; fi
	@"$(INTERPRETER)" -c 'import ensurepip' 2>/dev/null || { $(call APT_INSTALL,python$(VERSION)-venv); } || \
	{ echo "$(INTERPRETER) makes no virtual environments: sudo apt install python$(VERSION)-venv" >&2; exit 1; }
	@if [ -e $(VENV) ] && [ "$$($(BIN)/python -c '$(ITS_VERSION)' 2>/dev/null)" != $(VERSION) ]; then \
	ls $(VENV)/.python-* >/dev/null 2>&1 || { echo "$(VENV) is not of Python $(VERSION) and not made by make: move it away" >&2; exit 1; }; \
	rm -rf $(VENV); fi
	[ -e $(VENV) ] || "$(INTERPRETER)" -m venv $(VENV)
	@rm -f $(VENV)/.python-*; touch $@

$(VENV)/.base: $(VENV)/.python-$(VERSION) setup.cfg pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP)
	$(INSTALL) .
	@$(IMPORT_MXNET) 2>/dev/null || { $(call APT_INSTALL,libgomp1 libquadmath0) && $(IMPORT_MXNET); } || \
	{ echo "MXNet does not load; its libraries: sudo apt install libgomp1 libquadmath0" >&2; exit 1; }
	@touch $@

# The fast net is compiled here, or each of the test processes would.
$(VENV)/.test: $(VENV)/.base
	$(INSTALL) '.[test]'
	@$(BIN)/python -W ignore -c 'from d2l_lrsched.nets.fast import fast_lenet; fast_lenet()'
	@touch $@

$(VENV)/.notebooks: $(VENV)/.base
	$(INSTALL) '.[notebooks]'
	@touch $@

install: $(VENV)/.base ## the virtual environment and the pinned packages

data: $(VENV)/.base ## find Fashion-MNIST; where it is missing, get it from apt or by download
	@$(BIN)/d2l-lrsched data --no-fetch >/dev/null 2>&1 || { $(call APT_INSTALL,dataset-fashion-mnist); } || true
	@$(BIN)/d2l-lrsched data

reproduce: $(VENV)/.base data ## train the chapter's five runs: figures and records into results/chapter, the table printed
	$(BIN)/d2l-lrsched reproduce

notebooks: $(NOTEBOOKS) ## make every notebook from its .py, run it and save it; one: make notebooks/NAME

# --update keeps the ids of cells that did not change. A failure leaves the old notebook. Answers are
# for the teacher: `make shelf`.
NEW = $(@D)/.$(@F).new.ipynb
$(NOTEBOOKS): $(VENV)/.notebooks data
	@rm -f $(NEW); [ ! -e $@.ipynb ] || cp $@.ipynb $(NEW)
	@$(BIN)/jupytext --quiet --update --to ipynb --output $(NEW) $@.py && \
	PYTHONSTARTUP= $(KERNELS) $(BIN)/jupyter-nbconvert --log-level WARN --to notebook --inplace \
	--TagRemovePreprocessor.enabled=True --TagRemovePreprocessor.remove_cell_tags=answer \
	--execute --ExecutePreprocessor.timeout=3600 --ExecutePreprocessor.record_timing=False $(NEW) && \
	mv $(NEW) $@.ipynb && echo $@.ipynb || { rm -f $(NEW); exit 1; }

shelf: $(VENV)/.notebooks ## questions, answers, glossary and Vietnamese figures for the class; notebooks with answers in _build
	$(BIN)/python teaching/make.py
	MPLBACKEND=agg $(BIN)/python -W ignore teaching/figures.py

explore: $(VENV)/.base ## drag any schedule's parameters in the browser
	$(BIN)/d2l-lrsched explore

$(SITE)/.installed: docs/requirements.txt
	"$(INTERPRETER)" -m venv --clear $(SITE)
	$(SITE)/bin/python -m pip install --quiet --disable-pip-version-check -r docs/requirements.txt
	@touch $@

# The site's readers ask no other host for it.
$(FORMULAS): docs/mathjax.sha256
	@command -v npm >/dev/null || { echo "npm is needed for MathJax: sudo apt install npm" >&2; exit 1; }
	@mkdir -p $(@D)
	cd $(@D) && npm pack --silent mathjax@$(MATHJAX) && \
	tar -xzmf mathjax-$(MATHJAX).tgz --strip-components=1 package/LICENSE && mv LICENSE mathjax-license.txt && \
	tar -xzmf mathjax-$(MATHJAX).tgz --strip-components=2 package/es5/tex-svg-full.js && \
	rm mathjax-$(MATHJAX).tgz && sha256sum --check --quiet "$(CURDIR)/docs/mathjax.sha256"

# Nothing is kept from the last build, for Sphinx warns only of pages that it reads.
site: $(SITE)/.installed $(FORMULAS) ## the notebooks, the studies' pages and the API as a website in _build/site
	@rm -rf _build/site _build/new
	for language in en vi; do $(SITE)/bin/sphinx-build -q -E -W --keep-going -t $$language -c docs \
	-d _build/doctrees/$$language . _build/new/$$language || exit 1; done
	$(SITE)/bin/python -m docutils docs/index.rst _build/new/index.html
	@rm -r _build/new/jupyter_execute
	PYTHONPATH=. $(SITE)/bin/python docs/check.py _build/new
	@mv _build/new _build/site; echo _build/site/index.html

# A module's tests share fixtures, so they run in one of the two processes. The notebooks are first,
# for they are long. What Python compiles is kept, for a hundred processes load it.
test: $(VENV)/.test data lint ## check style, types and behaviour, in minutes
	@command -v chromedriver >/dev/null || { $(call APT_INSTALL,chromium chromium-driver); } || true
	PYTHONDONTWRITEBYTECODE= PYTHONSTARTUP="$$PWD/tests/few_images.py" $(KERNELS) $(BIN)/python -m pytest \
	-n 2 --dist loadfile --no-loadscope-reorder --nbmake notebooks/*_en.ipynb tests

test-slow: $(VENV)/.test data ## the tests that take longer
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.test ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

constraints: $(VENV)/.base ## choose every version anew: constraints.txt, docs/requirements.txt
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.9 --all-extras --no-annotate \
	--upgrade --custom-compile-command 'make constraints' setup.cfg -o constraints.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.9 --no-annotate \
	--upgrade --custom-compile-command 'make constraints' docs/requirements.in -o docs/requirements.txt

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) $(SITE) build _build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
