# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``{upload-states}``: the states of an upload and their moves, drawn from the code.

The body gives a caption for each move, ``pending -> completing: all parts are right``. A move that
the code does not allow, or one without a caption, is an error: the page cannot go stale.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from math import hypot
from typing import Any, ClassVar

import layers
import svg
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.errors import ExtensionError
from sphinx.pycode import ModuleAnalyzer

from oarepo_s3.core import states
from oarepo_s3.core.states import FINAL_STATES, MOVES, UploadState

WIDTH, HEIGHT = 128, 46
COLUMN, ROW, MARGIN = 236, 68, 14
PORT = 10
CLEARANCE = 24
CAPTION = re.compile(r"(\w+) -> (\w+): (.+)\Z")
Move = tuple[UploadState, UploadState]
Point = tuple[float, float]


class UploadStates(Directive):
    """A drawing of the moves, a table that explains them, and the meaning of each state."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Draw, and check the captions."""
        captions = read_captions(list(self.content))
        numbers = {move: number for number, move in enumerate(captions, 1)}
        moves = [[str(n), *move, captions[move]] for move, n in numbers.items()]
        meanings = ModuleAnalyzer.for_module(states.__name__).find_attr_docs()
        listed = [
            [state.value, " ".join(meanings["UploadState", state.name]).strip()]
            for state in UploadState
        ]
        return [
            svg.figure(draw(numbers)),
            table(["", "From", "To", "When"], [5, 14, 14, 67], moves, code=(1, 2)),
            table(["State", "Meaning"], [16, 84], listed, code=(0,)),
        ]


def read_captions(lines: list[str]) -> dict[Move, str]:
    """Read the captions; each legal move has to have exactly one.

    :raises ExtensionError: otherwise.
    """
    captions: dict[Move, str] = {}
    for line in filter(None, map(str.strip, lines)):
        match = CAPTION.match(line)
        if not match:
            raise ExtensionError(f"No caption of a move: {line!r}")
        captions[UploadState(match[1]), UploadState(match[2])] = match[3]
    legal = {(source, target) for source, targets in MOVES.items() for target in targets}
    if wrong := legal.symmetric_difference(captions):
        named = ", ".join(sorted(f"{a} -> {b}" for a, b in wrong))
        raise ExtensionError(f"Captions and legal moves of an upload differ: {named}")
    return captions


def draw(numbers: Mapping[Move, int]) -> str:
    """Return the SVG of the moves, each with its number."""
    order = list(UploadState)
    layout = layers.place({state: sorted(MOVES[state], key=order.index) for state in order})
    at = {node: _point(*place) for node, place in layout.places.items()}
    curves = {
        move: (_route(move, chain, layout, at), _bend(move, at))
        for move, chain in layout.chains.items()
    }
    sampled = {move: _samples(*curve) for move, curve in curves.items()}
    lines = [svg.line(_curve(*curve)) for curve in curves.values()]
    badges = [
        svg.badge(
            *_label_point(line, [other for known, other in sampled.items() if known != move]),
            numbers[move],
        )
        for move, line in sampled.items()
    ]
    boxes = [
        svg.box(*at[state], WIDTH, HEIGHT, double=state in FINAL_STATES)
        + svg.text(*at[state], state.value, size=15, bold=True)
        for state in order
    ]
    width = max(x for x, _ in at.values()) + WIDTH / 2 + MARGIN
    height = max(y for _, y in at.values()) + HEIGHT / 2 + MARGIN
    return svg.drawing(
        width, height, "States of an upload and the moves between them", lines + boxes + badges
    )


def _point(column: int, row: float) -> Point:
    return MARGIN + WIDTH / 2 + column * COLUMN, MARGIN + HEIGHT / 2 + row * ROW


def _route(
    move: Move, chain: tuple[Any, ...], layout: layers.Layout, at: Mapping[Any, Any]
) -> list[Point]:
    """Return the points of an edge, from the side of one box to the side of the other."""
    points = [at[node] for node in chain]
    for end, near in ((0, 1), (-1, -2)):
        x, y = points[end]
        side = 1 if points[near][0] > x else -1
        points[end] = (x + side * WIDTH / 2, y + _port(move, chain[end], side, layout, at))
    return points


def _port(move: Move, node: Any, side: int, layout: layers.Layout, at: Mapping[Any, Any]) -> float:
    """Spread the edges on one side of a box, in the order of where they go."""
    ends = []
    for other, chain in layout.chains.items():
        if node in (chain[0], chain[-1]):
            near = chain[1] if chain[0] == node else chain[-2]
            if (at[near][0] > at[node][0]) == (side > 0):
                # An edge back runs below its opposite, on both of its ends.
                back = at[chain[-1]][0] < at[chain[0]][0]
                ends.append((at[near][1], back, other))
    ends.sort(key=lambda end: end[:2])
    index = [end[2] for end in ends].index(move)
    return (index - (len(ends) - 1) / 2) * PORT


def _bend(move: Move, at: Mapping[Any, Point]) -> float:
    """Return where between two columns an edge climbs, from 0 (left) to 1.

    A move and the one back climb in different places, so that both can be seen.
    """
    if move[0] not in MOVES[move[1]]:
        return 0.5
    (ax, ay), (bx, by) = at[move[0]], at[move[1]]
    to_the_right = bx > ax
    rises_rightwards = (by < ay) == to_the_right
    return 0.34 if to_the_right == rises_rightwards else 0.66


def _label_point(line: list[Point], others: list[list[Point]]) -> Point:
    """Return the place of an edge's number: near its middle, away from the other edges."""

    def merit(index: int) -> tuple[float, float]:
        x, y = line[index]
        room = min(hypot(x - ox, y - oy) for other in others for ox, oy in other)
        return min(room, CLEARANCE), -abs(index - len(line) / 2)

    quarter = len(line) // 4
    return line[max(range(quarter, len(line) - quarter), key=merit)]


def _samples(points: list[Point], bend: float) -> list[Point]:
    """Return points along the curve that :func:`_curve` writes."""
    found = []
    for (ax, ay), (bx, by) in pairwise(points):
        x = min(ax, bx) + abs(bx - ax) * bend
        for step in range(25):
            t = step / 24
            u = 1 - t
            found.append(
                (
                    u**3 * ax + 3 * u * t * x + t**3 * bx,
                    u**2 * (u + 3 * t) * ay + t**2 * (t + 3 * u) * by,
                )
            )
    return found


def _curve(points: list[Point], bend: float) -> str:
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (ax, ay), (bx, by) in pairwise(points):
        x = min(ax, bx) + abs(bx - ax) * bend
        path += f" C{x:.1f} {ay:.1f} {x:.1f} {by:.1f} {bx:.1f} {by:.1f}"
    return path


def table(
    heads: list[str], widths: list[int], rows: list[list[str]], *, code: tuple[int, ...] = ()
) -> nodes.table:
    """Return a table of plain text; the columns named in ``code`` are written as code."""
    group = nodes.tgroup(cols=len(heads))
    group += [nodes.colspec(colwidth=width) for width in widths]
    group += nodes.thead("", _row(heads))
    group += nodes.tbody("", *[_row(row, code) for row in rows])
    return nodes.table("", group)


def _row(cells: list[str], code: tuple[int, ...] = ()) -> nodes.row:
    return nodes.row(
        "",
        *[
            nodes.entry(
                "", nodes.paragraph("", "", (nodes.literal if i in code else nodes.inline)(c, c))
            )
            for i, c in enumerate(cells)
        ],
    )


def setup(app: Any) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("upload-states", UploadStates)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
