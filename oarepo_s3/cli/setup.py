# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 setup``: from an address and keys to a location that uploads can use."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, TextIO

import click
from flask import current_app
from invenio_s3.cli import s3

from ..backends import StoreConfig
from ..backends.registry import find_factory, installed_backends
from ..core.uris import ObjectURI
from ..provisioning.answers import Answers
from ..provisioning.buckets import Creation
from ..provisioning.findings import Finding, Level, Report
from ..provisioning.fragment import HEADER, SECRET_VARIABLE, write_fragment
from ..provisioning.prepare import NotReady, configure, prepared
from ..provisioning.subject import Subject
from ..proxies import current_s3
from ..services import LocationInUse, keep_profile, location_differs, set_location
from .changes import creation_lines
from .findings import finding_lines, report_lines
from .output import dry_run_option, json_option, operator_command, say
from .private_file import PrivateFile, PrivateFileError
from .setup_answers import gather
from .setup_others import Move, find_move


@s3.command()
@json_option
@operator_command
def backends(as_json: bool) -> None:
    """List the installed back ends, each with the stores that it is for."""
    found = installed_backends()
    lines = [f"{backend.name}: {backend.summary}" for backend in found]
    say(lines, {"backends": [asdict(backend) for backend in found]}, as_json=as_json)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What setup did, or would do in a dry run.

    :param move: what the settings do to other locations, once they are in place.
    """

    answers: Answers
    output: Path
    with_secret: bool
    bucket: Creation
    location_changed: bool
    file_changed: bool
    report: Report | None
    move: Move | None = None

    @property
    def changed(self) -> bool:
        """Whether anything was not as it should be."""
        return self.bucket.created or self.location_changed or self.file_changed


@s3.command()
@click.option("-n", "--non-interactive", is_flag=True, help="Ask nothing.")
@click.option("--config", "config", type=click.File("r"), help="YAML file with the answers.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default="oarepo-s3.cfg",
    show_default=True,
    help="File for the settings; nobody else can read it.",
)
@click.option(
    "--with-secret",
    is_flag=True,
    help=f"Write the secret key into the file, too. Else {SECRET_VARIABLE} has to have it.",
)
@click.option("--default", is_flag=True, help="Let new files go to the location.")
@click.option(
    "--all-locations",
    is_flag=True,
    help="Let all S3 locations get the address and the keys, where they differ from those now.",
)
@dry_run_option
@json_option
@operator_command
def setup(
    non_interactive: bool,
    config: TextIO | None,
    output: Path,
    with_secret: bool,
    default: bool,
    all_locations: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make a store's bucket the place of files, and test that uploads work there.

    Asks for the store and its keys, makes the bucket if there is none (as `bucket create` does),
    tests it, and writes the location and a file with the settings. When the test fails nothing is
    kept. It may be repeated. An instance has one address and one pair of keys for all its S3
    locations: others are not given other ones unless --all-locations is said.
    """
    answers = gather(config, interactive=not non_interactive, default=default)
    try:
        outcome = _set_up(
            answers,
            output,
            with_secret=with_secret,
            all_locations=all_locations,
            dry_run=dry_run,
        )
    except (NotReady, LocationInUse, PrivateFileError) as error:
        _refuse(error, as_json=as_json)
    say(_lines(outcome, dry_run), _data(outcome, dry_run), as_json=as_json)


def _refuse(error: NotReady | LocationInUse | PrivateFileError, *, as_json: bool) -> NoReturn:
    """Say that nothing was kept, and why: a machine gets it where it looks for the result."""
    if isinstance(error, NotReady):
        findings = error.findings
    else:
        check = "location" if isinstance(error, LocationInUse) else "file"
        findings = [Finding(check, Level.FAILURE, str(error))]
    if as_json:
        say((), {"failed": True, "findings": [asdict(each) for each in findings]}, as_json=True)
        raise SystemExit(1) from error
    problems = [line for finding in findings for line in finding_lines(finding)]
    raise click.ClickException("\n".join(["Nothing was kept.", *problems])) from error


def _set_up(
    answers: Answers, output: Path, *, with_secret: bool, all_locations: bool, dry_run: bool
) -> Outcome:
    place: dict[str, Any] = {
        "name": answers.location,
        "uri": answers.uri,
        "default": answers.default,
    }
    moves = location_differs(**place)
    settings = write_fragment(answers, with_secret=with_secret)
    file = PrivateFile(output, replace=True)
    before = _written_before(file)
    rewrites = before != settings or not file.is_private
    instance = current_s3.store_config(ObjectURI.parse(answers.uri))
    subject = _subject(answers, instance)
    move = find_move(answers, subject.config, instance, before)
    if move and not all_locations:
        raise NotReady([move.finding])
    store = find_factory(answers.backend)(answers.bucket, subject.config)
    with prepared(store, subject, dry_run=dry_run) as done, ExitStack() as stack:
        if not dry_run:
            if rewrites:
                stack.enter_context(file.staged(settings))
            # The location last: of what is kept, it alone does harm when the rest is missing.
            _keep_profile(subject, done.report)
            moves = set_location(**place)
    return Outcome(answers, output, with_secret, done.bucket, moves, rewrites, done.report, move)


def _keep_profile(subject: Subject, report: Report | None) -> None:
    if report is not None and report.profile is not None:
        keep_profile(subject.place, subject.config.endpoint_url, report.profile)


def _written_before(file: PrivateFile) -> str:
    """Return what setup has written before, empty for nothing.

    :raises PrivateFileError: when somebody else has written it.
    """
    before = file.read()
    if before and not before.startswith(HEADER):
        raise PrivateFileError(
            f"{file.path} is there already, and was not written by setup: choose another --output."
        )
    return before


def _subject(answers: Answers, instance: StoreConfig) -> Subject:
    """Return what is to be tested: the store by what was answered, the rest by the instance."""
    settings = current_s3.settings
    return Subject(
        config=configure(answers, instance),
        site=replace(current_s3.site(answers.bucket), role=answers.role),
        prefix=answers.prefix or "",
        upload_lifetime=settings.upload_lifetime,
        part_url_lifetime=settings.part_url_lifetime,
    )


def _lines(outcome: Outcome, dry_run: bool) -> Iterator[str]:
    if outcome.report is not None:
        yield from report_lines(outcome.report)
    answers, would = outcome.answers, "would be " if dry_run else ""
    yield from creation_lines(answers.bucket, outcome.bucket, dry_run=dry_run)
    written = f"{would}written" if outcome.location_changed else "is as it should be"
    kind = ", the default" if answers.default else ""
    yield f"Location {answers.location} ({answers.uri}{kind}): {written}."
    written = f"{would}written" if outcome.file_changed else "is as it should be"
    yield f"Settings in {outcome.output}: {written}."
    if not outcome.changed:
        yield "Nothing has to be changed." if dry_run else "Nothing had to be changed."
    if not dry_run:
        yield "Next:"
        yield from (f"  {command}" for command in _next_steps(outcome))


def _next_steps(outcome: Outcome) -> list[str]:
    """Return what is left to do, a command each."""
    name = outcome.answers.location
    settings = shlex.quote(str(Path(current_app.instance_path) / "invenio.cfg"))
    has_secret = outcome.answers.secret_key is not None
    closed = [f"touch {settings} && chmod 600 {settings}  # it gets the secret key"]
    typed = [f"read -rs {SECRET_VARIABLE} && export {SECRET_VARIABLE}  # it stands in no history"]
    origins = """'OAREPO_S3_ORIGINS = ["https://..."]'"""
    # SITE_UI_URL is seldom unset: its default is the address of a developer's machine.
    without = not current_app.config["OAREPO_S3_ORIGINS"]
    return [
        *(closed if has_secret and outcome.with_secret else []),
        f"cat {shlex.quote(str(outcome.output))} >> {settings}",
        *([f"echo {origins} >> {settings}  # where your pages are"] if without else []),
        *(typed if has_secret and not outcome.with_secret else []),
        *(
            f"invenio s3 policy {kind} --location {name} --apply"
            for kind in ("cors", "lifecycle")
            if _is_left_to_do(kind, outcome)
        ),
        "invenio s3 check" if outcome.move else f"invenio s3 check {name}",
        "celery --app invenio_app.celery beat  # with the tasks of oarepo_s3.tasks in its schedule",
    ]


def _is_left_to_do(kind: str, outcome: Outcome) -> bool:
    """Whether the bucket still has to get a document, by what the check says mends it."""
    if kind == "cors" and not current_app.config["OAREPO_S3_ORIGINS"]:
        return True  # It was tried for other pages than those that will be said.
    if outcome.report is None:
        return not outcome.bucket.created or kind == "cors"
    remedies = [finding.remedy or "" for finding in outcome.report.findings]
    return any(f"invenio s3 policy {kind} " in remedy for remedy in remedies)


def _data(outcome: Outcome, dry_run: bool) -> dict[str, Any]:
    answers = outcome.answers
    return {
        "failed": False,
        "dry_run": dry_run,
        "bucket": {
            "name": answers.bucket,
            "created": outcome.bucket.created,
            "notes": outcome.bucket.notes,
        },
        "report": outcome.report and outcome.report.as_dict(),
        "location": {
            "name": answers.location,
            "uri": answers.uri,
            "default": answers.default,
            "changed": outcome.location_changed,
        },
        "file": {"path": str(outcome.output), "changed": outcome.file_changed},
        "next": _next_steps(outcome),
    }
