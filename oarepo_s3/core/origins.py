# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Origins of pages, as browsers say them: stores compare them letter by letter."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

from idna import IDNAError, alabel, uts46_remap

from .errors import InvalidRequest

_HOST = re.compile(r"[^]\x00-\x20\x7f/:?#@[\\%<>^|]+")
"""A name without what the URL standard forbids in hosts."""

_ORIGIN = re.compile(
    rf"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+]|{_HOST.pattern})(:(?P<port>\d{{0,5}}))?/*",
    re.ASCII | re.IGNORECASE,
)

_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)\.?", re.ASCII)
"""A host that ends so is an address, and no name (URL standard, "ends in a number")."""

_PORTS = {"http": 80, "https": 443}
"""Ports of the schemes, which no browser says."""


def read_origins(written: Iterable[str]) -> list[str]:
    """Return origins as :func:`read_origin` does, each of them once."""
    return list(dict.fromkeys(map(read_origin, written)))


def read_origin(written: str) -> str:
    """Return an origin as a browser says it in its requests, without a slash at the end.

    Scheme and host are in small letters, and the scheme's own port is left out (RFC 6454, section
    6.2). The name of the host is mapped as browsers do (URL standard, "domain to ASCII": UTS 46,
    without its transitional processing), and not as Python's own codec does, which is of IDNA 2003
    and makes ``ss`` of ``ß``.

    :raises InvalidRequest: for what is no origin, and for a host that is no name by IDNA 2008.
        Browsers take some of these; they can be written in ASCII, with ``xn--``.
    """
    found = _ORIGIN.fullmatch(written)
    if found is None:
        raise _no_origin(written)
    scheme = found["scheme"].lower()
    try:
        host, port = _host(found["host"]), _port(found["port"], scheme)
    except IDNAError as error:
        raise InvalidRequest(
            reason=f"the host of {written!r} is no name by IDNA 2008 (if browsers open it, write it"
            " as they send it, with xn--)"
        ) from error
    except ValueError as error:
        raise _no_origin(written) from error
    return f"{scheme}://{host}{port}"


def _no_origin(written: str) -> InvalidRequest:
    return InvalidRequest(reason=f"{written!r} is no origin such as https://repo.example.org")


def _port(written: str | None, scheme: str) -> str:
    """Return a port with its colon; nothing for that of the scheme.

    :raises ValueError: for a number that no port has.
    """
    port = int(written) if written else _PORTS[scheme]
    if port > 65535:
        raise ValueError(written)
    return "" if port == _PORTS[scheme] else f":{port}"


def _host(written: str) -> str:
    """Return a host in ASCII and in small letters.

    :raises ValueError: for what is none; :exc:`idna.IDNAError` for a name that cannot be one.
    """
    if written.startswith("["):
        return f"[{IPv6Address(written[1:-1])}]"
    # Of labels in ASCII nothing is asked: hosts of private networks have underscores.
    mapped = uts46_remap(written, std3_rules=False)
    if _HOST.fullmatch(mapped) is None:
        raise ValueError(mapped)
    name = ".".join(
        label if label.isascii() else alabel(label).decode() for label in mapped.split(".")
    )
    return str(IPv4Address(name)) if _NUMBER.fullmatch(name) else name
