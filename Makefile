# The two commands most people need: `make chat` and `make test`. All of them make the environment they need.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
CRUD := ../shared/evaldata/crud

.PHONY: env chat test check bench browser clean

env: $(READY)
	@WENCE_QUIET=1 $(BIN)/wence models prepare

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

chat: env
	@$(BIN)/wence serve --ingest samples/reports --collection samples --examples samples/questions.jsonl

test: env browser
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: env
	$(BIN)/python -m benchmarks.generators
	$(BIN)/python -m pip install --quiet bm25s==0.3.16
	@if [ -f $(CRUD)/corpus.jsonl ]; then \
	  $(BIN)/python -m benchmarks.terms $(CRUD)/corpus.jsonl $(CRUD)/questions.jsonl "$$(mktemp -d)"; \
	else echo "benchmarks.terms skipped: no $(CRUD)"; fi

# Chromium for the browser tests. Only as root on Debian; elsewhere those tests skip and say so.
browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium fonts-noto-cjk >/dev/null; } \
	  || echo "no Chromium: the browser tests will be skipped"

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis artefacts
