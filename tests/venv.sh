# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Sourced by run-tests.sh and ceph-versions.sh, after demo/venv.sh: the environment of all tests.

# make_tests_venv ROOT: have ROOT/.venv-tests ready, with what tests/draft needs.
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
}
