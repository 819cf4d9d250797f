# What can be made of m2m: `make help` lists it. CI runs lint, test and vm-test.
SHELL := /bin/bash
SWIFT ?= swift
JOBS  ?= $(shell nproc)
# The compiler's own look at imports; Tests/ArchitectureTests sees what it does not.
FLAGS  = --jobs $(JOBS) --explicit-target-dependency-import-check error
BUILD  = $(SWIFT) build $(FLAGS)

# What the programs are built with, beside Swift itself: the same list as in README.md.
PACKAGES      = libgpiod-dev libi2c-dev libssl-dev libsqlite3-dev libtomlplusplus-dev
LINT_PACKAGES = clang-format shellcheck

PROGRAMS = m2m-agent m2m-router m2m
SHELL_SCRIPTS = $(shell grep -lE '^\#!.*sh$$|^\# shellcheck shell' -r Scripts .ci)

.DEFAULT_GOAL := help
.PHONY: help demo test vm-test build bench lint format need

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: need ## a router, a simulated greenhouse, live readings, a switch and a relay; FOR=20 stops after 20 s
	@$(BUILD)
	@Scripts/demo "$$($(SWIFT) build --show-bin-path)"

test: need ## every test that needs no virtual machine
	@$(SWIFT) test $(FLAGS)

vm-test: need ## the agent on a real kernel in QEMU, with both versions of libgpiod
	@Scripts/vm-test

build: need ## all programs, release, into bin/
	@$(BUILD) --configuration release --static-swift-stdlib
	@mkdir -p bin
	@cp $(PROGRAMS:%="$$($(SWIFT) build --configuration release --show-bin-path)/%") bin/
	@strip $(PROGRAMS:%=bin/%)
	@ls -l bin/

bench: build ## time, memory and wake-ups of the programs: a table, and bin/bench.json
	@"$$($(SWIFT) build --configuration release --show-bin-path)/m2m-bench" bin > bin/bench.json
	@cat bin/bench.json

lint: ## the style of Swift, C and shell, and the arrows between the storeys
	@Scripts/need $(LINT_PACKAGES) $(PACKAGES)
	@$(SWIFT) format lint --strict --parallel --recursive Sources Tests Benchmarks Package.swift
	@git ls-files '*.c' '*.h' '*.cpp' | xargs clang-format --dry-run --Werror
	@shellcheck --severity=warning --external-sources $(SHELL_SCRIPTS)
	@$(SWIFT) test $(FLAGS) --filter ArchitectureTests

format: ## bring Swift and C into shape
	@Scripts/need clang-format
	@$(SWIFT) format --in-place --parallel --recursive Sources Tests Benchmarks Package.swift
	@git ls-files '*.c' '*.h' '*.cpp' | xargs clang-format -i

need: ## see that Swift and the system packages are there, and install what is missing
	@Scripts/need $(PACKAGES)
