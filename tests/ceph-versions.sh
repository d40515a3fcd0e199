#!/usr/bin/env bash
# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
#
# All tests marked ceph, against several versions of Ceph RGW: that of this machine, and those of
# other releases of Debian. Prints a table; exit status 1 when a test failed with any of them.
#
#   tests/ceph-versions.sh             roots in ~/.cache/oarepo-s3-ceph (700 MB each)
#   tests/ceph-versions.sh DIRECTORY   roots in DIRECTORY
#
# A root that is there is taken as it is: delete it to have it made anew, with what Debian has then.
#
# Needs Debian, root, and the Debian packages mmdebstrap, radosgw, ceph-mon, ceph-osd, postgresql
# and curl, none of which it installs. Like run-tests.sh it makes .venv-tests; PYTHON is honoured.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
# shellcheck source=../demo/venv.sh
source "$root/demo/venv.sh"
# shellcheck source=venv.sh
source "$root/tests/venv.sh"
unset PYTHONPATH PYTHONHOME

((EUID == 0)) || die "only root can make and enter a directory with another Debian."
missing=()
need() { compgen -G "$1" >/dev/null || missing+=("$2"); }
for program in mmdebstrap radosgw ceph-mon ceph-osd curl; do
    need "/usr/bin/$program" "$program"
done
need '/usr/lib/postgresql/*/bin/initdb' postgresql
((${#missing[@]} == 0)) ||
    die "install first: apt-get install --no-install-recommends ${missing[*]}"

make_tests_venv "$root"
export PATH="$root/.venv-tests/bin:$PATH" PYTHONPATH="$root"
exec "$root/.venv-tests/bin/python" -m tests.services.versions "$@"
