# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What ``invenio s3 setup`` has to know: the same names, and the same rules, asked or in a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from ..backends.profiles import PROFILES
from ..backends.registry import InstalledBackend, find_factory, installed_backends
from ..backends.s3 import S3Store
from ..core.errors import InvalidLocation

NONE = "none"
"""What is answered for nothing at all."""

SECRET_FROM = "secret_key_env"
"""Name in a file: the environment variable that has the secret key, which then need not stand in
the file."""

_TEXT = re.compile(r"[!-~]+\Z", re.ASCII)
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]\Z", re.ASCII)
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9._-]+)*\Z", re.ASCII)
_ROLE = re.compile(r"arn:[\w-]+:iam::[^:\s]*:role/\S+\Z", re.ASCII)
_LOCATION = re.compile(r"[a-z][a-z0-9-]{1,19}\Z", re.ASCII)


class WrongAnswers(ValueError):
    """What was answered cannot be right; the text has all complaints, a line each."""

    def __init__(self, complaints: Iterable[str]) -> None:
        super().__init__("\n".join(complaints))


@dataclass(frozen=True, slots=True)
class Answers:
    """All that setup needs.

    :param backend: scheme of the location's URI.
    :param profile: a name in :data:`~oarepo_s3.backends.profiles.PROFILES`.
    :param endpoint: address of the store for the server; None for AWS itself.
    :param public_endpoint: its address for clients, where that is another one.
    :param access_key: None to let the SDK find keys.
    :param prefix: what the keys of the location begin with; None for the whole bucket.
    :param role: ARN of the role that temporary keys are made of.
    :param location: name of the Invenio location.
    :param default: whether new files go there.
    """

    backend: str
    profile: str
    endpoint: str | None
    public_endpoint: str | None
    region: str | None
    access_key: str | None
    secret_key: str | None = field(repr=False)
    bucket: str
    prefix: str | None
    role: str | None
    location: str
    default: bool

    @property
    def uri(self) -> str:
        """The URI of the location."""
        inside = f"/{self.prefix}" if self.prefix else ""
        return f"{self.backend}://{self.bucket}{inside}"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to know.

    :param name: as in a file.
    :param text: as it is asked.
    :param read: makes a value of a text, or raises ``ValueError`` with what was expected instead.
    :param optional: whether :data:`NONE` is an answer.
    """

    name: str
    text: str
    read: Callable[[str], Any]
    optional: bool = False

    def take(self, answer: str) -> Any:
        """Return the value of an answer.

        :raises ValueError: with a sentence that says what was expected; it does not repeat the
            answer, which may be a secret.
        """
        answer = answer.strip()
        if answer.lower() in ("", NONE):
            if self.optional:
                return None
            raise ValueError(f"{self.name} is missing")
        try:
            return self.read(answer)
        except ValueError as error:
            raise ValueError(f"{self.name} has to be {error}") from None


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not pattern.match(text):
            raise ValueError(expected)
        return text

    return read


def s3_backends() -> list[InstalledBackend]:
    """Return the installed back ends whose stores speak S3: others cannot be set up or checked."""
    return [backend for backend in installed_backends() if speaks_s3(backend.name)]


def speaks_s3(scheme: str) -> bool:
    """Whether there is a back end for such URIs whose stores speak S3."""
    try:
        factory = find_factory(scheme)
    except (ImportError, AttributeError, InvalidLocation):
        # Of one that is broken the list of back ends says what is wrong with it.
        return False
    return isinstance(factory, type) and issubclass(factory, S3Store)


def _one_of(names: Callable[[], Iterable[str]]) -> Callable[[str], str]:
    def read(text: str) -> str:
        known = list(names())
        if text not in known:
            raise ValueError(f"one of {', '.join(known)}")
        return text

    return read


def _backend(text: str) -> str:
    known = [backend.name for backend in s3_backends()]
    if text not in known:
        raise ValueError(f"one that speaks S3: {', '.join(known)}")
    return text


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_address = (
            parts.scheme in ("http", "https")
            and parts.hostname
            and (parts.port is None or parts.port > 0)
            and not (parts.username or parts.password or parts.query or parts.fragment)
        )
    except ValueError:
        is_address = False
    if not (is_address and _TEXT.match(text)):
        raise ValueError("an address such as https://s3.example.org, without keys in it")
    return text.rstrip("/")


def _yes_or_no(text: str) -> bool:
    if text.lower() not in ("yes", "y", "true", "no", "n", "false"):
        raise ValueError("yes or no")
    return text.lower()[0] in "yt"


_key = _matching(_TEXT, "a key without spaces")

QUESTIONS = (
    Question("backend", "Back end", _backend),
    Question("profile", "Kind of store", _one_of(lambda: PROFILES)),
    Question("endpoint", "Address of the store (none for AWS)", _address, optional=True),
    Question(
        "public_endpoint",
        "Address of the store for browsers, if that is another one",
        _address,
        optional=True,
    ),
    Question("region", "Region", _matching(_TEXT, "a name without spaces"), optional=True),
    Question("access_key", "Access key (none: the SDK finds keys)", _key, optional=True),
    Question("secret_key", "Secret key", _key, optional=True),
    Question(
        "bucket",
        "Bucket",
        _matching(_BUCKET, "3 to 63 letters, digits, dots and dashes, and no dot at the ends"),
    ),
    Question(
        "prefix",
        "Folder in the bucket (none for all of it)",
        _matching(_PREFIX, "names of letters, digits, dots, dashes and _, with slashes between"),
        optional=True,
    ),
    Question(
        "role",
        "ARN of the role for temporary keys",
        _matching(_ROLE, "an ARN such as arn:aws:iam::123456789012:role/uploader"),
        optional=True,
    ),
    Question(
        "location",
        "Name of the Invenio location",
        _matching(_LOCATION, "2 to 20 small letters, digits and dashes, a letter first"),
    ),
    Question("default", "Shall new files go there by default", _yes_or_no),
)
"""All questions, in the order in which they are asked."""

_BY_NAME = {question.name: question for question in QUESTIONS}


def read_file(content: Any, environ: Mapping[str, str]) -> dict[str, Any]:
    """Read the answers that a file gives.

    :param content: what YAML has made of the file.
    :param environ: the environment, for the secret key.
    :raises WrongAnswers: when a name or a value cannot be right.
    """
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise WrongAnswers(["the file has to have a line `name: value` for each setting"])
    values: dict[str, Any] = {}
    complaints = []
    for name, value in content.items():
        try:
            values.update(_read_entry(name, value, environ))
        except ValueError as error:
            complaints.append(str(error))
    if SECRET_FROM in content and "secret_key" in content:
        complaints.append(f"secret_key and {SECRET_FROM} are both given: leave one out")
    if complaints:
        raise WrongAnswers(complaints)
    return values


def _read_entry(name: Any, value: Any, environ: Mapping[str, str]) -> dict[str, Any]:
    if name == SECRET_FROM:
        if not isinstance(value, str) or not environ.get(value):
            raise ValueError(f"{SECRET_FROM} names an environment variable that is not set")
        return {"secret_key": _BY_NAME["secret_key"].take(environ[value])}
    if name not in _BY_NAME:
        near = get_close_matches(str(name), [*_BY_NAME, SECRET_FROM], n=1, cutoff=0)
        raise ValueError(f"{str(name)!r} is no setting; did you mean {near[0]!r}?")
    if isinstance(value, bool) and name == "default":
        return {name: value}
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} has to be a text: put it in quotes")
    return {name: _BY_NAME[name].take(value or NONE)}


def complete(values: Mapping[str, Any]) -> Answers:
    """Return the answers, when they are all there and fit each other.

    :param values: as they were read, by name.
    :raises WrongAnswers: when one is missing.
    """
    named: dict[str, Any] = {item.name: values.get(item.name) for item in fields(Answers)}
    complaints = [
        f"{question.name} is missing"
        for question in QUESTIONS
        if named[question.name] is None and not question.optional
    ]
    if named["endpoint"] is None and named["profile"] != "aws":
        complaints.append("endpoint is missing: only AWS has none")
    if (named["access_key"] is None) != (named["secret_key"] is None):
        lacking = "access_key" if named["access_key"] is None else "secret_key"
        complaints.append(f"{lacking} is missing: access key and secret key belong together")
    if complaints:
        raise WrongAnswers(complaints)
    return Answers(**named)
