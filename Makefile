# Builds the connector as Fivetran does, docs/hosting.md. For everything else there are ./run-tests
# and the presets of CMakePresets.json.
#
#   make build_dependencies   fetches the sources of the libraries of cmake/hosting/dependencies.txt
#                             and builds them, static, in build/dependencies; what is built stays
#   make build_connector      makes build/Release/source-vitess, of these libraries, or of Debian
#                             12's packages where they were not built
#
# Variables: CC, CXX     clang-16 where there is one, or else clang, or else gcc
#            JOBS        how many compilers at a time: one for each processor
#            DEPENDENCY_SOURCES  a folder with the archives: nothing is fetched then
#            DEPENDENCY_TABLE    other versions than those of cmake/hosting/dependencies.txt
#            TREE        a build tree that is configured already, in which to link the connector
#            RELEASE     the folder to put it into
.PHONY: help build_dependencies build_connector
.DEFAULT_GOAL := help

CMAKE ?= cmake
STRIP ?= strip
JOBS ?= $(shell nproc)
DEPENDENCY_SOURCES ?=
DEPENDENCY_TABLE ?= $(CURDIR)/cmake/hosting/dependencies.txt
RELEASE ?= build/Release

found = $(firstword $(foreach name,$(1),$(shell command -v $(name))))
ifeq ($(origin CC),default)
  CC := $(call found,clang-16 clang gcc)
endif
ifeq ($(origin CXX),default)
  CXX := $(call found,clang++-16 clang++ g++)
endif
compilers = -DCMAKE_C_COMPILER=$(CC) -DCMAKE_CXX_COMPILER=$(CXX)

dependencies := build/dependencies
preset = $(shell test -e $(dependencies)/prefix/lib/libgrpc++.a && echo hosting || echo hosting-debian)
program := $(RELEASE)/source-vitess
c_library := ^(libc|libm|libpthread|libdl|librt)\.so\.[0-9]+$$|^ld-linux-[a-z0-9-]+\.so\.[0-9]$$

# Variables of this make's command line must not become those of the makefiles of the libraries.
build = env -u MAKEFLAGS -u MAKELEVEL $(CMAKE) --build

help:
	@sed -n 's/^# \{0,1\}//p; /^\.PHONY/q' Makefile

build_dependencies:
	$(CMAKE) -G 'Unix Makefiles' -S cmake/hosting -B $(dependencies) $(compilers) \
	  -DDEPENDENCY_SOURCES='$(abspath $(DEPENDENCY_SOURCES))' \
	  -DDEPENDENCY_TABLE='$(abspath $(DEPENDENCY_TABLE))'
	$(build) $(dependencies) --parallel $(JOBS)

build_connector:
ifdef TREE
	$(build) $(TREE) --target source-vitess-static
else
	$(CMAKE) --preset $(preset) $(compilers)
	$(build) build/$(preset) --parallel $(JOBS) --target source-vitess-static
endif
	rm -rf $(RELEASE)
	mkdir -p $(RELEASE)
	$(STRIP) --strip-all -o $(program) $(or $(TREE),build/$(preset))/src/source-vitess-static
	@! readelf --dynamic $(program) | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '$(c_library)' \
	  || { echo '$(program) needs more than the C library' >&2; exit 1; }
	@echo "$(program) needs glibc $$(readelf --version-info --wide $(program) | grep -o 'GLIBC_[0-9.]*' | \
	  sed 's/GLIBC_//' | sort --version-sort | tail -1) or later"
