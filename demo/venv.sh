# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Sourced by run-demo.sh, run-example.sh and run-tests.sh: makes a virtual environment once and
# keeps it.
#
# Environments stand in the checkout (.venv-demo, .venv-example, .venv-tests), not in a cache folder: the package
# is installed in editable form, so an environment belongs to one checkout, and whoever deletes the
# checkout has deleted everything.

say() { printf '==> %s\n' "$*" >&2; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Print the real path of a Python that the package supports: $PYTHON, or the first one found.
find_python() {
    local name newest='3, 13'
    local names=(python3 python3.13 python3.12 python3.11)
    # Whoever names a newer one may try it.
    [[ -z "${PYTHON:-}" ]] || names=("$PYTHON") newest='3, 99'
    for name in "${names[@]}"; do
        # A name in PATH may be an empty shell of a version manager: only running it tells.
        "$name" -c "import sys
if not (3, 11) <= sys.version_info[:2] <= ($newest): raise SystemExit(1)
print(sys.executable)" 2>/dev/null && return
    done
    die "no Python 3.11 to 3.13 (looked for: ${names[*]}). Install one, or name it: PYTHON=... $0"
}

# Debian's python3 cannot make virtual environments until one more package is there.
need_venv_module() {
    local python=$1 package
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
        die "$python cannot make virtual environments: install the Debian package $package" \
            "(as root: apt-get install $package), then run this again."
    fi
    say "Installing the Debian package $package: $python cannot make virtual environments without it."
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq </dev/null >&2
    apt-get install -y -qq --no-install-recommends "$package" </dev/null >/dev/null
    "$python" -c 'import ensurepip, venv' || die "$package did not help $python."
}

# Print what an environment is made from; another value means that it has to be made again.
venv_stamp() {
    local python=$1 root=$2 extra=$3
    "$python" - "$root" "$extra" <<'PYTHON'
import hashlib
import pathlib
import sys

root, extra = sys.argv[1:]
described = hashlib.sha256(pathlib.Path(root, "setup.cfg").read_bytes()).hexdigest()
print(described, extra, root, sys.executable, sys.version.split()[0])
PYTHON
}

# Run something long, and end it when this script is told to end: the shell alone would leave it.
run_child() {
    local child
    "$@" </dev/null >&2 &
    child=$!
    trap 'kill "$child"; wait "$child" || :; exit 130' INT TERM HUP
    wait "$child"
    trap - INT TERM HUP
}

# make_venv PYTHON ROOT NAME EXTRA: have ROOT/NAME ready, with the package and its EXTRA.
make_venv() {
    local python=$1 root=$2 venv=$2/$3 extra=$4 stamp lock begun=$SECONDS
    stamp=$(venv_stamp "$python" "$root" "$extra")
    # Two runs at once make it once. The lock is on the folder itself, so no file stays behind.
    exec {lock}<"$root"
    if command -v flock >/dev/null && ! flock --nonblock "$lock"; then
        say "Waiting for another run, which is making an environment."
        flock "$lock"
    fi
    # The stamp is written last: an environment without it is half made, or for other contents.
    if [[ "$(cat "$venv/made-from" 2>/dev/null)" != "$stamp" ]] || ! "$venv/bin/python" -c ''; then
        need_venv_module "$python"
        say "Making the environment $venv with '.[$extra]': some minutes, the first time."
        rm -rf "$venv"
        "$python" -m venv "$venv"
        # Errors only: what it warns of concerns its own configuration.
        run_child "$venv/bin/python" -m pip install -qq --disable-pip-version-check \
            --editable "${root}[$extra]"
        printf '%s\n' "$stamp" >"$venv/made-from"
        say "The environment is ready after $((SECONDS - begun)) s."
    fi
    exec {lock}<&-
}

# show ROOT EXTRA PACKAGE ARGUMENT...: become a package of this checkout that is not installed, such
# as the demo, in the environment ROOT/.venv-EXTRA.
show() {
    local root=$1 extra=$2 package=$3 python=${OAREPO_S3_DEMO_PYTHON:-} base status=0
    shift 3
    # -P: nothing is imported from the caller's folder.
    export PYTHONPATH="$root"
    unset PYTHONHOME
    if [[ -z "$python" ]]; then
        base=$(find_python)
        # A mistake shows before minutes of installing: 3 says that there is something to run.
        "$base" -P -m "$package.arguments" "$@" || status=$?
        ((status == 3)) || exit "$status"
        make_venv "$base" "$root" ".venv-$extra" "$extra"
        python=$root/.venv-$extra/bin/python
    fi
    exec "$python" -P -m "$package" "$@"
}
