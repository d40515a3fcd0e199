# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Where the store is, for the server and for browsers, and what its clock says."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from ..core.quantities import show_duration
from ..core.times import utcnow
from .bench import Bench
from .findings import Level

FAILING_SKEW = timedelta(minutes=5)
"""From here on MinIO and AWS begin to refuse what is signed (AWS from 15 minutes on), and part URLs
end early or begin late."""

WARNING_SKEW = timedelta(minutes=1)


def probe_clock(bench: Bench) -> None:
    """Ask the store for nothing at all, without keys, and read the time of its answer.

    This is the first request of all: it finds a store that does not answer.
    """
    with bench.trying("address", "to answer"):
        before = utcnow()
        answer = bench.web.send("GET", bench.store.endpoint_url)
        now = before + (utcnow() - before) / 2
        bench.found("address", Level.OK, f"A server answers at {bench.store.endpoint_url}.")
        try:
            skew = parsedate_to_datetime(answer.headers["date"]) - now
        except (KeyError, ValueError, TypeError):
            bench.found("clock", Level.NOTE, "The store says no time: not compared.")
            return
        _judge(bench, skew)


def _judge(bench: Bench, skew: timedelta) -> None:
    where = "behind" if skew > timedelta(0) else "ahead of"
    level = Level.OK
    if abs(skew) > FAILING_SKEW:
        level = Level.FAILURE
    elif abs(skew) > WARNING_SKEW:
        level = Level.WARNING
    if level is Level.OK:
        bench.found("clock", level, "The store's clock and this one agree.")
        return
    bench.found(
        "clock",
        level,
        f"This machine's clock is {show_duration(abs(skew))} {where} the store's: URLs"
        " end too early or begin too late, and above 15 minutes the store refuses everything.",
        "timedatectl set-ntp true  (on the machine whose clock is wrong)",
    )


def probe_public_address(bench: Bench) -> None:
    """Say what is wrong with the address that browsers get, as far as it can be seen from it."""
    url = bench.public_url
    host = urlsplit(url).hostname or ""
    local = is_local(host)
    if local:
        bench.found(
            "public address",
            Level.WARNING,
            f"Browsers get the address {url}, which is each one's own machine: only those on this"
            " one can upload.",
            "Set OAREPO_S3_PUBLIC_ENDPOINT_URL to the address of the store as browsers see it.",
        )
    elif "." not in host and ":" not in host:
        bench.found(
            "public address",
            Level.WARNING,
            f"Browsers get the address {url}, a name that is known in the server's own network at"
            " most.",
            "Set OAREPO_S3_PUBLIC_ENDPOINT_URL to the address of the store as browsers see it.",
        )
    else:
        bench.found("public address", Level.OK, f"Browsers get the address {url}.")
    secure = [origin for origin in bench.origins if origin.startswith("https://")]
    if url.startswith("http://") and secure and not local:
        bench.found(
            "mixed content",
            Level.WARNING,
            f"The pages of {', '.join(secure)} are secure and the store's address is not: browsers"
            " refuse to send anything from the one to the other.",
            "Give the store TLS, and set OAREPO_S3_PUBLIC_ENDPOINT_URL to its https address.",
        )


def is_local(host: str) -> bool:
    """Whether a host is always the machine of who asks."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
