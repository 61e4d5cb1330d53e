# make        lint + types + floors + tests
# make demo   the main job, for real, in under a minute
# make test   the tests
# make soak   ten minutes of kill -9 under load, and an exact count
# make soak-long   an hour of everything at once, and whether memory, descriptors, threads and the store stay flat
# make test-slow   the tests that take long: kills at random moments, floods
# make test-faults   what hosts do to a daemon: calls refused at many places, files damaged at many, processes killed or stopped, disks full
# make test-browser   the pages in a real browser
# make test-systemd   fixes in a really booted systemd, in a container; as root
# make faults-page   every test that is named after a fault; docs/faults.md says how they ended
# make fuzz   hostile bytes to everything that reads them; tests/fuzz/README.md says more
# make simulate   the whole engine on simulated edges, with faults: SEEDS=5000, or SEED=123 to tell one of them again
# make test-pythons   a selection of the tests under each Python from 3.11 to 3.14 that can be had: VERSIONS="3.13 3.14", TESTS=...
# make test-duckdb   the tests of the store with DuckDB 1.5: DUCKDB=1.5.6, TESTS=...
# make audit  known vulnerabilities of what the locks name; NOT AUDITED (exit 3) where nobody can be asked
# make licences   docs/licences.md: which licence each package has; fails for one that may not be here
# make sbom   the list of parts (CycloneDX): in the wheel, and dist/logmedic-VERSION.cdx.json
# make wheel  wheel and sdist into dist/; make same-twice   builds them twice, and they are the same bytes
# make bench  everything measured beside its peers, for docs/performance.md
# make bench-client   what logmedic.client adds to a call, beside tenacity and pybreaker
# make client-wheel   logmedic.client alone, for the environments of applications: dist/logmedic_client-*.whl
# make deb    dist/logmedic_VERSION_ARCHITECTURE.deb; VERSION=0.2.0 calls it that; scripts/build-deb says more
# make bench-mining   how right the groups of unknown errors are, beside drain3, and a flood of new ones
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
KEEP ?=
# Tests start the daemon and its commands some thousand times; without kept bytecode each would compile all of it again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: all lint types test fuzz simulate test-slow test-faults test-browser test-systemd soak soak-long demo bench bench-client bench-mining client-wheel wheel same-twice sbom licences audit test-pythons test-duckdb deb locks setup setup-dev sandbox sandbox-dev schema packs-page metrics-page faults-page man vendor clean

all: lint types test

$(VENV)/bin/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "logmedic needs Python 3.11 or newer; try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

# One environment serves both: the marker says which lock it was made from. `demo` is content with either.
$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/uv
	@echo "setting up the development environment (hashed requirements-dev.lock)"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.dev $(VENV)/.run

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/uv
	@echo "setting up (hashed requirements.lock)"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.dev; touch $(VENV)/.run

setup: $(VENV)/.run sandbox
setup-dev: $(VENV)/.dev sandbox-dev

# Installs what fixes and tests need of the system, where it may; says so either way.
sandbox:
	@bash scripts/system-packages

sandbox-dev:
	@bash scripts/system-packages dev

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup-dev
	$(BIN)/mypy

# Three at a time: many tests wait for real programs.
test: setup-dev
	$(BIN)/python -m pytest -n 3 --dist worksteal -m "not slow"

# SWEEP=50: damage at so many places of a file.
test-slow: setup-dev
	@bash scripts/system-packages deb
	$(if $(SWEEP),SWEEP=$(SWEEP)) $(BIN)/python -m pytest -n 3 --dist worksteal -m slow

# Faults by the real means: strace, cgroups, loop file systems, signals. SWEEP=30: damage at so many places of a file.
test-faults: setup-dev
	$(if $(SWEEP),SWEEP=$(SWEEP)) $(BIN)/python -m pytest -n 3 --dist worksteal tests/faults

# What people see: chromium, headless. PICTURES=DIR keeps a screenshot of each page.
test-browser: setup-dev
	PICTURES=$(PICTURES) $(BIN)/python -m pytest tests/browser -rs -n 2 --dist loadfile

# The unit tier, the service, polkit: in a container that is booted for it and thrown away. As root; the first time it makes
# a small Debian in .systemd, for which it needs a network.
test-systemd: setup-dev
	@bash scripts/system-packages systemd
	@bash scripts/system-packages deb
	@bash scripts/booted-rootfs
	$(BIN)/python -m pytest tests/booted -rs -n 2 --dist loadfile

# MINUTES=30, KILLS=500 (at least so many), SEED=7 (the same lines and lives again).
soak: setup-dev
	PYTHONPATH=tests $(BIN)/python -m crash.soak

# MINUTES=60, SEED=7; WRITE=1 puts the figures into docs/performance.md.
soak-long: setup-dev
	PYTHONPATH=tests:. $(BIN)/python -m crash.longsoak $(if $(WRITE),--write)

# TARGET=rules,config (all), SECONDS=4 (a target), SEED=1; INPUT=file reads that one input again.
fuzz: setup-dev
	@PYTHONPATH=tests SECONDS=$(SECONDS) $(BIN)/python -m fuzz  # bash counts in that name, so it is said again

# Invariants I1 to I8 after each step; a seed that breaks one is printed, and can be told again.
simulate: setup-dev
	cd tests && PYTHONHASHSEED=0 ../$(BIN)/python -m simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),300) --first $(or $(FIRST),0))

demo: setup
	@KEEP=$(KEEP) $(BIN)/logmedic demo

# One scenario: .venv/bin/python -m benchmarks NAME; benchmarks/README.md lists them.
bench: setup-dev
	@bash scripts/system-packages bench
	$(BIN)/python -m benchmarks --write

bench-client: setup-dev
	$(BIN)/python -m benchmarks client

# LABELLED=DIR: CSVs with Content, EventId and EventTemplate; a made corpus without it.
bench-mining: setup-dev
	$(BIN)/python -m benchmarks mining mining-soak $(if $(LABELLED),--labelled $(LABELLED))

# What applications install: stamina is all that it needs.
client-wheel: setup-dev
	cd distributions/client && env -u SOURCE_DATE_EPOCH $(CURDIR)/$(BIN)/python -m hatchling build -t wheel -d $(CURDIR)/dist

# The same commit gives the same bytes.
deb: $(VENV)/.run
	@bash scripts/system-packages deb
	$(BIN)/python scripts/build-deb $(if $(VERSION),--version $(VERSION)) $(if $(STORE_FORM),--store-form $(STORE_FORM))

# The same sources give the same bytes: hatchling takes no time from the clock. What a build gets from outside is unset.
wheel: setup-dev
	env -u SOURCE_DATE_EPOCH $(BIN)/python -m hatchling build -t wheel -t sdist -d dist
	cd dist && sha256sum logmedic-*.whl logmedic-*.tar.gz

same-twice: setup-dev
	$(BIN)/python -m supply same-twice

# Both are kept beside the locks, and tests say when they are old: after `make locks`.
sbom: setup-dev
	$(BIN)/python -m supply sbom

licences: setup-dev
	$(BIN)/python -m supply licences

# LENIENT=--lenient: NOT AUDITED is told as loudly, and is no failure.
audit: setup-dev
	$(BIN)/python -m supply audit $(LENIENT)

test-pythons: setup-dev
	@bash scripts/test-pythons $(TESTS)

test-duckdb: setup-dev
	@bash scripts/test-duckdb $(TESTS)

schema: setup-dev
	$(BIN)/logmedic rules schema > docs/schema/rules-v1.json
	$(BIN)/logmedic config schema > docs/schema/config-v1.json
	$(BIN)/python -m logmedic.adapters.web.openapi > docs/schema/openapi-v1.json
	$(BIN)/python -m logmedic.adapters.web.apipage docs/api.md

# The page of the shipped packs, from the packs.
packs-page: setup-dev
	$(BIN)/python scripts/packs-page > docs/packs.md.new || { rm -f docs/packs.md.new; exit 1; }
	mv docs/packs.md.new docs/packs.md

# The tables of docs/metrics.md, from core/figures.
metrics-page: setup-dev
	$(BIN)/python scripts/metrics-page

# docs/faults.md: runs every test that is named after a fault, and writes how they ended. RUN= writes the page alone;
# RUN='--run F40 I6' runs those of some, RUN='--run --no-boot' all but those of a booted container.
RUN ?= --run
faults-page: setup-dev
	PYTHONPATH=tests $(BIN)/python -m faultbook $(RUN)

# The scripts that the dashboard serves itself, from npm: pinned, and checked by their sha512.
vendor:
	@bash scripts/vendor

# The man pages, from the help of the commands.
man: setup-dev
	rm -f man/*.1
	$(BIN)/python scripts/man-pages man

# Free of download addresses on purpose: hashes alone say what is installed.
locks: $(VENV)/bin/uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate pyproject.toml --group build --group demo -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate pyproject.toml --group build --group demo --group dev -o requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
