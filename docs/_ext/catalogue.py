# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``{settings-reference}`` and ``{errors-reference}``: pages written from the code itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

from oarepo_s3 import config
from oarepo_s3.core import errors

ERRORS_PAGE = "reference/errors"
BYTES = ("_PART_SIZE", "_FILE_SIZE")
SECONDS = ("_LIFETIME", "_TIMEOUT")
UNITS = {
    BYTES: [(2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "bytes")],
    SECONDS: [(86400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds")],
}


class Written(SphinxDirective):
    """A directive whose content is reStructuredText that it writes itself."""

    def run(self) -> list[nodes.Node]:
        """Parse what was written; use it inside ``{eval-rst}``."""
        lines = StringList(self.write(), source=__name__)
        holder = nodes.container()
        self.state.nested_parse(lines, 0, holder)
        return list(holder.children)

    def write(self) -> list[str]:
        """Return the lines."""
        raise NotImplementedError


class SettingsReference(Written):
    """Every constant of ``oarepo_s3.config``, with its default and its docstring."""

    def write(self) -> list[str]:
        """Write a ``confval`` for each."""
        analyzer = ModuleAnalyzer.for_module(config.__name__)
        docs = analyzer.find_attr_docs()
        names = [name for _, name in docs if name.startswith("OAREPO_S3_")]
        lines = []
        for name in sorted(names, key=analyzer.tagorder.__getitem__):
            default = readable(name, getattr(config, name))
            lines += [f".. confval:: {name}", f"   :default: {default}", ""]
            lines += [f"   {line}" for line in docs["", name]]
        return lines


class OtherNames(Written):
    """The names of settings that stand for others."""

    def write(self) -> list[str]:
        """Write a table of both."""
        return _table(
            ("Name", "Sets"),
            [(f"``{other}``", f"``{name}``") for other, name in config.INVENIO_S3_NAMES.items()],
        )


class ErrorsReference(Written):
    """Every error: code, status, when it comes, and the sentence that says what to do."""

    def write(self) -> list[str]:
        """Write one table for all, in the order of the catalogue."""
        return _table(
            ("Code", "Status", "When", "What the answer says"),
            [
                (f"_`{kind.code}`", _status(kind), _when(kind), _sentence(kind))
                for kind in catalogue()
            ],
            widths="20 12 28 40",
        )


def catalogue() -> list[type[errors.UploadError]]:
    """Return all errors, each family together, in the order of the source."""

    def family(kind: type[errors.UploadError]) -> Iterator[type[errors.UploadError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from family(child)

    return [kind for kind in family(errors.UploadError) if kind.__name__ in errors.__all__]


def readable(name: str, value: Any) -> str:
    """Write a default as people would: ``16 MiB (16,777,216)`` instead of a bare number."""
    if not isinstance(value, int):
        return f"``{value!r}``"
    for endings, units in UNITS.items():
        if name.endswith(endings):
            factor, unit = next(unit for unit in units if value % unit[0] == 0)
            count = value // factor
            written = f"{count:,} {unit if count != 1 else unit.removesuffix('s')}"
            return written if factor == 1 else f"{written} (``{value:_}``)"
    return f"{value:,}"


def link_error(app: Any, env: Any, node: Any, content: Any) -> nodes.Node | None:
    """Let ``:raises UploadLost:`` in a docstring lead to the row of that error."""
    kind = vars(errors).get(node["reftarget"].rpartition(".")[2])
    if kind not in catalogue():
        return None
    page = app.builder.get_relative_uri(node["refdoc"], ERRORS_PAGE)
    anchor = nodes.make_id(kind.code)
    return nodes.reference("", "", content, internal=True, refuri=f"{page}#{anchor}")


def _status(kind: type[errors.UploadError]) -> str:
    wait = "" if kind.retry_after is None else f"; ``Retry-After: {kind.retry_after}``"
    return f"{kind.status}{wait}"


def _when(kind: type[errors.UploadError]) -> str:
    lines = (kind.__doc__ or "").split("\n\n")[0].splitlines()
    family = "**Family.** " if kind.__subclasses__() else ""
    return family + " ".join(line.strip() for line in lines)


def _sentence(kind: type[errors.UploadError]) -> str:
    """Mark what the sentence fills in."""
    return re.sub(r"\{(\w+)[^}]*\}", lambda match: f"*{match[1].replace('_', ' ')}*", kind.message)


def _table(
    heads: tuple[str, ...], rows: list[tuple[str, ...]], *, widths: str = "auto"
) -> list[str]:
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", ""]
    for row in (heads, *rows):
        lines += [f"   {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(row)]
    return [*lines, ""]


def setup(app: Any) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("settings-reference", SettingsReference)
    app.add_directive("other-names", OtherNames)
    app.add_directive("errors-reference", ErrorsReference)
    app.connect("missing-reference", link_error)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
