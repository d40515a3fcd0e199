# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Small pieces of SVG that read well on light and on dark pages.

Text and lines take the colour of the page's text; fills are thin tints of one hue.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from docutils import nodes

TINT = "#3b82c4"
FONT = "font-family='system-ui, sans-serif'"


def text(
    x: float, y: float, words: str, *, size: int = 14, bold: bool = False, anchor: str = "middle"
) -> str:
    """Write one line of text; ``y`` is its middle."""
    weight = " font-weight='600'" if bold else ""
    return (
        f"<text x='{x:.1f}' y='{y + size * 0.35:.1f}' font-size='{size}'{weight}"
        f" text-anchor='{anchor}' fill='currentColor'>{escape(words)}</text>"
    )


def box(x: float, y: float, width: float, height: float, *, double: bool = False) -> str:
    """Draw a rounded, tinted box around the middle ``(x, y)``, with a second line if ``double``."""
    outer = _rect(x, y, width, height, f"fill='{TINT}' fill-opacity='0.14'")
    return outer + (_rect(x, y, width - 8, height - 8, "fill='none'") if double else "")


def _rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    return (
        f"<rect x='{x - width / 2:.1f}' y='{y - height / 2:.1f}' width='{width:.1f}'"
        f" height='{height:.1f}' rx='8' {fill} stroke='{TINT}' stroke-width='1.5'/>"
    )


def line(path: str, *, arrow: bool = True, dashed: bool = False) -> str:
    """Draw a path, with an arrow head at its end."""
    head = " marker-end='url(#arrow)'" if arrow else ""
    dashes = " stroke-dasharray='5 4'" if dashed else ""
    return (
        f"<path d='{path}' fill='none' stroke='currentColor' stroke-opacity='0.75'"
        f" stroke-width='1.4'{dashes}{head}/>"
    )


def badge(x: float, y: float, number: int) -> str:
    """Draw a number in a filled circle, to be explained in a table below."""
    return (
        f"<circle cx='{x:.1f}' cy='{y:.1f}' r='11' fill='{TINT}'/>"
        f"<text x='{x:.1f}' y='{y + 4.2:.1f}' font-size='12' font-weight='600'"
        f" text-anchor='middle' fill='#fff'>{number}</text>"
    )


def drawing(width: float, height: float, title: str, pieces: Iterable[str]) -> str:
    """Put pieces on a sheet; ``title`` is what a screen reader says."""
    marker = (
        "<defs><marker id='arrow' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='8'"
        " markerHeight='8' orient='auto-start-reverse'><path d='M0 1 L10 5 L0 9 z'"
        " fill='currentColor'/></marker></defs>"
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' role='img' {FONT}"
        f" viewBox='0 0 {width:.0f} {height:.0f}' width='{width:.0f}'"
        f" style='max-width: 100%; height: auto'><title>{escape(title)}</title>"
        f"{marker}{''.join(pieces)}</svg>"
    )


def figure(markup: str) -> nodes.raw:
    """Return the node that puts a drawing into an HTML page, where it takes the page's colours."""
    return nodes.raw("", f"<div class='drawing'>{markup}</div>", format="html")
