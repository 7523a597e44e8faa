# Skuflow: everything that is built, run and tested, from here.
#
#   make run                     builds what changed and serves http://127.0.0.1:3000
#   make run ARGS="--addr …"     the same, with flags for `skuflow serve`

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

WASM_TARGET := wasm32-unknown-unknown

TARGET := $(or $(CARGO_TARGET_DIR),target)
SITE := target/site
PKG := $(SITE)/pkg
STAMPS := $(TARGET)/stamps
RAW_WASM := $(TARGET)/$(WASM_TARGET)/wasm-release/app.wasm
SERVER := $(TARGET)/release/skuflow

TOOLS := target/tools
# Clients and servers that are not ours, for the tests; end2end/tools/install.sh puts them there.
export SKUFLOW_TEST_PYTHON ?= $(abspath $(TOOLS)/python/bin/python)
# The broker's own tests know nothing of Skuflow.
export BROKER_TEST_PYTHON ?= $(SKUFLOW_TEST_PYTHON)
BIND := $(TARGET)/tools-build/release/split-and-bind
BIND_SOURCES := $(addprefix end2end/tools/split-and-bind/,Cargo.toml Cargo.lock src/main.rs)
BOUND := $(TARGET)/bound
NPM_BIN := end2end/node_modules/.bin
NPM_STAMP := end2end/node_modules/.package-lock.json

RUST_MANIFESTS := Cargo.toml Cargo.lock .cargo/config.toml app/Cargo.toml app/flow/Cargo.toml app/foresee/Cargo.toml app/lessons/Cargo.toml
PAGE_SOURCES := $(shell find app -name '*.rs' -o -name '*.js') $(RUST_MANIFESTS)
STYLE_SOURCES := $(wildcard style/*.css)
PUBLIC_FILES := $(shell find public -type f)

# What rustc's wasm32 target uses by default, which wasm-opt would otherwise refuse.
WASM_FEATURES := --enable-bulk-memory --enable-multivalue --enable-mutable-globals \
	--enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext
# What is small once it is compressed: `-Oz` alone makes the module 5 % smaller, and its brotli twin 2 % larger.
WASM_SMALL := --flatten --rereloop -Os -Os --one-caller-inline-max-function-size=0

.PHONY: help build run test soak check lint bench measure clean page server tools test-tools
.DEFAULT_GOAL := help

help: ## Say what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

# One job more than cores, since two builds share them: while one waits for its last crate, the other goes on.
build: ## Build the page and the server, in release
	@$(MAKE) --jobs $$(($$(getconf _NPROCESSORS_ONLN) + 1)) page server

run: build ## Build what changed, then serve (flags in ARGS)
	@exec $(SERVER) serve $(ARGS)

test: ## Install what the tests need, then run all of them, on both brokers
	@end2end/tools/install.sh
	@$(MAKE) test-tools
	$(call step,a RabbitMQ of their own)
	@end2end/tools/with-rabbitmq.sh $(MAKE) test-with-rabbitmq

# Native tests mostly wait, for brokers and for deadlines: so there is one more of them at a time than cores. The release build
# takes what they leave of the machine.
.PHONY: test-with-rabbitmq
test-with-rabbitmq:
	$(call step,native tests$(,) and behind them the release build)
	@mkdir -p $(STAMPS); \
	nice -n 19 $(MAKE) build >$(STAMPS)/build.log 2>&1 & building=$$!; \
	trap 'kill $$building 2>/dev/null || true' EXIT; \
	NODE_PATH="$(abspath end2end/node_modules)" SKUFLOW_TEST_STRICT=1 BROKER_TEST_STRICT=1 \
		RUST_TEST_THREADS=$$((1 + $$(getconf _NPROCESSORS_ONLN))) cargo test --workspace; \
	trap - EXIT; \
	wait $$building || { cat $(STAMPS)/build.log; exit 1; }
	@$(MAKE) build
	$(call step,browser tests on the release build)
	@cd end2end && SKUFLOW_BIN="$(abspath $(SERVER))" npm test
	$(call step,size of the first load)
	@node end2end/tools/pack.mjs $(SITE) --enforce

soak: build ## The long proof that nothing is lost and nothing doubled: limits, kills and cuts under load, on both brokers
	@end2end/tools/install.sh
	$(call step,limits)
	@node end2end/tools/soak-limits.mjs $(SERVER)
	$(call step,two million events in the journal)
	@node end2end/tools/soak-journal.mjs $(SERVER)
	$(call step,what others wait while one client does something large)
	@cargo run --release -p broker --example neighbours
	@cargo run --release -p broker --example neighbours -- 1000000 2000 durable
	$(call step,what messages take of memory)
	@cargo run --release -p broker --example memory
	$(call step,a file of a hundred megabytes)
	@SKUFLOW_SOAK=1 cargo test --release -p server --test files a_large_file -- --nocapture
	$(call step,axe in every state and theme$(,) every fault and every state of the stage in both styles$(,) every lesson)
	@cd end2end && SKUFLOW_SOAK=1 SKUFLOW_BIN="$(abspath $(SERVER))" npx playwright test axe faults stage learn --project embedded
	$(call step,kills and cuts under load (this takes a while))
	@SKUFLOW_SOAK=1 SKUFLOW_TEST_RABBITMQ_URL=started-by-the-test \
		cargo test --release -p server --test reliability -- --nocapture --test-threads 1

check: ## The fast loop: formatting, clippy, and the native tests that need no server
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets -- -D warnings
	@cargo test --workspace --lib

lint: $(STAMPS)/wasm-target ## Formatting, and clippy without warnings for server and browser
	$(call step,rustfmt)
	@cargo fmt --all --check
	$(call step,clippy for the server)
	@cargo clippy --workspace --all-targets -- -D warnings
	$(call step,clippy for the browser)
	@cargo clippy -p app --lib --features hydrate --target $(WASM_TARGET) -- -D warnings

bench: build ## Measure the release build (BROKER=amqp://… for another broker), and our broker beside RabbitMQ
	@end2end/tools/install.sh
	@node end2end/tools/bench.mjs $(SERVER) $(BROKER)
	$(call step,the embedded broker beside a RabbitMQ of its own)
	@cargo build --release -p broker --example throughput
	@end2end/tools/with-rabbitmq.sh --bare bash -c '$(TARGET)/release/examples/throughput 100000 "$$SKUFLOW_TEST_RABBITMQ_URL"'
	$(call step,criterion: what one message costs$(,) and what the page does with an event)
	@cargo bench -p broker -p flow --bench messages --bench views -- --noplot

measure: build ## Measure the lab in Chromium at 500 arrivals a second, for MINUTES (10)
	@node end2end/tools/measure-page.mjs $(SERVER) --minutes $(or $(MINUTES),10) $(ARGS)

clean: ## Remove what was built, and keep the tools
	@cargo clean
	@rm -rf $(SITE) end2end/test-results end2end/playwright-report

# --- the page --------------------------------------------------------------------------------------------------

page: $(STAMPS)/site

# The last step: a compressed twin of every file, and its weight. `make test` holds it to the budget.
$(STAMPS)/site: $(PKG)/skuflow.js $(PKG)/skuflow.css $(STAMPS)/public end2end/tools/pack.mjs
	$(call step,compress and weigh)
	@node end2end/tools/pack.mjs $(SITE)
	@touch $@

$(RAW_WASM): $(PAGE_SOURCES) | $(STAMPS)/wasm-target
	$(call step,the page: Rust to WebAssembly (about a minute the first time))
	@cargo rustc --profile wasm-release --target $(WASM_TARGET) -p app --lib --features hydrate --crate-type cdylib
	@touch $@

# What is fetched later goes into a module of its own, which calls back into the first one.
$(PKG)/skuflow.js: $(RAW_WASM) $(BIND) $(NPM_STAMP) end2end/tools/prune.mjs end2end/tools/shorten.mjs
	$(call step,wasm-split$(,) wasm-bindgen and wasm-opt)
	@rm -rf $(BOUND) $(PKG)/split_* $(PKG)/chunk_* && mkdir -p $(PKG)
	@$(BIND) $(RAW_WASM) skuflow $(BOUND)
	@node end2end/tools/prune.mjs $(BOUND)/skuflow_bg.wasm
	@$(NPM_BIN)/wasm-opt $(WASM_SMALL) $(WASM_FEATURES) $(BOUND)/skuflow_bg.wasm -o $(PKG)/skuflow.wasm
	@node end2end/tools/shorten.mjs $(PKG)/skuflow.wasm $(BOUND)/skuflow.js
	@for part in $$(cd $(BOUND) && ls | grep -E '^(split|chunk)_.*\.wasm$$'); do \
		$(NPM_BIN)/wasm-opt $(WASM_SMALL) $(WASM_FEATURES) "$(BOUND)/$$part" -o "$(PKG)/$$part" 2>/dev/null; \
	done
	@NODE_PATH="$(abspath end2end/node_modules)" $(NPM_BIN)/esbuild $(BOUND)/skuflow.js --bundle --minify \
		--format=esm --outfile=$@ --log-level=warning

$(PKG)/skuflow.css: $(STYLE_SOURCES) $(NPM_STAMP)
	$(call step,style)
	@$(NPM_BIN)/esbuild style/main.css --bundle --minify --outfile=$@ --log-level=warning
	@$(NPM_BIN)/esbuild style/pages.css --bundle --minify --outfile=$(PKG)/pages.css --log-level=warning

$(STAMPS)/public: $(PUBLIC_FILES)
	@mkdir -p $(SITE) $(STAMPS)
	@cp -R public/. $(SITE)/
	@touch $@

# --- the server ------------------------------------------------------------------------------------------------

# Cargo knows best what has changed.
server:
	$(call step,the server)
	@cargo build --release -p server

# --- tools -----------------------------------------------------------------------------------------------------

tools: $(STAMPS)/wasm-target $(BIND) $(NPM_STAMP)

test-tools: $(NPM_STAMP)

# Without rustup the target has to be there already.
$(STAMPS)/wasm-target:
	@mkdir -p $(STAMPS)
	@if command -v rustup >/dev/null; then \
		rustup target list --installed | grep -qx $(WASM_TARGET) || rustup target add $(WASM_TARGET); \
	elif ! ls "$$(rustc --print sysroot)/lib/rustlib/$(WASM_TARGET)" >/dev/null 2>&1; then \
		echo "make: rustc has no target $(WASM_TARGET). Install rustup (https://rustup.rs), or the target by your package manager." >&2; exit 1; \
	fi
	@touch $@

$(BIND): $(BIND_SOURCES)
	$(call step,wasm-split and wasm-bindgen (half a minute$(,) once))
	@cargo build --release --locked --manifest-path end2end/tools/split-and-bind/Cargo.toml --target-dir $(TARGET)/tools-build
	@touch $@

$(NPM_STAMP): end2end/package.json end2end/package-lock.json end2end/.npmrc
	@command -v npm >/dev/null || { echo "make: npm is missing. Install Node.js 20 or newer." >&2; exit 1; }
	$(call step,npm packages)
	@cd end2end && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --loglevel=error
	@touch $@

# A comma that is no separator.
, := ,

define step
	@printf '\033[1m── %s\033[0m\n' '$(1)'
endef
