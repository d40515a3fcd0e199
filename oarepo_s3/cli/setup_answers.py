# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Where ``invenio s3 setup`` gets its answers: the instance, a file, and whoever types them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TextIO

import click
import yaml
from flask import current_app

from ..core.errors import InvalidLocation
from ..core.uris import ObjectURI
from ..provisioning.answers import (
    NONE,
    QUESTIONS,
    Answers,
    Question,
    WrongAnswers,
    complete,
    read_file,
    s3_backends,
    speaks_s3,
)
from ..services import default_location

SETTINGS = {
    "profile": "OAREPO_S3_PROFILE",
    "endpoint": "S3_ENDPOINT_URL",
    "public_endpoint": "OAREPO_S3_PUBLIC_ENDPOINT_URL",
    "region": "S3_REGION_NAME",
    "access_key": "S3_ACCESS_KEY_ID",
    "secret_key": "S3_SECRET_ACCESS_KEY",
    "role": "OAREPO_S3_UPLOAD_ROLE",
}
"""The settings of the instance that have answers already."""

FIRST_NAME = "s3-default"
"""Name of the location, where the instance has none at a store yet."""


def gather(file: TextIO | None, *, interactive: bool, default: bool) -> Answers:
    """Return all answers: those of the file go over the instance's, and typed ones over both.

    :param default: True when the option says that new files go there: it is not asked then.
    :raises click.UsageError: when some are wrong or missing.
    """
    values = {"region": "us-east-1", **_configured()}
    try:
        if file is not None:
            values |= read_file(_parse(file), os.environ)
        if default:
            values["default"] = True
        for question in QUESTIONS if interactive else ():
            if not _is_needless(question, values, default):
                values[question.name] = _ask(question, values)
        values.setdefault("default", _is_default(values))
        return complete(_without_needless(values))
    except WrongAnswers as error:
        raise click.UsageError(str(error)) from error


def _configured() -> dict[str, Any]:
    """Return what the instance's configuration and its default location say.

    What cannot be right is left out: that is what setup is called for.
    """
    said: dict[str, Any] = {
        name: current_app.config.get(setting) for name, setting in SETTINGS.items()
    }
    said |= {"backend": "s3", "location": FIRST_NAME, **_located()}
    values = {}
    for question in QUESTIONS:
        with suppress(ValueError):
            if said.get(question.name):
                values[question.name] = question.take(str(said[question.name]))
    return values


def _located() -> dict[str, str]:
    """Return what the default location says, if it is at a store."""
    place = default_location()
    if place is None:
        return {}
    try:
        uri = ObjectURI.parse(place.uri)
    except InvalidLocation:
        return {}  # files-rest's own, on a disk
    if not speaks_s3(uri.scheme):
        return {}
    return {
        "backend": uri.scheme,
        "bucket": uri.bucket,
        "prefix": uri.key,
        "location": place.name,
    }


def _is_default(values: Mapping[str, Any]) -> bool:
    """Whether new files go to the location when nobody says anything of it."""
    place = default_location()
    return place is None or place.name == values.get("location")


def _parse(file: TextIO) -> Any:
    try:
        return yaml.safe_load(file)
    except yaml.YAMLError as error:
        # Its own text may show the line, and with it the secret.
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise click.UsageError(f"The file is no YAML: something is wrong{where}.") from None


def _is_needless(question: Question, values: Mapping[str, Any], default: bool) -> bool:
    """Whether other answers make a question needless."""
    if question.name in ("endpoint", "public_endpoint"):
        return values["profile"] == "aws"
    if question.name == "secret_key":
        return values["access_key"] is None
    return question.name == "default" and default


def _without_needless(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what the instance still says of another kind of store."""
    kept = dict(values)
    if kept.get("access_key") is None:
        kept["secret_key"] = None
    return kept


def _ask(question: Question, values: Mapping[str, Any]) -> Any:
    """Ask until the answer can be right; all but the result goes to the other output."""
    known = values.get(question.name)
    if question.name == "backend":
        for backend in s3_backends():
            click.echo(f"  {backend.name}: {backend.summary}", err=True)
    if question.name == "default":
        known = "yes" if _is_default(values) else "no"
    hidden = question.name == "secret_key"
    suggested = known or (NONE if question.optional and not hidden else None)
    return click.prompt(
        f"{question.text} (Enter: as it is configured)" if hidden and known else question.text,
        default=suggested,
        hide_input=hidden,
        show_default=not hidden,
        value_proc=_reader(question),
        err=True,
    )


def _reader(question: Question) -> Callable[[str], Any]:
    def read(answer: str) -> Any:
        try:
            return question.take(answer)
        except ValueError as error:
            raise click.UsageError(str(error)) from error

    return read
