# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Read which modules a module imports, and complain of those that it may not."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

PACKAGE = "oarepo_s3"


def modules_of(directory: Path) -> dict[str, str]:
    """Return the sources of a package by dotted name, the package itself being ``""``."""
    found = {}
    for path in directory.rglob("*.py"):
        name = ".".join(path.relative_to(directory).with_suffix("").parts)
        found[name.removesuffix("__init__").rstrip(".")] = path.read_text("utf-8")
    return found


def imports_of(name: str, source: str, modules: Set[str], *, is_package: bool) -> Iterator[str]:
    """Yield what a module imports when it runs: ``flask.request``, ``.core.errors``.

    A leading dot stands for the package. What is imported for types alone is no arrow.
    """
    here = name.split(".") if name else []
    for node in _running(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (_shorten(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = here[: len(here) - node.level + is_package]
                base = "." + ".".join([*up, *filter(None, [base])])
            for alias in node.names:
                target = _shorten(f"{base}.{alias.name}".replace("..", "."))
                is_name = target.startswith(".") and target[1:] not in modules
                yield _shorten(base) if is_name else target


def complaints(
    modules: Mapping[str, str], packages: Set[str], may_import: Mapping[str, Set[str]]
) -> list[str]:
    """Return what breaks the table, as ``module imports target``."""
    found = []
    for name, source in sorted(modules.items()):
        room = name.partition(".")[0]
        if room not in may_import:
            found.append(f"{name} has no row in the table")
            continue
        for target in imports_of(name, source, modules.keys(), is_package=name in packages):
            allowed = {f".{room}", *may_import[room]}
            if not (_is_standard(target) or any(_within(target, other) for other in allowed)):
                found.append(f"{name or PACKAGE} imports {target}")
    return found


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield other
                yield from _running(other)
            continue
        yield child
        yield from _running(child)


def _shorten(target: str) -> str:
    """Write an absolute import of the package as a relative one."""
    if target == PACKAGE or target.startswith(f"{PACKAGE}."):
        return "." + target.removeprefix(PACKAGE).lstrip(".")
    return target


def _within(target: str, allowed: str) -> bool:
    return target == allowed or target.startswith(f"{allowed}.")


def _is_standard(target: str) -> bool:
    return target.partition(".")[0] in sys.stdlib_module_names
