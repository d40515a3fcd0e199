# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""An entry is put into a configuration that has others, which stay as they are, line by line.

A file that is not understood to its last line is refused: what is not understood could get lost.
So is an entry of the same name that is of another store or place, or has keys that do not end: that
is somebody's, and no earlier one of ours.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from .access import ToolConfigError
from .documents import MARK, mc_text
from .ini import KEYLESS, Item, read_sections, write_sections

_IDENTITY = {"type", "endpoint", "host_base", "s3.endpoint_url"}
"""What says at which store an entry is."""

_TOKENS = {"session_token", "access_token", "aws_session_token"}
"""What temporary keys have."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_ENV_PLACE = ("OAREPO_S3_BUCKET", "OAREPO_S3_PREFIX", "OAREPO_S3_KEY")


def check_mergeable(old: str, format: str) -> None:
    """Find out whether a file is understood, before keys are asked for that would find no place.

    :raises ToolConfigError: when it is not, or the format has one entry alone (``json``).
    """
    if format == "json":
        raise ToolConfigError("json has one entry alone, which cannot be merged with another.")
    if not old.strip():
        return
    if format == "mc":
        _read_mc(old)
    elif format == "env":
        _read_env(old)
    else:
        read_sections(old, format)


def merge(old: str, new: str, format: str, *, force: bool = False) -> str:
    """Return a configuration with the entries of another one, written by this package, in it.

    What somebody has added to an entry of the same name stays in it.

    :param old: the file that is there.
    :param new: the document of the same format.
    :param force: replace an entry of the same name as a whole, whoever made it.
    :raises ToolConfigError: as :func:`check_mergeable` does, and when somebody else's entry would
        have to be replaced.
    """
    check_mergeable(old, format)
    if not old.strip():
        return new
    if format == "mc":
        return _merge_mc(old, new, force)
    if format == "env":
        return _merge_env(old, new, force)
    return _merge_ini(old, new, format, force)


def _refuse_foreign(name: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Refuse to replace what is not an earlier one of the new entry."""
    is_other = any(old.get(key) != new[key] for key in _IDENTITY & new.keys())
    # A tool that writes the file again may drop our comment: then the rest has to tell.
    is_elsewhere = old.get(MARK, new.get(MARK)) != new.get(MARK)
    is_permanent = _TOKENS & new.keys() and not _TOKENS & old.keys()
    if is_other or is_elsewhere or is_permanent:
        raise ToolConfigError(
            f"The file has an entry {name!r} of another store or place, or with keys that are not "
            "temporary: choose another name or file, or replace the entry by force."
        )


# rclone, aws, s3cmd


def _merge_ini(old: str, new: str, format: str, force: bool) -> str:
    sections = read_sections(old, format)
    there = {section.name: section for section in sections}
    for section in read_sections(new, format)[1:]:
        section.take_blank_end()
        same = there.get(section.name)
        if same is None:
            sections[-1].end_with_blank()
            sections.append(section)
            continue
        settings = same.settings()
        # s3cmd has one entry for all settings; it may be nobody's so far.
        is_taken = format != "s3cmd" or settings.keys() & {"access_key", "host_base"}
        if is_taken and not force:
            _refuse_foreign(section.name, settings, section.settings())
        end = same.take_blank_end()
        same.items = _merge_items([] if force else same.items, section.items) + end
    return write_sections(sections)


def _merge_items(old: list[Item], new: list[Item]) -> list[Item]:
    """Put ours before what else the entry has."""
    replaced = {item.key for item in new} | _TOKENS
    return [item.extended_by(old) for item in new] + [i for i in old if i.key not in replaced]


# mc


def _read_mc(text: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        config = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise ToolConfigError("The file is no JSON that could be kept as it is.") from None
    if (
        not isinstance(config, dict)
        or config.get("version") != "10"
        or not isinstance(config.get("aliases"), dict)
    ):
        raise ToolConfigError("The file is no configuration of mc, version 10.")
    return config


def _merge_mc(old: str, new: str, force: bool) -> str:
    config = _read_mc(old)
    for name, alias in json.loads(new)["aliases"].items():
        same = config["aliases"].get(name)
        if same is not None and not force:
            _refuse_foreign(name, _alias_settings(same), _alias_settings(alias))
        config["aliases"][name] = alias
    return mc_text(config)


def _alias_settings(alias: Any) -> dict[str, str]:
    """Return what tells whose an alias is, by the names that rclone has for it."""
    names = {"url": "endpoint", "sessionToken": "session_token"}
    found = alias if isinstance(alias, dict) else {}
    return {names[key]: str(value) for key, value in found.items() if key in names and value}


# env


def _merge_env(old: str, new: str, force: bool) -> str:
    before, added = _read_env(old), _read_env(new)
    ours = {name for _, name, _ in added}.union(_ENV_PLACE)
    if not force and any(name in ours for _, name, _ in before):
        _refuse_foreign("AWS_ACCESS_KEY_ID", _env_settings(before), _env_settings(added))
    stays = [line for line, name, _ in before if name not in ours]
    return "".join(f"{line}\n" for line in [*stays, *(line for line, _, _ in added)])


def _read_env(text: str) -> list[tuple[str, str, str]]:
    """Read lines, with the name and the value that each assigns; empty for those that do not."""
    lines = []
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        words = _words(line)
        exports = words[:1] == ["export"]
        name, equals, value = words[-1].partition("=") if words else (KEYLESS, "", "")
        if words and not (equals and len(words) == 1 + exports and _VARIABLE.fullmatch(name)):
            raise ToolConfigError(f"Line {number} of the file is no assignment of a variable.")
        lines.append((line, name, value))
    return lines


def _words(line: str) -> list[str]:
    """Split a line as a shell would: none for a comment, and an operator is a word of its own."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    try:
        return list(words)
    except ValueError:
        # Quotes that go on in the next line.
        return [line]


def _env_settings(lines: list[tuple[str, str, str]]) -> dict[str, str]:
    """Return what tells whose variables these are, by the names that rclone has for it."""
    values = {name: value for _, name, value in lines if value}
    found = {"endpoint": values.get("AWS_ENDPOINT_URL_S3", "")}
    if "AWS_SESSION_TOKEN" in values:
        found["session_token"] = values["AWS_SESSION_TOKEN"]
    if "OAREPO_S3_BUCKET" in values:
        found[MARK] = "/".join(values.get(name, "") for name in _ENV_PLACE)
    return found
