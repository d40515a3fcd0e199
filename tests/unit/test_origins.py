# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Origins are what browsers send; tests/browser/test_origins.py asks one whether it is so."""

from __future__ import annotations

import pytest

from oarepo_s3.core.errors import InvalidRequest
from oarepo_s3.core.origins import read_origin, read_origins

SENT = {
    "https://repo.example.org": "https://repo.example.org",
    "https://repo.example.org:8443/": "https://repo.example.org:8443",
    "https://příklad.cz": "https://xn--pklad-zsa96e.cz",
    "https://Příklad.CZ:8443/": "https://xn--pklad-zsa96e.cz:8443",
    "https://faß.de": "https://xn--fa-hia.de",
    "https://ΟΔΟΣ.example": "https://xn--pxavbq.example",
    "https://例え。テスト": "https://xn--r8jz45g.xn--zckzah",
    "https://my_app.příklad.cz.": "https://my_app.xn--pklad-zsa96e.cz.",
    "https://xn--pklad-zsa96e.cz": "https://xn--pklad-zsa96e.cz",
    "https://a\u00adb.org": "https://ab.org",
    "https://\uff32EPO.org": "https://repo.org",
    "HTTPS://Repo.Example.org": "https://repo.example.org",
    "https://B.example.org:443": "https://b.example.org",
    "http://b.example.org:0080/": "http://b.example.org",
    "http://b.example.org:443": "http://b.example.org:443",
    "https://b.example.org:": "https://b.example.org",
    "http://[0:0:0::1]:5000": "http://[::1]:5000",
    "https://[2001:DB8::A]:443": "https://[2001:db8::a]",
    "http://127.0.0.1:8080": "http://127.0.0.1:8080",
}
"""What people write, and what browsers make of it."""

NO_ORIGINS = [
    "repo.example.org",
    "https://",
    "*",
    "null",
    "https://repo.example.org/path",
    "https://repo.example.org?q",
    "https://repo.example.org#f",
    "https://user@repo.example.org",
    "https://repo.example.org\\path",
    "https://repo example.org",
    "https://repo.example.org\n",
    "https://repo.example.org:https",
    "https://[::1",
    "https://a:b:1",
    "https://repo.example.org:65536",
    "https://[::g]",
    "https://[1:2]",
    "https://127.1",
    "https://0x7f.0.0.1",
    "https://1.2.3.4.",
    "https://repo.1",
    "ftp://repo.example.org",
    "https://\uff0541.org",
    "https://\u00ad",
]


@pytest.mark.parametrize("written", SENT)
def test_an_origin_is_what_a_browser_sends(written):
    assert read_origin(written) == SENT[written]
    assert read_origin(SENT[written]) == SENT[written]


@pytest.mark.parametrize("written", NO_ORIGINS)
def test_what_is_no_origin_is_refused(written):
    with pytest.raises(InvalidRequest, match="is no origin such as https://repo"):
        read_origin(written)


@pytest.mark.parametrize("written", ["https://☕.example", "https://\u200db.org"])
def test_a_host_that_is_no_name_by_idna_is_refused_with_a_way_out(written):
    with pytest.raises(InvalidRequest, match=r"no name by IDNA 2008 .* with xn--"):
        read_origin(written)


def test_origins_are_named_once():
    written = ["https://příklad.cz", "https://a.org", "https://xn--pklad-zsa96e.cz/"]
    assert read_origins(written) == ["https://xn--pklad-zsa96e.cz", "https://a.org"]


def test_what_s3_takes_for_any_name_stays():
    assert read_origin("https://*.Example.org") == "https://*.example.org"
