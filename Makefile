# Everything a developer or an operator trying C3i needs; `make help` lists it.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

CACHE := $(shell scripts/cache-folder)
WITH_ENV := scripts/with-env
WEB := agentdesk/web
WEB_FILES := $(shell find $(WEB) -type f -not -path '*/node_modules/*' -not -path '*/dist/*')
GO_FILES = $(wildcard $(shell git ls-files -co --exclude-standard '*.go'))

GOLANGCI_LINT = $(CACHE)/tools/golangci-lint
GOFUMPT = $(CACHE)/tools/gofumpt

# What `make test` passes to go test, so that `make test GO_TEST_FLAGS=-short PACKAGES=./routing/...` narrows it.
PACKAGES ?= ./...
GO_TEST_FLAGS ?=

.PHONY: help run test bench bench-records lint fmt web check-config clean setup-run setup-test

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

run: bin/c3i ## start everything on this machine and print its addresses (Ctrl-C drains and stops it)
	$(WITH_ENV) bin/c3i up

test: setup-test web ## type checks, unit tests, vet, race tests and end-to-end tests
	if [ -e $(WEB)/package.json ]; then cd $(WEB) && npm run --silent typecheck && npm test --silent; fi
	go vet ./...
	$(WITH_ENV) go test -race -count=1 -timeout 20m -p 2 $(GO_TEST_FLAGS) $(PACKAGES)

bench: setup-test web ## compare C3i, app_queue and a bare ARI program on one Asterisk, and time engine, records, mail
	$(WITH_ENV) go run ./e2e/bench

bench-records: setup-test ## time searches, screen-pops and timelines at 1 M people and 3 M contacts (12 GB, 10 minutes)
	$(WITH_ENV) go run ./e2e/bench --parts records --record-people 1000000 --record-contacts 3000000

lint: $(GOLANGCI_LINT) $(GOFUMPT) setup-run ## golangci-lint, formatting and the front end's type check
	@unformatted=$$($(GOFUMPT) -l $(GO_FILES)); if [ -n "$$unformatted" ]; then printf 'not formatted (make fmt):\n%s\n' "$$unformatted"; exit 1; fi
	$(GOLANGCI_LINT) run ./...
	if [ -e $(WEB)/package.json ]; then cd $(WEB) && npm run --silent typecheck; fi

fmt: $(GOFUMPT) ## format the Go code
	$(GOFUMPT) -w $(GO_FILES)

web: $(WEB)/dist/index.html ## build the front end

check-config: bin/c3i ## check the configuration, the plan and the flows
	$(WITH_ENV) bin/c3i check

clean: ## remove what was built here (the cache folder stays)
	rm -rf bin e2e/artefacts
	if [ -d $(WEB)/dist ]; then find $(WEB)/dist -mindepth 1 ! -name .gitkeep -delete; fi

setup-run:
	scripts/setup run

setup-test:
	scripts/setup test

# Go itself knows what has changed.
.PHONY: bin/c3i
bin/c3i: web setup-run
	go build -trimpath -o $@ ./cmd/c3i

# Before the front end has a package.json there is nothing to build, and the desk serves its stub page.
$(WEB)/dist/index.html: $(WEB_FILES) | setup-run
	if [ -e $(WEB)/package.json ]; then cd $(WEB) && npm run --silent build; fi

# The tools have a module of their own, so that their dependencies stay out of the product's.
$(GOLANGCI_LINT): tools.mod tools.sum
	mkdir -p $(@D)
	go build -modfile=tools.mod -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(GOFUMPT): tools.mod tools.sum
	mkdir -p $(@D)
	go build -modfile=tools.mod -o $@ mvdan.cc/gofumpt
