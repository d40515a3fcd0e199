# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The doctor: try at a store what uploads need of it, and say what it means."""

from __future__ import annotations

from ..core.errors import StoreError
from .bench import Bench, Stop
from .explain import explain, explain_all
from .findings import Finding, Level, Report
from .probe_abilities import probe_condition, probe_forms, probe_size, probe_versions
from .probe_address import probe_clock, probe_public_address
from .probe_browser import probe_browser, probe_forms_of_browsers
from .probe_bucket import probe_lifecycle
from .probe_checksums import probe_object_checksums, probe_part_checksums
from .probe_keys import probe_life_of_keys, probe_sts
from .probe_objects import probe_object, probe_rights_to_remove, probe_upload
from .subject import Subject
from .web import Web

BASICS = {"abort", "delete", "multipart", "parts", "presigned URL", "read", "write"}
"""Where one of these fails, what was seen of the store's abilities says nothing."""


def check_store(subject: Subject) -> Report:
    """Try everything at a store, and remove what was made for it, also when it is interrupted.

    What the store refuses, lacks or breaks is among the findings; no error of it is raised. What
    cannot be removed is in the report, and in the log.
    """
    findings: list[Finding] = []
    with Web(subject.config.verify) as web:
        try:
            bench = Bench(subject, web, findings)
        except StoreError as error:
            findings.append(
                explain_all(error, subject)
                or explain(error, "address", "to be reached", None, subject)
            )
            return Report(subject.place, findings)
        hampered = False
        try:
            _probe(bench)
        except Stop:
            hampered = True
            bench.found("rest", Level.NOTE, "Skipped, because of the failure above.")
        finally:
            left = bench.clean()
    if left:
        findings.append(_left_behind(subject, bench.folder, left))
    hampered |= any(f.check in BASICS and f.level is Level.FAILURE for f in findings)
    return Report(subject.place, findings, None if hampered else bench.abilities, left)


def _probe(bench: Bench) -> None:
    """Try all, in the order in which one thing needs another.

    :raises Stop: when nothing else can be tried.
    """
    probe_clock(bench)
    probe_rights_to_remove(bench)
    probe_life_of_keys(bench)
    probe_object(bench)
    probe_upload(bench)
    probe_lifecycle(bench)
    probe_public_address(bench)
    if bench.may_abort:
        probe_part_checksums(bench)
        probe_browser(bench)
        probe_sts(bench)
    if bench.may_abort and bench.may_delete:
        probe_object_checksums(bench)
        probe_condition(bench)
        probe_size(bench)
        probe_forms(bench)
        probe_forms_of_browsers(bench)
        probe_versions(bench)
    else:
        bench.found(
            "abilities",
            Level.NOTE,
            "Not all was tried, because the test objects and uploads could not be removed again.",
        )


def _left_behind(subject: Subject, folder: str, left: list[str]) -> Finding:
    address = subject.config.endpoint_url
    aws = f"aws --endpoint-url {address}" if address else "aws"
    return Finding(
        "left behind",
        Level.WARNING,
        f"Could not be removed: {'; '.join(left)}.",
        f"{aws} s3 rm --recursive s3://{subject.site.bucket}/{folder}  (with keys that may; open"
        " uploads are removed by the lifecycle rule)",
    )
