# Everything runs in a virtual environment that make builds once. Needs Python 3.10 or newer and a
# registry of Python packages, no ROS. Where a ROS 2 is sourced, it is used instead of the wheels. ROS_DISTRO=kilted takes the wheels of Kilted.

PYTHON ?= python3

SOURCED := $(shell [ -n "$$ROS_DISTRO" ] && [ -n "$$AMENT_PREFIX_PATH" ] && \
	$(PYTHON) -c 'import rclpy' >/dev/null 2>&1 && echo yes)

ifeq ($(SOURCED),yes)
VENV := .venv-ros-$(ROS_DISTRO)
VENV_FLAGS := --system-site-packages
REQUIREMENTS := requirements/on-ros.txt requirements/on-ros-dev.txt
else
ROS_DISTRO ?= jazzy
VENV := $(if $(filter jazzy,$(ROS_DISTRO)),.venv,.venv-$(ROS_DISTRO))
REQUIREMENTS := $(addprefix requirements/,base.txt ros-$(ROS_DISTRO).txt dev.txt training.txt)
ifeq ($(wildcard requirements/ros-$(ROS_DISTRO).txt),)
$(error no ROS is sourced, and wheels are pinned for jazzy and kilted only, not for '$(ROS_DISTRO)')
endif
endif

BIN := $(VENV)/bin
# Tests of one file stay in one process: they share nodes. Files are begun in their order, so that the
# long ones are not left to the end. Many wait more than they compute, so that two cores do three at a time.
TEST_JOBS ?= 3
PYTEST := -m pytest -n $(TEST_JOBS) --dist loadfile --no-loadscope-reorder

BENCHMARKS ?= network frame memory edges bench_alignment fusion live_alignment live_fusion hidden_points several_sources latency

.PHONY: help demo docs test test-all soak lint audit structure bench train clean distclean

help:
	@echo 'make demo        the whole path on this machine; INPUT=<bag, video or picture> for your own data'
	@echo 'make test        all tests but the large ones'
	@echo 'make test-all    all tests; needs about 8 GB of memory'
	@echo 'make soak        20,000 bad inputs, and 10,000 frames through the node under faults'
	@echo 'make lint        style, types, bandit, workflows and container files'
	@echo 'make docs        the pages of docs/ as a site in site/; warnings are errors'
	@echo 'make audit       known weaknesses of the pinned packages; needs the internet'
	@echo 'make structure   size and shape of the package; AGAINST=<revision> for a comparison'
	@echo 'make bench       measure against the budgets; BENCHMARKS=frame for one'
	@echo 'make train       render the furnished world and train on it, for hours; goes on where it stopped'
	@echo 'make clean       remove what was built; distclean: the virtual environments too'

# `venv` keeps what is there, so a changed pin costs one package, not all.
$(VENV)/.requirements: $(REQUIREMENTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo '$(PYTHON) is older than 3.10; name another: make PYTHON=python3.11'; exit 1; }
	$(PYTHON) -m venv $(VENV_FLAGS) $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --no-compile $(addprefix -r ,$(REQUIREMENTS))
	@touch $@

# Editable: the commands of the environment run the code of this folder.
$(VENV)/.package: $(VENV)/.requirements setup.py setup.cfg
	$(BIN)/python -m pip install --disable-pip-version-check --quiet \
		--no-deps --no-build-isolation --editable .
	@touch $@

# Tests exchange tf2_msgs, of which there is no wheel. It never gets among the packages themselves.
INTERFACES := $(VENV)/test_interfaces
ifneq ($(SOURCED),yes)
TESTED_WITH := $(shell command -v g++ >/dev/null && command -v cmake >/dev/null && echo $(INTERFACES)/.built)
endif

$(INTERFACES)/.built: $(VENV)/.requirements $(shell find test/interfaces/tf2_msgs -type f)
	rm -rf $(INTERFACES)
	PATH='$(abspath $(BIN))':"$$PATH" AMENT_PREFIX_PATH='$(abspath $(VENV))' cmake -S test/interfaces/tf2_msgs \
		-B $(INTERFACES)/build -DCMAKE_INSTALL_PREFIX='$(abspath $(INTERFACES))' \
		-DCMAKE_PREFIX_PATH='$(abspath $(VENV))' -DPython3_EXECUTABLE='$(abspath $(BIN))/python'
	cmake --build $(INTERFACES)/build --parallel
	cmake --install $(INTERFACES)/build
	@touch $@

demo: $(VENV)/.package
	$(BIN)/mono_depth demo $(if $(INPUT),'$(INPUT)')

test: $(VENV)/.package $(TESTED_WITH)
	$(BIN)/python $(PYTEST) -m 'not large' $(PYTEST_ARGS)

test-all: $(VENV)/.package $(TESTED_WITH)
	$(BIN)/python $(PYTEST) $(PYTEST_ARGS)

soak: $(VENV)/.package
	MONO_DEPTH_FUZZ_CASES=20000 $(BIN)/python -m pytest test/ros/fuzz
	$(BIN)/python -m benchmarks.soak

lint: $(VENV)/.package
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/actionlint .github/workflows/*.yaml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker/compose.yaml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms \
		.github/ISSUE_TEMPLATE/bug.yaml .github/ISSUE_TEMPLATE/question.yaml
	$(BIN)/python -m bandit --quiet --recursive --configfile pyproject.toml mono_depth_ros tools training launch

# An environment of its own: neither the package nor ROS is needed. The variable hides an announcement.
.venv-docs/.built: requirements/docs.txt
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --disable-pip-version-check -r $<
	@touch $@

docs: .venv-docs/.built
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict

$(VENV)/.audit: requirements/audit.txt | $(VENV)/.package
	$(BIN)/python -m pip install --disable-pip-version-check -r $<
	@touch $@

# Not part of CI: an advisory of tomorrow is no fault of a change of today.
audit: $(VENV)/.audit
	$(BIN)/python -m pip_audit --requirement requirements/base.txt --requirement requirements/dev.txt

# Needs nothing but Python.
structure:
	@$(PYTHON) -m tools.structure $(if $(AGAINST),--against '$(AGAINST)')

train: $(VENV)/.package
	test -e training/runs/furniture.npz || $(BIN)/python -m training.world.importer
	$(BIN)/python -m training.render
	$(BIN)/python -m training.train
	$(BIN)/python -m training.export
	$(BIN)/python -m training.evaluate --run training/runs/tiny --candidate tiny

$(VENV)/.bench: requirements/bench.txt | $(VENV)/.package
	$(BIN)/python -m pip install --disable-pip-version-check -r $<
	@touch $@

bench: $(VENV)/.package $(VENV)/.bench
	@set -e; for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python -m benchmarks.$$name; done

clean:
	rm -rf build install log site demo_output *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

distclean: clean
	rm -rf .venv .venv-*
