# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The tests of invenio-s3 or invenio-records-resources, with their classes and with ours.

``tests/upstream.sh`` runs this. The tests are taken from a checkout and run, unchanged, against the
installed package, with a Ceph RGW, PostgreSQL and Valkey that are new for each run.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import boto3
from botocore.config import Config

from ..services import CephRGW, Missing, Postgres, ServiceError, Valkey
from ..services.process import stop_process
from .oarepo_s3_upstream import MODE_VARIABLE

SUITES = ("invenio-s3", "invenio-records-resources")
MODES = ("stock", "ours")

BUCKET = "default"
"""The bucket that both suites expect, and expect to be empty."""

KINDS = {"failure": "failed", "error": "error", "skipped": "skipped"}
"""Elements of pytest's report, and what they say of a test."""

_PLUGIN = Path(__file__).with_name("oarepo_s3_upstream.py")


@dataclass(frozen=True)
class Run:
    """What came of one run, by the name of the test."""

    outcomes: dict[str, str]
    notes: dict[str, str]
    """Why a test was skipped, failed or broke."""
    ok: bool
    """Whether it came to its end, and ours was used where it had to be."""

    def counts(self) -> str:
        """Return how many tests passed, failed and so on."""
        number = Counter(self.outcomes.values())
        return ", ".join(f"{number[kind]} {kind}" for kind in ("passed", *KINDS.values()))


def run_suite(checkout: Path, mode: str, more: list[str]) -> Run:
    """Run the tests of a checkout against what is installed.

    :param more: arguments for pytest.
    """
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        copy_tests(checkout, directory)
        report = directory / "report.xml"
        options = ["-p", _PLUGIN.stem, "-p", "no:cacheprovider", f"--junitxml={report}"]
        command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=short", *options]
        with servers(directory / "servers") as addresses:
            environment = {**os.environ, **addresses, MODE_VARIABLE: mode}
            environment["PYTHONPATH"] = path_of_plugin()
            status = wait_for([*command, *more], directory / "suite", environment)
        # 1: some tests failed. More is a run that was broken off, or the plugin's complaint.
        return read_report(report, ok=status in (0, 1))


def path_of_plugin() -> str:
    """Return the path that finds the plugin, and what found this package."""
    return os.pathsep.join(filter(None, [str(_PLUGIN.parent), os.environ.get("PYTHONPATH")]))


def copy_tests(checkout: Path, directory: Path) -> None:
    """Copy the tests alone: beside the package's sources Python would import those.

    The settings of pytest stay behind, too: they ask for checks of style and for the coverage.
    """
    suite = directory / "suite"
    shutil.copytree(checkout / "tests", suite / "tests")
    # The tests of invenio-s3 upload it.
    shutil.copy(checkout / "LICENSE", suite)
    (suite / "pytest.ini").write_text("[pytest]\naddopts = -W ignore -m 'not manual'\n")


@contextlib.contextmanager
def servers(directory: Path) -> Iterator[dict[str, str]]:
    """Run what the tests need; yields where it is, for their environment."""
    directory.mkdir()
    with (
        CephRGW(directory / "ceph") as ceph,
        Postgres(directory / "postgres") as postgres,
        Valkey(directory / "valkey") as valkey,
    ):
        make_bucket(ceph)
        yield {
            "S3_ENDPOINT_URL": ceph.endpoint_url,
            "S3_ACCESS_KEY_ID": ceph.access_key,
            "S3_SECRET_ACCESS_KEY": ceph.secret_key,
            # Ceph 16 and 18 do not know the checksums that botocore sends by itself.
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
            "SQLALCHEMY_DATABASE_URI": postgres.create_database("upstream"),
            "BROKER_URL": valkey.url,
            "INVENIO_CELERY_BROKER_URL": valkey.url,
            "INVENIO_CACHE_REDIS_URL": valkey.url,
            "INVENIO_ACCOUNTS_SESSION_REDIS_URL": valkey.url,
        }


def make_bucket(ceph: CephRGW) -> None:
    """Make the bucket that the tests expect to be there."""
    client = boto3.client(
        "s3",
        endpoint_url=ceph.endpoint_url,
        aws_access_key_id=ceph.access_key,
        aws_secret_access_key=ceph.secret_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    client.create_bucket(Bucket=BUCKET)


def wait_for(command: list[str], directory: Path, environment: dict[str, str]) -> int:
    """Run pytest to its end. Ctrl-C is passed on once."""
    run = subprocess.Popen(
        command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return run.wait()
    finally:
        stop_process(run, first=signal.SIGINT, timeout=60)


def read_report(report: Path, *, ok: bool) -> Run:
    """Read what pytest wrote; a run that was broken off has written nothing."""
    outcomes: dict[str, str] = {}
    notes: dict[str, str] = {}
    if not report.is_file():
        return Run(outcomes, notes, ok=False)
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        found = next((part for part in case if part.tag in KINDS), None)
        # A test that failed and then broke in its teardown is written twice.
        if found is None:
            outcomes.setdefault(name, "passed")
        else:
            outcomes[name] = KINDS[found.tag]
            notes[name] = (found.get("message") or "").strip().partition("\n")[0]
    return Run(outcomes, notes, ok=ok and bool(outcomes))


def differences(stock: Run, ours: Run) -> list[str]:
    """Return the tests whose outcome is not the same, each with both and why."""
    lines = []
    for name in sorted({*stock.outcomes, *ours.outcomes}):
        before, after = (run.outcomes.get(name, "not run") for run in (stock, ours))
        if before != after:
            note = ours.notes.get(name) or stock.notes.get(name, "")
            lines.append(f"{name}: {before} -> {after}  {note}".rstrip())
    return lines


def not_passed(run: Run) -> list[str]:
    """Return the tests that failed or broke, each with the reason."""
    return [
        f"{name}: {run.outcomes[name]}  {note}".rstrip()
        for name, note in sorted(run.notes.items())
        if run.outcomes[name] != "skipped"
    ]


def print_list(title: str, lines: list[str]) -> None:
    """Print a list with its title, also when it is empty."""
    print(f"\n{title}: {len(lines) or 'none'}")
    for line in lines:
        print(f"  {line}")


def main(arguments: list[str] | None = None) -> int:
    """Run the suite once with each, and print both counts and what differs."""
    parser = argparse.ArgumentParser(prog="tests/upstream.sh", description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("checkout", type=Path, help="a directory with tests/ and LICENSE")
    parser.add_argument("more", nargs="*", help="arguments for pytest, after --")
    asked = parser.parse_args(arguments)
    if not (asked.checkout / "tests").is_dir():
        parser.error(f"no tests in {asked.checkout}")
    runs = {}
    try:
        for mode in MODES:
            print(f"==> {asked.suite}, {mode}", flush=True)
            runs[mode] = run_suite(asked.checkout, mode, asked.more)
    except (Missing, ServiceError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"\n{asked.suite} {importlib.metadata.version(asked.suite)}, installed")
    for mode, run in runs.items():
        print(f"{mode:<12}{run.counts()}{'' if run.ok else '  INVALID, see above'}")
    print_list("not passed with stock", not_passed(runs["stock"]))
    differ = differences(runs["stock"], runs["ours"])
    print_list("ours, other than stock", differ)
    return 0 if all(run.ok for run in runs.values()) and not differ else 1


if __name__ == "__main__":
    # TERM stops the servers, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
