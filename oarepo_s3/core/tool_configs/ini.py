# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""INI files, read so that every line can be written again.

``configparser`` forgets comments, and every tool has a reader of its own that takes a little more
or less. This one takes what all of them read alike, and refuses the rest.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from .access import ToolConfigError
from .documents import MARK

KEYLESS = ""
"""The key of comments and blank lines; the name of what precedes the first section."""

_HEADER = re.compile(r"\[([^\[\]]+)\]\s*")
_SETTING = re.compile(r"([^\s=:\[\]#;\"']+)\s*[=:](.*)")
_OUR_COMMENT = re.compile(re.escape(MARK) + r"(.*?)(?: \(until [^()]*\))?")


@dataclass
class Item:
    """A setting with the lines of its nested ones, or a line that sets nothing."""

    key: str
    lines: list[str]

    def settings(self) -> dict[str, str]:
        """Return the value of the setting, and those of nested ones by names such as ``s3.x``."""
        if self.key in (KEYLESS, MARK):
            place = _OUR_COMMENT.fullmatch(self.lines[0])
            return {MARK: place[1]} if place else {}
        pairs = [_SETTING.fullmatch(line.strip()) for line in self.lines]
        found = [(pair[1].lower(), pair[2].strip()) for pair in pairs if pair]
        return {found[0][0]: found[0][1], **{f"{self.key}.{key}": v for key, v in found[1:]}}

    def extended_by(self, old: list[Item]) -> Item:
        """Return it with the nested settings that an older one had besides."""
        if len(self.lines) == 1:
            return self
        ours = {_key_of(line) for line in self.lines[1:]}
        theirs = [line for item in old if item.key == self.key for line in item.lines[1:]]
        return Item(self.key, self.lines + [line for line in theirs if _key_of(line) not in ours])


def _key_of(line: str) -> str:
    """Return what a line sets; itself for a comment, which sets nothing."""
    setting = _SETTING.fullmatch(line.strip())
    return setting[1].lower() if setting else line


@dataclass
class Section:
    """A section with its header as it is written."""

    name: str
    header: str
    items: list[Item] = field(default_factory=list)

    def settings(self) -> dict[str, str]:
        """Return all settings, nested ones as well, with our comment."""
        return {key: value for item in self.items for key, value in item.settings().items()}

    def take_blank_end(self) -> list[Item]:
        """Remove the blank lines that set the section off from the next one, and return them."""
        count = 0
        for item in reversed(self.items):
            if any(line.strip() for line in item.lines):
                break
            count += 1
        end = self.items[len(self.items) - count :]
        del self.items[len(self.items) - count :]
        return end

    def end_with_blank(self) -> None:
        """Set the section off from a next one, if there is something to set off."""
        self.take_blank_end()
        if self.header or self.items:
            self.items.append(Item(KEYLESS, [""]))


def read_sections(text: str, format: str) -> list[Section]:
    """Read a file of ``rclone``, ``aws`` or ``s3cmd``; the first section is what has no header.

    :raises ToolConfigError: for a line that not all readers take alike, for two sections of one
        name, and for more than the one section of which s3cmd has.
    """
    sections = [Section(KEYLESS, "")]
    names = {KEYLESS}
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        header = _HEADER.fullmatch(line)
        if header is None:
            if not _add_line(sections[-1], line, nests=format == "aws"):
                raise ToolConfigError(f"Line {number} of the file is not understood.")
            continue
        name = _name_of(header[1], number)
        if name in names or (format == "s3cmd" and name != "default"):
            raise ToolConfigError(f"Line {number} of the file begins a section too many.")
        names.add(name)
        sections.append(Section(name, line))
    if any(item.key not in (KEYLESS, MARK) for item in sections[0].items):
        raise ToolConfigError("The file has settings before its first section.")
    return sections


def _name_of(header: str, number: int) -> str:
    """Return the words of a header: aws puts names with spaces between quotes."""
    try:
        return " ".join(shlex.split(header))
    except ValueError:
        raise ToolConfigError(f"Line {number} of the file is not understood.") from None


def _add_line(section: Section, line: str, *, nests: bool) -> bool:
    """Add a line to a section; False when it is not understood.

    :param nests: whether an indented line belongs to the setting before it.
    """
    if not line.strip() or line.lstrip().startswith(("#", ";")):
        section.items.append(Item(MARK if line.startswith(MARK) else KEYLESS, [line]))
        return True
    setting = _SETTING.fullmatch(line.strip())
    if setting is None:
        return False
    if not line[0].isspace():
        section.items.append(Item(setting[1].lower(), [line]))
        return True
    # Comments and blank lines between nested settings stay where they are.
    between: list[Item] = []
    while section.items and not _is_setting(section.items[-1]):
        between.insert(0, section.items.pop())
    if not nests or not section.items:
        return False
    section.items[-1].lines += [each for item in between for each in item.lines] + [line]
    return True


def _is_setting(item: Item) -> bool:
    return item.key not in (KEYLESS, MARK)


def write_sections(sections: list[Section]) -> str:
    """Write a file."""
    lines = []
    for section in sections:
        if section.header:
            lines.append(section.header)
        lines += [line for item in section.items for line in item.lines]
    return "".join(f"{line}\n" for line in lines)
