# What can be made of m2m: `make help` lists it. CI runs lint, test and vm-test.
SHELL := /bin/bash
SWIFT ?= swift
JOBS  ?= $(shell nproc)
# The compiler's own look at imports; Tests/ArchitectureTests sees what it does not.
FLAGS  = --jobs $(JOBS) --explicit-target-dependency-import-check error
BUILD  = $(SWIFT) build $(FLAGS)

# What the programs are built with, beside Swift itself: the same list as in README.md.
PACKAGES      = libgpiod-dev libi2c-dev libssl-dev libsqlite3-dev libtomlplusplus-dev openssl
LINT_PACKAGES = clang-format shellcheck

# So many tests at a time: more of them only wait for a processor, and the time that each may take runs meanwhile.
TEST_FLAGS = --disable-xctest --experimental-maximum-parallelization-width 8

PROGRAMS = m2m-agent m2m-router m2m

# The processor that ARCH= names for `make deb` and `make vm-test`, where it is not this machine's.
FOREIGN := $(if $(filter command%,$(origin ARCH)),$(filter-out $(shell dpkg --print-architecture),$(ARCH)))
ifneq ($(filter-out arm64,$(FOREIGN)),)
$(error ARCH=$(ARCH): packages for another processor than this machine's can be built for arm64 only)
endif

# m2m-keeper is C alone and is built without SwiftPM, which would link Swift's library into it. As in Package.swift,
# M2M_LIBGPIOD is a folder with another libgpiod than this machine's; what is built for that goes its own place.
ifeq ($(origin CC),default)
CC := $(or $(shell command -v cc 2> /dev/null),$(shell command -v clang 2> /dev/null),cc)
endif
KEEPER_DIR  ?= .build/keeper$(if $(M2M_LIBGPIOD),-libgpiod2)
KEEPER_C     = $(wildcard Sources/m2m-keeper/*.c)
KEEPER_H     = $(wildcard Sources/m2m-keeper/*.h Sources/m2m-keeper/protocol/*.h Sources/HAL/CGPIO/include/*.h)
KEEPER_CGPIO = $(wildcard Sources/HAL/CGPIO/*.c)
KEEPER_FAKE  = Tests/keeper/fake_cgpio.c
KEEPER_TESTS = $(filter-out $(KEEPER_FAKE),$(wildcard Tests/keeper/*.c))
KEEPER_FROM  = $(KEEPER_C) $(KEEPER_H)
# Its version is made of its sources: it is another one only where they are, so that an upgrade can tell.
VERSION     := $(shell cat $(sort $(KEEPER_C) $(KEEPER_H) $(KEEPER_CGPIO)) | sha256sum | cut -c 1-8)
CFLAGS_ALL   = -std=gnu17 -D_GNU_SOURCE -DM2M_VERSION='"$(VERSION)"' -Wall -Wextra -Werror \
               -ISources/m2m-keeper -ISources/m2m-keeper/protocol -ISources/HAL/CGPIO/include
CFLAGS_HARD  = -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_CHECK = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -ITests/keeper
SHELL_SCRIPTS = $(shell grep -lE '^\#!.*sh$$|^\# shellcheck shell' -r Scripts Packaging .ci)

.DEFAULT_GOAL := help
.PHONY: help demo test test-tsan test-asan fuzz simulation chaos vm-test build deb bench soak lint format need keeper keeper-test

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: need ## a router, a simulated greenhouse, live readings, a switch and a relay; FOR=20 stops after 20 s
	@$(BUILD)
	@Scripts/demo "$$($(SWIFT) build --show-bin-path)"

test: need keeper keeper-test ## every test that needs no virtual machine
	@$(BUILD) --build-tests
	@Scripts/tell-failures $(SWIFT) test --skip-build $(TEST_FLAGS)

simulation: ## one history of faults of device and router, line by line: SEED=17
	@SIMULATION_SEED=$(or $(SEED),1) $(SWIFT) test $(FLAGS) --filter SimulationTests.SimulationTests/nothingIsLost

chaos: need keeper ## the real programs under kills, cuts, full disks and wrong clocks: a table; OBSERVATIONS=10000 for less
	@CHAOS_OBSERVATIONS=$(or $(OBSERVATIONS),1000000) CHAOS_SEED=$(or $(SEED),1) \
		$(SWIFT) test $(FLAGS) --filter ProgramTests.ProgramTests/ChaosTests

# With a sanitizer everything is built apart, and takes ten times as long: there are fewer histories and fewer tests at a
# time. Leaks are not looked for: what only Swift's runtime holds, such as a task that waits, would be some. What is
# preloaded tells ThreadSanitizer of Swift's locks.
SANITIZED = SIMULATIONS=$(or $(SIMULATIONS),50) SWIFT_BACKTRACE=enable=no
SANITIZED_FLAGS = --skip-build --disable-xctest --experimental-maximum-parallelization-width 2

test-tsan: need keeper $(KEEPER_DIR)/tsan_mutex.so ## every test, watched for data races
	@$(BUILD) --build-tests --sanitize=thread --scratch-path .build-tsan
	@$(SANITIZED) LD_PRELOAD="$(CURDIR)/$(KEEPER_DIR)/tsan_mutex.so" \
		TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/thread-sanitizer/suppressions" \
		Scripts/tell-failures $(SWIFT) test $(SANITIZED_FLAGS) --sanitize=thread --scratch-path .build-tsan < /dev/null

test-asan: need keeper ## every test, watched for wrong use of memory
	@$(BUILD) --build-tests --sanitize=address --scratch-path .build-asan
	@$(SANITIZED) ASAN_OPTIONS=detect_leaks=0 \
		Scripts/tell-failures $(SWIFT) test $(SANITIZED_FLAGS) --sanitize=address --scratch-path .build-asan < /dev/null

# What libFuzzer brings its own `main` for is built apart, too: Package.swift has it only where M2M_FUZZ is set.
# SwiftPM's own --sanitize takes one; its compiler wants both in one word. lld says nothing of what need not be exported.
FUZZ = M2M_FUZZ=1 $(BUILD) --product m2m-fuzz --scratch-path .build-fuzz --sanitize=fuzzer \
       -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld -Xcc -fsanitize=address -Xcxx -fsanitize=address

fuzz: need ## bytes that break a parser, searched with libFuzzer: SECONDS=60 for each target, TARGET=toml for one
	@$(FUZZ)
	@Scripts/fuzz "$$($(FUZZ) --show-bin-path)/m2m-fuzz" $(or $(SECONDS),60) $(TARGET)

vm-test: need keeper deb ## agent and packages on a real kernel in QEMU, both libgpiods; power cuts: CUTS=20; or ARCH=arm64
	@$(if $(FOREIGN),Scripts/cross/vm-test bin/$(FOREIGN),Scripts/vm-test)

build: need keeper ## all programs, release, into bin/
	@$(BUILD) --configuration release --static-swift-stdlib
	@mkdir -p bin
	@cp $(PROGRAMS:%="$$($(SWIFT) build --configuration release --show-bin-path)/%") bin/
	@cp $(KEEPER_DIR)/m2m-keeper bin/
	@strip $(PROGRAMS:%=bin/%) bin/m2m-keeper
	@ls -l bin/

# With ARCH=arm64 they are for a Raspberry Pi with Debian 13, and go to bin/arm64. What is built here is needed as well: it
# says what the options are.
deb: build ## packages of Debian for this machine, into bin/; ARCH=arm64 for a Raspberry Pi, as root
	@Scripts/need debhelper lintian
ifneq ($(FOREIGN),)
	@SWIFT="$(SWIFT)" JOBS="$(JOBS)" Scripts/cross/build bin/$(FOREIGN)
	@ARCH=$(FOREIGN) NATIVE=bin RELEASE=13 WITHIN=target Scripts/make-deb bin/$(FOREIGN) .build/checkouts
	@lintian --allow-root --fail-on error bin/$(FOREIGN)/*.deb
else
	@Scripts/make-deb bin .build/checkouts
	@lintian --allow-root --fail-on error bin/*_$$(dpkg --print-architecture).deb
endif

keeper: $(KEEPER_DIR)/m2m-keeper $(KEEPER_DIR)/m2m-keeper-simulated ## m2m-keeper alone, and one with simulated lines

$(KEEPER_DIR)/m2m-keeper: $(KEEPER_FROM) $(KEEPER_CGPIO) | need
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS_ALL) $(CFLAGS_HARD) $(if $(M2M_LIBGPIOD),-I$(M2M_LIBGPIOD)/usr/include) $(KEEPER_C) $(KEEPER_CGPIO) \
		$(if $(M2M_LIBGPIOD),-L$(M2M_LIBGPIOD)/lib) -lgpiod -o $@

$(KEEPER_DIR)/m2m-keeper-simulated: $(KEEPER_FROM) $(KEEPER_FAKE) Tests/keeper/fake_cgpio.h
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS_ALL) $(CFLAGS_HARD) $(KEEPER_C) $(KEEPER_FAKE) -o $@

# What tests put under the agent: a wall clock that goes wrong while it runs.
keeper: $(KEEPER_DIR)/wall_clock.so
$(KEEPER_DIR)/wall_clock.so: Tests/wall-clock/wall_clock.c
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS_ALL) $(CFLAGS_HARD) -fPIC -shared $< -o $@

# What ThreadSanitizer needs to know. Swift's own compiler for C knows how Swift calls.
$(KEEPER_DIR)/tsan_mutex.so: Tests/thread-sanitizer/mutex.c
	@mkdir -p $(@D)
	@$(dir $(realpath $(shell command -v $(SWIFT))))clang $(CFLAGS_ALL) -O2 -fPIC -shared $< -o $@

# Both are watched for wrong use of memory while they run.
keeper-test: $(KEEPER_DIR)/checked/keeper-tests $(KEEPER_DIR)/checked/m2m-keeper-simulated ## m2m-keeper, without a kernel
	@$(KEEPER_DIR)/checked/keeper-tests $(KEEPER_DIR)/checked/m2m-keeper-simulated

$(KEEPER_DIR)/checked/keeper-tests: $(KEEPER_FROM) $(KEEPER_FAKE) $(KEEPER_TESTS) $(wildcard Tests/keeper/*.h)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS_ALL) $(CFLAGS_CHECK) $(filter-out %/main.c,$(KEEPER_C)) $(KEEPER_FAKE) $(KEEPER_TESTS) -o $@

$(KEEPER_DIR)/checked/m2m-keeper-simulated: $(KEEPER_FROM) $(KEEPER_FAKE) Tests/keeper/fake_cgpio.h
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS_ALL) $(CFLAGS_CHECK) $(KEEPER_C) $(KEEPER_FAKE) -o $@

bench: build ## time, memory and wake-ups of the programs, beside their peers: a table, and bin/bench.json; ONLY="idle keeper"
	@"$$($(SWIFT) build --configuration release --show-bin-path)/m2m-bench" bin $(ONLY) > bin/bench.json
	@cat bin/bench.json

soak: build ## an hour of an agent whose router comes and goes: whether its memory, descriptors or threads grow
	@"$$($(SWIFT) build --configuration release --show-bin-path)/m2m-bench" bin soak > bin/soak.json

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
