# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Origins of pages, as browsers say them: stores compare them letter by letter."""

from __future__ import annotations

import re
from collections.abc import Iterable

from idna import IDNAError, alabel, uts46_remap

from .errors import InvalidRequest

_HOST = re.compile(r"[^]\x00-\x20\x7f/:?#@[\\%<>^|]+")
"""A name without what the URL standard forbids in hosts."""

_ORIGIN = re.compile(
    rf"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+]|{_HOST.pattern})(?P<port>:\d{{1,5}})?/*"
)


def read_origins(written: Iterable[str]) -> list[str]:
    """Return origins as :func:`read_origin` does, each of them once."""
    return list(dict.fromkeys(map(read_origin, written)))


def read_origin(written: str) -> str:
    """Return an origin as a browser says it in its requests, without a slash at the end.

    The name of the host is mapped as browsers do (URL standard, "domain to ASCII": UTS 46, without
    its transitional processing), and not as Python's own codec does, which is of IDNA 2003 and
    makes ``ss`` of ``ß``.

    :raises InvalidRequest: for what is no origin, and for a host that is no name by IDNA 2008.
        Browsers take some of these; they can be written in ASCII, with ``xn--``.
    """
    found = _ORIGIN.fullmatch(written)
    if found is None:
        raise _no_origin(written)
    try:
        host = _host(found["host"])
    except IDNAError as error:
        raise InvalidRequest(
            reason=f"the host of {written!r} is no name by IDNA 2008 (if browsers open it, write it"
            " as they send it, with xn--)"
        ) from error
    except ValueError as error:
        raise _no_origin(written) from error
    return f"{found['scheme']}://{host}{found['port'] or ''}"


def _no_origin(written: str) -> InvalidRequest:
    return InvalidRequest(reason=f"{written!r} is no origin such as https://repo.example.org")


def _host(written: str) -> str:
    """Return a host in ASCII.

    :raises ValueError: for what is none; :exc:`idna.IDNAError` for a name that cannot be one.
    """
    if written.isascii():
        return written
    # A label in ASCII may be any: hosts of private networks have underscores.
    mapped = uts46_remap(written, std3_rules=False)
    if _HOST.fullmatch(mapped) is None:
        raise ValueError(mapped)
    return ".".join(
        label if label.isascii() else alabel(label).decode() for label in mapped.split(".")
    )
