#!/usr/bin/env bash
# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
#
# The tests of invenio-s3 or of invenio-records-resources, unchanged, from a checkout of theirs: once
# with their storage class and factory, once with ours. Prints both counts and the tests that differ;
# exit status 1 when any does. The package itself is the installed one, not the checkout's.
#
#   tests/upstream.sh invenio-s3 CHECKOUT
#   tests/upstream.sh invenio-records-resources CHECKOUT
#   tests/upstream.sh invenio-records-resources CHECKOUT -- -k s3      arguments for pytest
#
# Starts a Ceph RGW, PostgreSQL and Valkey for each run. There is no search engine: tests that search
# are skipped. With SEARCH_HOSTS="[{'host': 'localhost', 'port': 9200}]" the one that runs there is used.
#
# Needs the Debian packages radosgw, ceph-mon, ceph-osd and postgresql, none of which it installs.
# Like run-tests.sh it makes .venv-tests; PYTHON is honoured.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
# shellcheck source=../demo/venv.sh
source "$root/demo/venv.sh"
unset PYTHONPATH PYTHONHOME

base=$(find_python)
make_venv "$base" "$root" .venv-tests tests
# Not by a change of the directory: the checkout may be named relative to it.
export PATH="$root/.venv-tests/bin:$PATH" PYTHONPATH="$root"
exec "$root/.venv-tests/bin/python" -m tests.upstream "$@"
