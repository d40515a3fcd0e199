# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Sourced by run-tests.sh and ceph-versions.sh, after demo/venv.sh: the environments of all tests.

# make_tests_venv ROOT: have ROOT/.venv-tests ready, with what tests/draft needs, and beside it
# .venv-tests-tools with what tests/tools runs.
make_tests_venv() {
    local root=$1 venv=$1/.venv-tests base draft wanted
    base=$(find_python)
    make_venv "$base" "$root" .venv-tests tests
    # Not in the environment itself: the file says why.
    draft=$venv/oarepo-records-draft wanted=$root/tests/draft/requirements.txt
    if ! cmp --silent "$wanted" "$draft/requirements.txt"; then
        say "Installing $wanted into $draft."
        rm -rf "$draft"
        "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps \
            --target "$draft" --requirement "$wanted"
        cp "$wanted" "$draft"
    fi
    make_tools_venv "$base" "$venv-tools" "$root/tests/tools/requirements.txt"
}

# make_tools_venv PYTHON VENV REQUIREMENTS: have the tools of others ready; without a network, the
# tests that run them say so.
make_tools_venv() {
    local python=$1 venv=$2 wanted=$3
    if ! cmp --silent "$wanted" "$venv/requirements.txt" || ! "$venv/bin/python" -c ''; then
        say "Installing $wanted into $venv."
        rm -rf "$venv"
        "$python" -m venv "$venv"
        if "$venv/bin/python" -m pip install -qq --disable-pip-version-check \
            --requirement "$wanted" </dev/null >&2; then
            # Last: an environment without it is half made, or for other contents.
            cp "$wanted" "$venv"
        else
            say "$wanted cannot be installed: tests/tools is left out."
            rm -rf "$venv"
        fi
    fi
}
