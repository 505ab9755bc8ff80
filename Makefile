# One environment, made by any target that needs it. `make demo` and `make test` need nothing but Python, make and git.
PY := .venv/bin/python
SETUP := .venv/.ready

.PHONY: demo demo-once run test test-slow test-postgres test-browser screenshots test-processes check fmt bench simulate lock clean

demo: $(SETUP)
	$(PY) manage.py demo $(if $(PORT),--port $(PORT))

demo-once: $(SETUP)
	@$(PY) manage.py demo --once

run: $(SETUP)
	$(PY) manage.py run $(if $(PORT),--port $(PORT))

# What is marked slow is listed in CONTRIBUTING.md, and has a target of its own.
test: $(SETUP)
	$(PY) -m pytest -n 2 --dist loadfile -m "not browser and not slow"

# Many random worlds, broken rules, whole processes: what takes more than three seconds.
test-slow: $(SETUP)
	$(PY) -m pytest -n 2 --dist worksteal -m "slow and not browser"

# Every page in Chromium; skipped, saying so, where there is none.
test-browser: $(SETUP)
	$(PY) -m pytest tests/browser -m browser

# The pictures of README and docs, from a seeded shop; or with EVERY=folder, every page, light, dark and on a phone.
screenshots: $(SETUP)
	$(PY) -m tests.browser.screenshots $(if $(EVERY),--every $(EVERY))

# What asks a database, on a Postgres that is made for it and removed again (it comes with the development requirements). Of what is
# slow, what is marked for every database.
test-postgres: $(SETUP)
	$(PY) -m tests.postgres -n 2 --dist loadfile -m "not browser and (not slow or every_database)"

check: $(SETUP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy .
	.venv/bin/lint-imports
	$(PY) manage.py makemigrations --check --dry-run
	.venv/bin/deptry .

fmt: $(SETUP)
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: $(SETUP)
	$(PY) -m tests.bench

# Whole installations (Postgres, Redis, web, workers, beat), killed and stopped under customers' feet. LONG=1 goes on for minutes,
# with faults drawn by SEED.
test-processes: $(SETUP)
	EVENSTOCK_TEST_PROCESSES=1 LONG=$(LONG) SEED=$(SEED) $(PY) -m pytest tests/processes -s -q

# Random worlds over the product's own code; a failing SEED replays. See docs/simulation.md.
simulate: $(SETUP)
	@$(PY) -m tests.simulation --runs $(or $(RUNS),20) --seed $(or $(SEED),0)

# Hashed, with no registry's address in it: the same file works behind any mirror.
lock: $(SETUP)
	.venv/bin/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --group dev --extra demo pyproject.toml -o requirements-dev.txt $(LOCK)
	.venv/bin/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  pyproject.toml -c requirements-dev.txt -o requirements.txt

# uv installs in seconds; where it can't be had, pip does the same more slowly.
$(SETUP): requirements-dev.txt
	@test -x $(PY) || python3 -m venv .venv
	@$(PY) -m pip install -q --disable-pip-version-check uv || true
	@if test -x .venv/bin/uv; then \
	  .venv/bin/uv pip install -q --python $(PY) --require-hashes -r requirements-dev.txt; \
	else $(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt; fi
	@touch $@

clean:
	rm -rf .venv var
