# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 check``: try what uploads need of a location's store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import click
from invenio_s3.cli import s3

from ..core.errors import StoreDenied, UploadError
from ..provisioning.check import check_store
from ..provisioning.findings import Finding, Level, Report
from ..provisioning.subject import Subject
from ..provisioning.web import Web
from ..proxies import current_s3
from ..services import PartUrl, forget_kept_profile, keep_profile, place_of, try_upload
from .findings import report_lines
from .output import dry_run_option, json_option, operator_command, say
from .places import Place, all_places, find_place, origin_option


@s3.command()
@click.argument("location", required=False)
@click.option("--upload", is_flag=True, help="Upload a file through this instance as well.")
@origin_option
@click.option("--no-store-profile", is_flag=True, help="Do not keep what the store can do.")
@click.option("--forget-profile", is_flag=True, help="Forget what was kept; check nothing.")
@click.option("--strict", is_flag=True, help="Take warnings for failures.")
@dry_run_option
@json_option
@operator_command
def check(
    location: str | None,
    upload: bool,
    origins: tuple[str, ...],
    no_store_profile: bool,
    forget_profile: bool,
    strict: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Try at the store of LOCATION, or of all, what uploads need, and say what mends it.

    Writes test objects below check-... in the location, and removes them. What the store can do is
    kept, and used by processes that start afterwards.
    """
    if forget_profile and (upload or origins or no_store_profile or strict):
        raise click.UsageError("--forget-profile checks nothing: leave out what is for a check.")
    places = [(place, _subject(place, origins)) for place in _places(location)]
    if forget_profile:
        _forget([place for place, _ in places], dry_run=dry_run, as_json=as_json)
        return
    options = {"upload": upload, "keep": not no_store_profile}
    if dry_run:
        _say_plan(places, **options, as_json=as_json)
        return
    results = [(place, _check(place, subject, **options)) for place, subject in places]
    lines = [line for place, report in results for line in _lines(place, report)]
    say(
        lines,
        {
            "locations": [
                {"location": place.location, "uri": place.shown, **report.as_dict()}
                for place, report in results
            ]
        },
        as_json=as_json,
    )
    if any(report.failed or (strict and report.warned) for _, report in results):
        raise SystemExit(1)


def _places(location: str | None) -> list[Place]:
    """Find the location, or all that are at S3 stores."""
    if location is not None:
        return [find_place(location, None)]
    places = all_places()
    if not places:
        raise click.ClickException("No location is at an S3 store: `invenio s3 setup` makes one.")
    return places


def _subject(place: Place, origins: Sequence[str]) -> Subject:
    settings = current_s3.settings
    return Subject(
        config=current_s3.store_config(place.uri),
        site=current_s3.site(place.bucket, origins),
        prefix=place.prefix,
        location=place.location,
        upload_lifetime=settings.upload_lifetime,
        part_url_lifetime=settings.part_url_lifetime,
    )


def _check(place: Place, subject: Subject, *, upload: bool, keep: bool) -> Report:
    report = check_store(subject)
    more: list[Finding] = []
    if keep and report.profile is not None:
        keep_profile(place_of(place.uri), subject.config.endpoint_url, report.profile)
        more.append(
            Finding(
                "profile",
                Level.OK,
                "What the store can do is kept. Processes that run already take it when they are"
                " restarted.",
            )
        )
    if upload:
        more += _upload(place, subject, report)
    return replace(report, findings=[*report.findings, *more])


def _upload(place: Place, subject: Subject, report: Report) -> Iterator[Finding]:
    """Upload a file through the instance, unless that cannot work."""
    if report.profile is None:
        yield Finding("upload", Level.NOTE, "Skipped, because of the failure above.")
        return
    with Web(subject.config.verify) as web:

        def send(url: PartUrl, content: bytes) -> None:
            answer = web.send("PUT", url.url, body=content, headers=url.headers)
            if not answer.is_good:
                raise StoreDenied(reason=f"a part was answered with {answer}")

        try:
            left = try_upload(place.location, send)
        except UploadError as error:
            yield Finding(
                "upload",
                Level.FAILURE,
                f"A test upload through this instance failed: {error} ({error.code})",
                "Mend what is said above, then: invenio s3 check --upload",
            )
            return
    yield Finding("upload", Level.OK, "A file was uploaded through this instance, and read back.")
    if left:
        yield Finding(
            "left behind",
            Level.WARNING,
            f"The test upload could not be removed: {'; '.join(left)}.",
            "Let the tasks of invenio-files-rest and the recovery run.",
        )


def _forget(places: Sequence[Place], *, dry_run: bool, as_json: bool) -> None:
    """Let the settings say again what the stores can do."""
    forgotten = []
    for kept in dict.fromkeys(place_of(place.uri) for place in places):
        if forget_kept_profile(kept, dry_run=dry_run):
            forgotten.append(kept)
    would = "Would forget" if dry_run else "Forgot"
    lines = [f"{would} what {place} can do." for place in forgotten] or ["Nothing was kept."]
    say(lines, {"forgotten": forgotten}, as_json=as_json)


def _lines(place: Place, report: Report) -> Iterator[str]:
    yield f"Location {place.location}, {place.shown}:"
    yield from report_lines(report)


def _say_plan(
    places: Sequence[tuple[Place, Subject]], *, upload: bool, keep: bool, as_json: bool
) -> None:
    plans: list[dict[str, Any]] = [
        {
            "location": place.location,
            "uri": place.shown,
            "endpoint_url": subject.config.endpoint_url,
            "origins": list(subject.site.origins),
            "upload": upload,
            "store_profile": keep,
        }
        for place, subject in places
    ]
    lines = [
        f"Would check {plan['location']}, {plan['uri']}, at {plan['endpoint_url'] or 'AWS'}"
        f" for {', '.join(plan['origins']) or 'no origin'}"
        f"{', upload a file' if upload else ''}{', and keep its profile' if keep else ''}."
        for plan in plans
    ]
    say(lines, {"locations": plans}, as_json=as_json)
