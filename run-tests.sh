#!/usr/bin/env bash
# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
#
# All checks: style, types, documentation, tests. The first that fails ends the run with its status.
#
#   run-tests.sh               everything, with at least 90 % of oarepo_s3 covered
#   run-tests.sh ARGUMENT...   the same with arguments for pytest, relative to this checkout, such as
#                              tests/rest -k complete -x; then without a demand on the coverage
#
# Works from any folder. The first run makes a virtual environment, .venv-tests beside this script;
# later runs take it as it is while setup.cfg stays the same. Tests that need a server which is not
# installed are skipped; the summary names the Debian packages.
#
# Environment:
#   PYTHON                      the Python (3.11 to 3.13) to make the environment with
#   OAREPO_S3_REQUIRE_SERVICES  1: a test that misses its server fails instead of being skipped
set -euo pipefail

root=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=demo/venv.sh
source "$root/demo/venv.sh"
# shellcheck source=tests/venv.sh
source "$root/tests/venv.sh"
unset PYTHONPATH PYTHONHOME

step() {
    say "$1"
    shift
    "$@"
}

make_tests_venv "$root"
cd -- "$root"
# Programs by their full path, and first in PATH for those that the tests start.
bin=$root/.venv-tests/bin
export PATH="$bin:$PATH"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Without git nobody tells ruff what to leave out.
step "ruff check" "$bin/ruff" check --extend-exclude '.venv*' .
step "ruff format --check" "$bin/ruff" format --check --extend-exclude '.venv*' .
step "mypy" "$bin/mypy"
step "sphinx-build" "$bin/sphinx-build" -q -W --keep-going -b html docs "$scratch/docs"

enough=()
(($#)) || enough=(--cov-fail-under=90)
step "pytest" "$bin/python" -m pytest --cov=oarepo_s3 --cov-branch "${enough[@]}" "$@"
