# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Back ends by URI scheme, found by entry points; one store object per location and process."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from threading import Lock

from ..core.errors import InvalidLocation
from ..core.uris import ObjectURI
from .base import ObjectStore
from .config import StoreConfig

ENTRY_POINT_GROUP = "oarepo_s3.backends"
"""``scheme = package.module:factory``, where the factory takes (bucket, config)."""

StoreFactory = Callable[[str, StoreConfig], ObjectStore]


def find_factory(scheme: str) -> StoreFactory:
    """Load the back end of a URI scheme.

    :raises InvalidLocation: when none is installed.
    """
    for entry_point in entry_points(group=ENTRY_POINT_GROUP, name=scheme):
        factory: StoreFactory = entry_point.load()
        return factory
    raise InvalidLocation(uri=f"{scheme}://")


@dataclass(frozen=True, slots=True)
class InstalledBackend:
    """A back end that is there to be used.

    :param name: scheme of its locations' URIs.
    :param summary: one line that says for which stores; or why it cannot be loaded.
    """

    name: str
    summary: str


def installed_backends() -> list[InstalledBackend]:
    """Return the back ends by their names, each with the first line of its factory's docstring."""
    found = {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
    return [InstalledBackend(name, _summary(found[name])) for name in sorted(found)]


def _summary(entry_point: EntryPoint) -> str:
    try:
        factory = entry_point.load()
    except (ImportError, AttributeError) as error:
        # Somebody else's package is broken: that must not hide the others.
        return f"cannot be loaded: {type(error).__name__}: {error}"
    return (inspect.getdoc(factory) or entry_point.value).partition("\n")[0]


class Stores:
    """The stores of one application.

    A store holds a pooled, thread-safe client, so it is made once per location and reused by all
    requests. A forked worker makes its own: sockets cannot be shared between processes, and a lock
    that was held during the fork is never released in the child.

    :param configure: returns the connection for a bucket; asked once per location and process.
    """

    def __init__(self, configure: Callable[[ObjectURI], StoreConfig]) -> None:
        self._configure = configure
        self._stores: dict[tuple[int, str, str], ObjectStore] = {}
        self._locks: dict[int, Lock] = {}

    def get(self, uri: ObjectURI) -> ObjectStore:
        """Return the store that holds an object.

        :raises InvalidLocation: when no back end is installed for the URI's scheme.
        """
        place = (os.getpid(), uri.scheme, uri.bucket)
        store = self._stores.get(place)
        if store is None:
            with self._locks.setdefault(os.getpid(), Lock()):
                store = self._stores.get(place)
                if store is None:
                    store = find_factory(uri.scheme)(uri.bucket, self._configure(uri))
                    self._stores[place] = store
        return store
