# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Place a small directed graph in columns from left to right.

The usual four steps (Sugiyama, Tagawa, Toda 1981): turn round the edges that close a cycle, put
each node into the column after its last predecessor, order the columns so that few lines cross,
and move the nodes towards their neighbours.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations

Node = Hashable
Edge = tuple[Node, Node]
SWEEPS = 12


@dataclass(frozen=True)
class Layout:
    """Where things are: columns and rows of nodes, and of the points that edges pass."""

    places: Mapping[Node, tuple[int, float]]
    """Column (0 is the left one) and row (in units of one node) of each node and bend."""

    chains: Mapping[Edge, tuple[Node, ...]]
    """The places that each edge passes, from its source to its target."""


def place(graph: Mapping[Node, Iterable[Node]]) -> Layout:
    """Lay out a graph whose first node reaches all others."""
    turned = _closing_edges(graph)
    edges = [(source, target) for source, targets in graph.items() for target in targets]
    forward = [(b, a) if (a, b) in turned else (a, b) for a, b in edges]
    column = _columns(list(graph), forward)
    chains = {edge: _chain(edge, column) for edge in forward}
    columns: list[list[Node]] = [[] for _ in range(max(column.values()) + 1)]
    for node, number in column.items():
        columns[number].append(node)
    links = [link for chain in chains.values() for link in pairwise(chain)]
    _order(columns, links)
    rows = _rows(columns, links)
    places = {node: (number, rows[node]) for node, number in column.items()}
    return Layout(
        places,
        {
            edge: tuple(reversed(chains[edge[::-1]])) if edge in turned else chains[edge]
            for edge in edges
        },
    )


def _closing_edges(graph: Mapping[Node, Iterable[Node]]) -> set[Edge]:
    found: set[Edge] = set()
    done: set[Node] = set()

    def visit(node: Node, path: tuple[Node, ...]) -> None:
        for target in graph[node]:
            if target in (*path, node):
                found.add((node, target))
            elif target not in done:
                visit(target, (*path, node))
        done.add(node)

    visit(next(iter(graph)), ())
    return found


def _columns(nodes: list[Node], edges: list[Edge]) -> dict[Node, int]:
    column = dict.fromkeys(nodes, 0)
    for _ in nodes:
        for source, target in edges:
            column[target] = max(column[target], column[source] + 1)
    return column


def _chain(edge: Edge, column: dict[Node, int]) -> tuple[Node, ...]:
    """Give a long edge a bend in every column that it passes."""
    source, target = edge
    bends = [(edge, number) for number in range(column[source] + 1, column[target])]
    column.update({bend: bend[1] for bend in bends})
    return (source, *bends, target)


def _order(columns: list[list[Node]], links: list[Edge]) -> None:
    for _ in range(SWEEPS):
        for number, nodes in enumerate(columns):
            columns[number] = list(
                min(
                    permutations(nodes),
                    key=lambda order, number=number: _crossings(
                        [*columns[:number], list(order), *columns[number + 1 :]], links
                    ),
                )
            )


def _crossings(columns: list[list[Node]], links: list[Edge]) -> int:
    row = {node: number for nodes in columns for number, node in enumerate(nodes)}
    column = {node: number for number, nodes in enumerate(columns) for node in nodes}
    return sum(
        (row[a] - row[c]) * (row[b] - row[d]) < 0
        for (a, b), (c, d) in combinations(links, 2)
        if column[a] == column[c]
    )


def _rows(columns: list[list[Node]], links: list[Edge]) -> dict[Node, float]:
    near: dict[Node, list[Node]] = {node: [] for nodes in columns for node in nodes}
    for a, b in links:
        near[a].append(b)
        near[b].append(a)
    rows = {
        node: number - (len(nodes) - 1) / 2
        for nodes in columns
        for number, node in enumerate(nodes)
    }
    for _ in range(SWEEPS):
        for nodes in columns:
            wanted = [sum(rows[other] for other in near[node]) / len(near[node]) for node in nodes]
            for node, row in zip(nodes, _apart(nodes, wanted), strict=True):
                rows[node] = row
    lowest = min(rows.values())
    return {node: row - lowest for node, row in rows.items()}


def _apart(nodes: list[Node], wanted: list[float]) -> list[float]:
    """Keep the order and the distances, as near to the wanted rows as that allows."""
    rows: list[float] = []
    for row in wanted:
        rows.append(max(row, rows[-1] + 1) if rows else row)
    shift = sum(wanted) / len(wanted) - sum(rows) / len(rows)
    return [row + shift for row in rows]
