# Everything is done from here; `make` alone lists it. On a fresh machine it needs a Python >= 3.12.

PORT ?= 8000
LISTEN ?= 127.0.0.1
ARGS ?=

python := .venv/bin/python
manage := $(python) manage.py
runtime := .venv/requirements.txt
tools := .venv/requirements-dev.txt
schemathesis := .venv-schemathesis/requirements-schemathesis.txt
catalogues := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/django.po))
static := var/static/staticfiles.json

# Two processes per pass: tests spend much of their time waiting for a browser, a broker or another process.
pytest := -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Tests and checks don't depend on the .env of the machine. They start many processes, for which the
# code is compiled once.
settings := PYTHONDONTWRITEBYTECODE= DEBUG=false HTTPS=false ALLOWED_HOSTS=localhost TRUSTED_PROXIES=0 CSRF_TRUSTED_ORIGINS= \
	CACHE_URL=locmemcache:// RENDER_EXTERNAL_HOSTNAME= SITE_URL= EMAIL_URL= MAIL_FROM= SMS_PROVIDER= \
	LOG_FORMAT= METRICS_TOKEN= METRICS_ALLOW= WORKER_METRICS= SENTRY_DSN= OTEL_EXPORTER_OTLP_ENDPOINT= KAFKA_BOOTSTRAP_SERVERS= KAFKA_REQUESTS_TOPIC= KAFKA_OPTIONS={} WEBHOOK_ALLOW_PRIVATE=false \
	SECRET_KEY=a-key-for-tests-and-checks-that-signs-nothing-which-matters-0123456789
on_sqlite := $(settings) DATABASE_URL=sqlite:///var/unused.sqlite3
in_production := $(settings) HTTPS=true DATABASE_URL=postgres://mesto@localhost/mesto \
	CACHE_URL=redis://localhost:6379/1 SITE_URL=https://mesto.example \
	EMAIL_URL=smtp+tls://mesto:password@localhost:587

# Links in mail lead to where the site is served, unless .env says otherwise.
site_url = grep -q '^SITE_URL=' .env || export SITE_URL="$${SITE_URL:-http://$(LISTEN):$(PORT)}"

.PHONY: help run dev worker cluster test attack chaos contested chaos-mutants check lock messages architecture schemas container sbom audit coverage screenshots clean port database FORCE
.PHONY: style imports types migrations translations drawings diagrams declared configuration deployment api
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

# An empty site beside the demo: a database of its own, and a link for becoming its owner.
ifdef EMPTY
export DATABASE_URL := sqlite:///var/empty.sqlite3
begin = $(site_url); $(manage) owner
else
begin = $(manage) demo --logins
endif

run: port database $(static) ## serve the site on http://127.0.0.1:8000 (PORT=8010 make run; EMPTY=1 make run)
	@$(begin)
	@echo
	@echo "Site   http://$(LISTEN):$(PORT)/"
	@echo "Admin  http://$(LISTEN):$(PORT)/admin/"
	@echo "Ctrl-C stops it."
	@echo
	@$(site_url); LISTEN=$(LISTEN) PORT=$(PORT) exec $(python) scripts/serve.py

dev: port database ## the same with reloading and errors in the browser
	@$(begin)
	@$(site_url); DEBUG=true exec $(manage) runserver $(LISTEN):$(PORT)

worker: database ## work through the queues: bookings to decide, mail, webhooks, Kafka
	@$(site_url); exec $(manage) worker

cluster: $(runtime) $(catalogues) $(static) | var ## a whole cluster on this machine: 3 databases, balancer, web nodes, workers
	@exec $(python) -m chaos.cluster $(ARGS)

# What pytest makes of the tests' files is kept beside them. In a fresh folder all four processes would
# make it at once, each of all files: ten seconds of a processor every time.
rewritten = ls accounts/tests/__pycache__/*-pytest-*.pyc >/dev/null 2>&1

test: $(tools) $(catalogues) | var ## the whole suite on SQLite and on PostgreSQL (ARGS="-k cancel")
	@$(rewritten) || { \
		$(on_sqlite) $(python) -m pytest --collect-only -q chaos config >/dev/null & \
		$(on_sqlite) $(python) -m pytest --collect-only -q accounts bookings notifications spaces >/dev/null; \
		wait; \
	}
	@status=0; \
	$(settings) DIVIDED=1 $(python) scripts/postgres.py -- $(python) $(pytest) $(ARGS) >var/postgresql.log 2>&1 & \
	beside=$$!; trap 'kill $$beside; wait $$beside; exit 1' INT TERM; \
	echo "=== Tests on SQLite (those on PostgreSQL run beside them) ==="; \
	$(on_sqlite) DIVIDED=1 $(python) $(pytest) $(ARGS) || status=1; \
	echo "=== Tests on PostgreSQL ==="; \
	wait $$beside || status=1; \
	cat var/postgresql.log; \
	exit $$status

chaos: $(tools) $(catalogues) $(static) | var ## break a whole cluster again and again while a crowd books (ARGS="--short")
	@exec $(python) -m chaos nemesis $(ARGS)

contested: $(tools) | var ## 10,000 rounds of 32 members for one place on each database (ARGS="--rounds 200")
	@$(on_sqlite) $(python) -m chaos contested $(ARGS)

chaos-mutants: $(tools) | var ## break the application on purpose, a promise at a time: who notices? (minutes)
	@$(settings) $(python) -m chaos mutants $(ARGS)

attack: $(tools) $(catalogues) $(static) | var ## attack a site of its own on PostgreSQL: 100,000 mutated requests and more (ARGS="--requests 1000")
	@$(settings) $(python) scripts/postgres.py -- $(python) -m attacks $(ARGS)

check: style imports types migrations translations drawings diagrams declared deployment api ## everything but the tests (-k: don't stop at the first)

style: $(tools)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

imports: $(tools)
	.venv/bin/lint-imports --no-logo

types: $(tools) | var
	@$(on_sqlite) .venv/bin/mypy .

migrations: $(tools) | var
	@$(on_sqlite) $(manage) makemigrations --check --dry-run
	@$(settings) $(python) scripts/postgres.py -- $(manage) check_migrations

translations: $(tools)
	$(python) scripts/messages.py check

drawings: $(tools)
	@$(on_sqlite) $(python) scripts/architecture.py check
	@$(on_sqlite) $(python) scripts/event_schemas.py check

# Needs Node.js and npm, and says so where there are none.
diagrams: | var
	@scripts/diagrams/check.sh

declared: $(tools)
	@$(python) scripts/configuration.py check

deployment: $(tools)
	@$(in_production) $(manage) check --deploy --fail-level WARNING

api: $(tools) $(schemathesis) $(catalogues) $(static) | var
	@$(settings) $(python) -m scripts.fuzz_api $(ARGS)

lock: $(runtime) ## regenerate the lock files (ARGS=--upgrade for newer versions)
	@compile=".venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.12 \
		--custom-compile-command 'make lock' $(ARGS)"; \
	eval "$$compile requirements.in -o requirements.txt" && \
	eval "$$compile requirements-dev.in -c requirements.txt -o requirements-dev.txt" && \
	eval "$$compile requirements-schemathesis.in -o requirements-schemathesis.txt" && \
	eval "$$compile requirements-uv.in -o requirements-uv.txt"

messages: $(runtime) ## update the Russian catalogue from the code
	@$(python) scripts/messages.py extract
	@$(python) scripts/messages.py compile

architecture: $(runtime) ## update the drawings and tables of docs/architecture.md from the code
	@$(on_sqlite) $(python) scripts/architecture.py write

schemas: $(runtime) ## update the schemas of events in docs/schemas from the code
	@$(on_sqlite) $(python) scripts/event_schemas.py write

configuration: $(runtime) ## update docs/configuration.md and .env.example from config/declared
	@$(python) scripts/configuration.py write

screenshots: $(tools) $(catalogues) | var ## take the pictures of the pages
	@$(settings) $(python) -m scripts.screenshots $(ARGS)

container: $(tools) ## lint the Dockerfile and the workflows, and run the steps of the image here
	@$(python) -m scripts.container

sbom: $(tools) | var ## write what is in it to var/sbom.json (CycloneDX)
	@$(python) -m cyclonedx_py requirements requirements.txt --of JSON --output-reproducible -o var/sbom.json
	@echo "var/sbom.json"

audit: $(tools) ## ask whether a locked package has a known hole (needs the index's own service)
	@$(python) -m pip_audit --strict --require-hashes --disable-pip -r requirements.txt

# By sys.monitoring, for a few percent of the time; `make test` goes without.
coverage: $(tools) $(catalogues) | var ## run the suite on SQLite and fail if less is covered than before
	@$(on_sqlite) COVERAGE_CORE=sysmon $(python) -m coverage run $(pytest) $(ARGS)
	@$(python) -m coverage combine -q && $(python) -m coverage json -q -o var/coverage.json
	@$(python) scripts/coverage_gate.py var/coverage.json var/coverage/before.json

clean: ## remove everything that can be rebuilt; the database and .env stay
	rm -rf .venv .venv-schemathesis var/static var/test.sqlite3* $(catalogues)
	rm -rf .hypothesis .schemathesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

port: $(runtime)
	@$(python) scripts/check_port.py $(LISTEN) $(PORT)

database: $(runtime) $(catalogues) .env | var
	@$(manage) migrate --no-input --verbosity 0

# The script touches its target only when the lock has changed.
.venv/%.txt: %.txt FORCE
	@scripts/venv.sh .venv $<

.venv-schemathesis/%.txt: %.txt FORCE
	@scripts/venv.sh .venv-schemathesis $<

.env: | $(runtime)
	@umask 077 && key=$$($(python) -c 'import secrets; print(secrets.token_urlsafe(50))') && \
	sed "s/^SECRET_KEY=$$/SECRET_KEY=$$key/" .env.example >$@.tmp && mv $@.tmp $@

%.mo: %.po | $(runtime)
	@$(python) scripts/messages.py compile

$(static): $(runtime) $(shell find static -not -name '.*') | .env
	@echo "Collecting static files"
	@DEBUG=false $(manage) collectstatic --no-input --clear --verbosity 0

var:
	@mkdir -p $@

FORCE:
