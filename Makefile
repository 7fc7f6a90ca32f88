# make run: install, build, migrate and serve on http://127.0.0.1:8080
# make test: the whole suite; needs no server (what needs one is skipped with its reason). WORKERS=3 shares it among three processes
.PHONY: run test fuzz check lint bench lock clean help

NEW_ENOUGH := import sys; sys.exit(sys.version_info[:2] < tuple([3, 11]))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$p -c '$(NEW_ENOUGH)' >/dev/null 2>&1; then echo $$p; break; fi; done)
BIN := .venv/bin
WORKERS ?= 0
ASSETS := src/watchkeeper/console/static/dist/.vite/manifest.json
ASSET_SOURCES := $(shell find src/watchkeeper/console/assets -type f -not -path '*/node_modules/*' 2>/dev/null)

run: .venv/.run $(ASSETS)
	@exec $(BIN)/watchkeeper serve

test: .venv/.test $(ASSETS)
	@$(BIN)/pytest -q -n $(WORKERS) --no-loadscope-reorder $(ARGS)

# every decoder, WATCHKEEPER_FUZZ_SECONDS of a processor in all; ARGS="mail snmp" for some of them
fuzz: .venv/.test
	@$(BIN)/python -m tests.fuzz $(ARGS)

lint: .venv/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy src/watchkeeper

check: lint test

bench: .venv/.test $(ASSETS)
	@$(BIN)/python -m benchmarks $(ARGS)

lock: .venv/.test
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv src/watchkeeper/console/static/dist src/watchkeeper/console/assets/node_modules

$(BIN)/uv:
	@if [ -z "$(PYTHON)" ]; then echo "Watchkeeper needs Python 3.11 or newer: none was found. Say which with make PYTHON=/path/to/python3."; exit 1; fi
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv

.venv/.run: $(BIN)/uv requirements.lock pyproject.toml
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	$(BIN)/python -m compileall -q src
	@touch $@

.venv/.test: .venv/.run requirements-dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

# extras that have to be compiled: for CI, and for whoever works on them
.venv/.extras: .venv/.test
	$(BIN)/uv pip install --quiet --python $(BIN)/python -c requirements-dev.lock -e '.[ldap,libvirt]'
	@touch $@

$(ASSETS): .venv/.run $(ASSET_SOURCES) tools/build_assets.py
	@$(BIN)/python tools/build_assets.py
