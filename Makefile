# Everything runs in .venv, made from the pinned requirements with their hashes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Each worker has a stack of its own; unit tests, which come last, fill the gaps. Stack tests wait more
# than they compute: three keep two processors busy.
WORKERS ?= 3
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder \
 --max-worker-restart 0
# of the processors, for test-slow
SHARE ?= 1/4

# Each test worker and service would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo admin key images test test-slow test-start test-debian test-upgrade test-provider test-clients test-compose test-kubernetes mutation histories faults soak check audit sbom release format generate texts requirements browser mail-servers promtool nginx curl faketime mmdebstrap bench redis clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.local ## The whole product on this machine, until Ctrl-C (ARGS=--once ends by itself, ARGS=--observe adds Prometheus and traces)
	@exec $(BIN)/python -m local.demo $(ARGS)

test: $(VENV)/.dev browser mail-servers promtool nginx curl ## All tests, on real Kafka, PostgreSQL, SMTP and Chromium (ARGS go to pytest)
	@$(PYTEST) $(ARGS) && echo "All tests passed."

test-slow: WORKERS = 1
test-slow: $(VENV)/.dev browser ## Browser and fault tests with a quarter of this machine's processors (as root)
	@$(BIN)/python -m tests.slow $(SHARE) $(PYTEST) $(or $(ARGS),tests/browser tests/faults)

test-start: $(VENV)/.local $(VENV)/.dev ## Demo and compose, started with a tenth of the processors (as root)
	@$(BIN)/python -m tests.slow 1/10 $(BIN)/python -m local.demo --once --base-port 21000 --data .data/slow \
	 && $(BIN)/python -m tests.compose --slow 0.1 $(ARGS)

test-debian: RELEASE ?= trixie
test-debian: mmdebstrap ## The README's two commands on a bare Debian, of this commit (as root; RELEASE=trixie, ARGS go to pytest)
	@mmdebstrap --quiet --variant=minbase --format=null \
	  --include=ca-certificates,git,make,python3,python3-venv \
	  --customize-hook='git clone -q . "$$1/root/einladung"' \
	  --customize-hook='! [ -d /usr/local/share/ca-certificates ] || cp -r /usr/local/share/ca-certificates "$$1/usr/local/share/"' \
	  --chrooted-customize-hook='update-ca-certificates >/dev/null 2>&1' \
	  --chrooted-customize-hook='cd /root/einladung && make demo ARGS=--once && make test ARGS="$(ARGS)"' \
	  $(RELEASE) -

test-upgrade: $(VENV)/.dev ## From the last release to this tree, replica by replica, with running traffic
	@EINLADUNG_UPGRADE=1 $(BIN)/python -m pytest tests/upgrade $(ARGS)

test-provider: $(VENV)/.dev browser ## The login against a real Keycloak, downloaded (160 MB)
	@$(BIN)/python -m tests.providers.keycloak && $(BIN)/python -m pytest tests/providers $(ARGS)

test-clients: $(VENV)/.dev ## Linters and generators of others at contracts/, and what they make against the stack (Node.js 20 or newer)
	@$(BIN)/python -m tests.clients && $(BIN)/python -m pytest tests/clients $(ARGS)

admin: ## Practices and keys, on the running demo or in compose (ARGS="practice list")
	@if docker compose ps --status running --services 2>/dev/null | grep -qx scheduling; \
	then exec docker compose run --rm admin $(ARGS); \
	elif [ -x $(BIN)/python ]; then exec $(BIN)/python -m local.admin $(ARGS); \
	else echo "Nothing runs here: make demo, or docker compose up." >&2; exit 1; fi

key: ## A key on the running demo, for another system: what it prints is for a shell (docs/integration.md)
	@if [ -x $(BIN)/python ]; then exec $(BIN)/python -m local.key $(ARGS); \
	else echo "Nothing runs here: make demo." >&2; exit 1; fi

images: ## Build one image for each service, the dashboard and the demo's own parts
	@docker compose build

test-compose: $(VENV)/.dev ## docker-compose.yml for real; gets an engine and stand-in images where there are none
	@$(BIN)/python -m tests.compose $(ARGS)

test-kubernetes: $(VENV)/.dev ## The Helm chart installed, used, scaled, upgraded on a Kubernetes (KUBECONFIG's, else one of our own, as root; its first build takes half an hour; ARGS=--api: dry runs alone)
	@$(BIN)/python -m tests.kubernetes $(ARGS)

mutation: $(VENV)/.dev ## Mistakes in the pure cores: whether their narrow tests notice (ARGS="links.py --sample 0")
	@$(BIN)/python -m tests.mutation $(ARGS)

histories: HISTORIES ?= 100000
histories: $(VENV)/.dev ## Histories of what happens, with repeats, loss, disorder, forgery and crashes (HISTORIES=100000)
	@HISTORIES=$(HISTORIES) $(PYTEST) -o faulthandler_timeout=0 $(ARGS) \
	  $$(find tests -name 'test_*histories.py')

faults: $(VENV)/.dev faketime ## Invite while everything is killed, paused and cut off; were all promises kept? (ARGS="--seed 1 --faults 200 --invitations 10000")
	@exec $(BIN)/python -m reliability.faults $(ARGS)

soak: $(VENV)/.dev ## Two hours of mixed load: memory, connections, tables, topics flat? (ARGS="--minutes 10"; as root on Linux)
	@exec $(BIN)/python -m reliability.soak $(ARGS)

check: $(VENV)/.dev ## Format, lint, types, generated files
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy \
	 && $(BIN)/python -m tools.generate --check \
	 && echo "All checks passed."

audit: $(VENV)/.dev ## Known vulnerabilities of the pinned packages (ARGS="--database FILE" asks a file, --required fails where none can be asked)
	@$(BIN)/pip check --disable-pip-version-check && $(BIN)/python -m tools.audit $(ARGS)

sbom: $(VENV)/.dev ## A bill of materials of each image (CycloneDX), in sbom/
	@$(BIN)/python -m tools.sbom $(ARGS)

release: $(VENV)/.dev ## What a release consists of, in dist/ (docs/releasing.md; ARGS="--without images" where no engine is)
	@$(BIN)/python -m tools.release $(ARGS)

format: $(VENV)/.dev ## Format and mend what can be mended
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

generate: $(VENV)/.dev ## Write JSON Schemas, AsyncAPI, OpenAPI and their pages anew from the code
	@$(BIN)/python -m tools.generate

texts: $(VENV)/.dev ## Bring texts for patients into the catalogues (LANGUAGE=it begins a new one)
	@pot=$$(mktemp) && $(BIN)/pybabel -q extract -F pyproject.toml -k say -k gettext_noop --no-location \
	    --omit-header --sort-output -o $$pot services chassis && \
	  for file in $(sort $(wildcard contracts/texts/*.po) $(LANGUAGE:%=contracts/texts/%.po)); do \
	  tag=$$(basename $$file .po); $(BIN)/pybabel -q update --init-missing --no-fuzzy-matching \
	    --ignore-obsolete --omit-header --no-wrap -i $$pot -o $$file -l $${tag%%-*} || exit 1; \
	done; rm -f $$pot

requirements: $(VENV)/.dev ## Pin the requirements anew
	@$(BIN)/pip install --quiet uv && for name in runtime tools local dev bench; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

bench: $(VENV)/.bench browser mail-servers redis ## Measure an invitation beside a peer: processor time, rate, latency, into bench/ (ARGS="end-to-end --without-peer")
	@$(BIN)/python -m benchmarks $(ARGS)

browser: ## Find Chromium for the browser tests, or install Debian's: the shell without its own windows
	@if command -v chromium-headless-shell >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && \
	  echo "Installing Chromium for the browser tests ..." && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends \
	    chromium-headless-shell fonts-dejavu-core libatomic1 >/dev/null; then :; \
	elif command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; then \
	  echo "The browser tests are three times slower than with chromium-headless-shell." >&2; \
	else echo "The browser tests need: apt-get install chromium-headless-shell libatomic1" >&2; exit 1; fi

mail-servers: ## Install Debian's Postfix and Dovecot for the tests of bounces (as root; not started)
	@if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then \
	  echo "Without root the tests with Postfix and Dovecot are skipped." >&2; \
	elif ! command -v postfix >/dev/null 2>&1 || ! [ -e /usr/lib/dovecot/lmtp ]; then \
	  echo "Installing Postfix and Dovecot for the tests of bounces ..."; \
	  apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    --no-install-recommends postfix dovecot-imapd dovecot-lmtpd >/dev/null; \
	fi

promtool: ## Install Debian's Prometheus for the tests of alerts (as root; not started)
	@if command -v promtool >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  echo "Installing Prometheus for the tests of alerts ..."; \
	  apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    --no-install-recommends prometheus >/dev/null; \
	else echo "Without promtool the alert rules are NOT tested." >&2; fi

nginx: ## Install Debian's nginx for the test of docs/production.md (as root; not started)
	@if command -v nginx >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  echo "Installing nginx for the test of docs/production.md ..."; \
	  apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    --no-install-recommends nginx-light >/dev/null; \
	else echo "Without nginx the proxy of docs/production.md is NOT tested." >&2; fi

curl: ## Install Debian's curl for the tests of what the guides say to type (as root)
	@if command -v curl >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  echo "Installing curl for the tests of what the guides say to type ..."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    --no-install-recommends curl >/dev/null; \
	else echo "The tests of what the guides say to type need: apt-get install curl" >&2; exit 1; fi

redis: ## Install Debian's Redis for the peer of make bench (as root; not started)
	@if command -v redis-server >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  echo "Installing Redis for the peer ..."; \
	  apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    --no-install-recommends redis-server >/dev/null; \
	else echo "Without Redis there is no peer: make bench ARGS=--without-peer" >&2; fi

faketime: ## Install Debian's faketime, so that make faults has clocks that are wrong (as root)
	@if ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  echo "Installing faketime for wrong clocks ..."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    --no-install-recommends faketime >/dev/null; \
	else echo "Without faketime no clock is wrong." >&2; fi

mmdebstrap: ## Install Debian's mmdebstrap for test-debian (as root)
	@command -v mmdebstrap >/dev/null 2>&1 || { echo "Installing mmdebstrap ..." && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null; }

clean: ## Remove the environment and the demo's data
	rm -rf $(VENV) .data sbom dist .mypy_cache .ruff_cache .pytest_cache .hypothesis soak bench

$(BIN)/pip:
	@echo "Making the environment in $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	 || { echo "Python 3.11 or newer is needed, as $(PYTHON)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 \
	      && apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; } \
	 || { echo "Python's venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.local: requirements/local.txt | $(BIN)/pip
	@echo "Installing what the demo needs ..."
	@$(BIN)/python tools/install.py $<
	@touch $@

$(VENV)/.dev: requirements/dev.txt | $(BIN)/pip
	@echo "Installing what tests and checks need ..."
	@$(BIN)/python tools/install.py $<
	@touch $@ $(VENV)/.local

$(VENV)/.bench: requirements/bench.txt | $(BIN)/pip
	@echo "Installing what the benchmarks need ..."
	@$(BIN)/python tools/install.py $<
	@touch $@ $(VENV)/.local
