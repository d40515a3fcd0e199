# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``{sequence}``: who says what to whom, from top to bottom.

The argument names the parties, separated by commas. Each line of the body is one of::

    == a heading
    Client -> Server: a request
    Server --> Client: an answer (dashed)
    Server: what it does by itself
"""

from __future__ import annotations

import re
from textwrap import wrap
from typing import Any

import svg
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.errors import ExtensionError

COLUMN, TOP, MARGIN = 208, 30, 112
LINE = 17
CHARACTER = 6.7
"""Width of a character of the labels, on average."""
MESSAGE = re.compile(r"(.+?) (-->|->) (.+?): (.+)\Z")


class Sequence(Directive):
    """A drawing of calls between parties."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Draw the body."""
        parties = [name.strip() for name in self.arguments[0].split(",")]
        sheet = Sheet(parties)
        for line in filter(None, map(str.strip, self.content)):
            sheet.add(line)
        return [svg.figure(sheet.finish())]


class Sheet:
    """A drawing that grows downwards.

    :param parties: names, from left to right.
    """

    def __init__(self, parties: list[str]) -> None:
        self.x = {name: MARGIN + number * COLUMN for number, name in enumerate(parties)}
        self.width = 2 * MARGIN + (len(parties) - 1) * COLUMN
        self.y = TOP + 34.0
        self.pieces: list[str] = []
        self.gaps: dict[str, list[tuple[float, float]]] = {name: [] for name in parties}

    def add(self, line: str) -> None:
        """Draw one line of the body.

        :raises ExtensionError: when it is none of the known forms.
        """
        if line.startswith("== "):
            self._heading(line[3:])
        elif match := MESSAGE.match(line):
            self._message(match[1], match[3], match[4], dashed=match[2] == "-->")
        elif line.partition(": ")[0] in self.x:
            self._note(*line.split(": ", 1))
        else:
            raise ExtensionError(f"Not a line of a sequence: {line!r}")

    def finish(self) -> str:
        """Return the SVG."""
        bottom = self.y + 6
        back = []
        for name, x in self.x.items():
            back.append(svg.box(x, TOP, 124, 36) + svg.text(x, TOP, name, size=15, bold=True))
            top = TOP + 18.0
            for start, end in [*self.gaps[name], (bottom, bottom)]:
                back.append(svg.line(f"M{x} {top:.1f} V{start:.1f}", arrow=False, dashed=True))
                top = end
        return svg.drawing(self.width, bottom + 8, "Sequence of an upload", [*back, *self.pieces])

    def _heading(self, words: str) -> None:
        self.y += 14
        self._write([words], 8, bold=True, anchor="start")
        self.y += 20

    def _message(self, source: str, target: str, words: str, *, dashed: bool) -> None:
        start, end = self.x[source], self.x[target]
        lines = _wrap(words, abs(end - start) - 26)
        self._write(lines, (start + end) / 2)
        self.y += len(lines) * LINE - 3
        side = 3 if end > start else -3
        self.pieces.append(svg.line(f"M{start + side} {self.y:.1f} H{end - side}", dashed=dashed))
        self.y += 21

    def _note(self, party: str, words: str) -> None:
        lines = _wrap(words, COLUMN - 40)
        height = len(lines) * LINE + 10
        top = self.y - 6
        width = max(map(len, lines)) * CHARACTER + 20
        self.pieces.append(svg.box(self.x[party], top + height / 2, width, height))
        self.y = top + 5 + LINE / 2
        self._write(lines, self.x[party], bold=False)
        self.gaps[party][-1] = (top, top + height)
        self.y = top + height + 18

    def _write(
        self, lines: list[str], x: float, *, bold: bool = False, anchor: str = "middle"
    ) -> None:
        """Write lines of text, and interrupt the lifelines behind them."""
        size = 14 if bold else 13
        for number, line in enumerate(lines):
            y = self.y + number * LINE
            self.pieces.append(svg.text(x, y, line, size=size, bold=bold, anchor=anchor))
        width = max(map(len, lines)) * CHARACTER * (1.2 if bold else 1)
        left = x if anchor == "start" else x - width / 2
        for name, at in self.x.items():
            if left - 4 < at < left + width + 4:
                end = self.y + (len(lines) - 1) * LINE + 9
                self.gaps[name].append((self.y - 9, end))


def _wrap(words: str, width: float) -> list[str]:
    return wrap(words, int(width / CHARACTER))


def setup(app: Any) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("sequence", Sequence)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
