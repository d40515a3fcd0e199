# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The tests marked ``ceph`` against several versions of Ceph RGW, one after another.

This machine's own Ceph is the first; the others live in roots: directories with a small Debian of
another release, which are made when they are missing. ``tests/ceph-versions.sh`` runs this.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from .ceph import PACKAGES, ROOT_VARIABLE, CephRGW
from .process import Missing, ServiceError, stop_process

SUITES = ("trixie", "sid")
"""Releases of Debian whose Ceph is tested: 18.2 in trixie (13), and the newest, in sid."""

_CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Result:
    """What came of the tests with one version."""

    version: str
    passed: int
    failed: int
    seconds: float
    ok: bool
    """What pytest said: also a test that was skipped makes it False."""


def default_directory() -> Path:
    """Return where the roots are kept when nobody says it: not in the checkout."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "oarepo-s3-ceph"


def make_root(suite: str, directory: Path) -> Path:
    """Return the root of a release, which is made when it is missing: 700 MB, in half a minute.

    :raises ServiceError: when it cannot be made.
    """
    root = directory / suite
    if root.is_dir():
        return root
    print(f"==> Making {root}, a Debian {suite} with its Ceph", flush=True)
    # Under its own name only when it is whole: an interrupted one is not taken for ready.
    partial = directory / f"{suite}.partial"
    _remove(partial)
    directory.mkdir(parents=True, exist_ok=True)
    command = [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={PACKAGES.replace(' ', ',')},ceph-common",
        '--aptopt=APT::Install-Recommends "false"',
        # A mirror may have been frozen some time ago; signatures are checked all the same.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        suite,
        str(partial),
        _mirror(),
    ]
    if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode:
        _remove(partial)
        raise ServiceError(f"mmdebstrap could not make {root}")
    return partial.rename(root)


def _mirror() -> str:
    """Return the mirror from which this machine has its own packages."""
    command = ["apt-get", "indextargets", "--format", "$(SITE)"]
    sites = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    for site in sites:
        if "security" not in site:
            return site
    raise ServiceError("apt knows no mirror of Debian")


def _remove(root: Path) -> None:
    # Whatever may be mounted there is not ours to remove.
    subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=True)


def version_of(root: Path | None) -> str:
    """Return the version that a gateway gives as its own."""
    with (
        tempfile.TemporaryDirectory() as directory,
        CephRGW(Path(directory), root=root) as gateway,
    ):
        return gateway.version


def run_tests(root: Path | None) -> Result:
    """Run all tests marked ``ceph`` with the Ceph of a root, or with this machine's."""
    version = version_of(root)
    print(f"==> Ceph RGW {version}, from {root or 'this machine'}", flush=True)
    environment = {**os.environ, "OAREPO_S3_REQUIRE_SERVICES": "1"}
    if root is not None:
        environment[ROOT_VARIABLE] = str(root)
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory, "report.xml")
        options = ["-m", "ceph", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        begun = time.monotonic()
        status = _wait([sys.executable, "-m", "pytest", *options], environment)
        seconds = time.monotonic() - begun
        passed, failed = count(report)
    return Result(version, passed, failed, seconds, ok=status == 0)


def _wait(command: list[str], environment: dict[str, str]) -> int:
    """Run pytest to its end. Ctrl-C is passed on once, and it gets the time to stop its servers."""
    run = subprocess.Popen(
        command,
        cwd=_CHECKOUT,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return run.wait()
    finally:
        stop_process(run, first=signal.SIGINT, timeout=60)


def count(report: Path) -> tuple[int, int]:
    """Return how many tests passed and failed; a run that was broken off has no report."""
    if not report.is_file():
        return 0, 0
    suite = ElementTree.parse(report).getroot()[0]
    tests, failures, errors, skipped = (
        int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
    )
    return tests - failures - errors - skipped, failures + errors


def table(results: Iterable[Result]) -> str:
    """Return the results for people."""
    rows = [("Ceph RGW", "passed", "failed", "seconds", "")]
    rows += [
        (one.version, str(one.passed), str(one.failed), f"{one.seconds:.0f}", _verdict(one))
        for one in results
    ]
    lines = (f"{row[0]:<10}{row[1]:>8}{row[2]:>8}{row[3]:>9}  {row[4]}" for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _verdict(result: Result) -> str:
    return "ok" if result.ok else "FAILED"


def main(arguments: list[str] | None = None) -> int:
    """Make what is missing, run everything, and print the table."""
    parser = argparse.ArgumentParser(prog="tests/ceph-versions.sh", description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", default=default_directory())
    directory = parser.parse_args(arguments).directory.absolute()
    try:
        roots = [make_root(suite, directory) for suite in SUITES]
        results = [run_tests(root) for root in (None, *roots)]
    except (Missing, ServiceError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"\n{table(results)}")
    return 0 if all(result.ok for result in results) else 1


if __name__ == "__main__":
    # The first run is without a root, whatever the shell has set.
    os.environ.pop(ROOT_VARIABLE, None)
    # TERM stops the servers, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
