#!/usr/bin/env bash
# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
#
# All checks: style, types, documentation, the browser's part, tests. The first that fails ends the
# run with its status.
#
#   run-tests.sh               everything, with at least 90 % of oarepo_s3 covered; pytest runs in three
#                              processes, each with servers of its own
#   run-tests.sh ARGUMENT...   the same with arguments for pytest, relative to this checkout, such as
#                              tests/rest -k complete -x; then pytest runs in one process, and
#                              without a demand on the coverage
#
# Works from any folder. The first run makes a virtual environment, .venv-tests beside this script;
# later runs take it as it is while setup.cfg stays the same. Tests that need a server or a browser
# which is not installed are skipped; the summary names the Debian packages. Without Node.js, js/ is
# left out.
#
# Environment:
#   PYTHON                      the Python (3.11 to 3.13) to make the environment with
#   OAREPO_S3_REQUIRE_SERVICES  1: what is not installed is a failure
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

# Have js/node_modules ready, from the registry's packages that the lock file names.
install_js() {
    # npm writes the second file when it is done: as new as the first, it need not be done again.
    [[ js/node_modules/.package-lock.json -nt js/package-lock.json ]] || npm --prefix js ci --silent
}

# The browser's part: its types, its unit tests, and whether the bundle is what its source makes.
check_js() {
    local why=
    if ! command -v npm >/dev/null; then
        why='npm is not installed'
    elif ! node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)'; then
        why="Node.js $(node --version) is too old"
    fi
    if [[ -z "$why" ]]; then
        step "npm ci" install_js
        step "tsc" npm --prefix js run --silent types
        step "vitest" npm --prefix js test --silent
        step "bundle as new as its source" npm --prefix js run --silent check
    elif [[ "${OAREPO_S3_REQUIRE_SERVICES:-}" == 1 ]]; then
        die "$why: js/ needs Node.js 20 or newer with npm."
    else
        say "$why: nothing in js/ is checked; that needs Node.js 20 or newer with npm."
    fi
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
# Among all tests is one that builds it as strictly.
(($# == 0)) || step "sphinx-build" "$bin/sphinx-build" -q -W --keep-going -b html docs "$scratch/docs"

check_js

# Three processes use two processors: each waits half of its time for a server or a program. A file
# stays in one, for its fixtures; and in the order of the folders the long tests come first.
everything=()
(($#)) || everything=(
    --numprocesses=3 --dist=loadfile --no-loadscope-reorder --cov-fail-under=90
)
step "pytest" "$bin/python" -m pytest --cov=oarepo_s3 --cov-branch "${everything[@]}" "$@"
