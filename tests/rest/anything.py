# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Strategies for what may be sent: anything at all, and what has broken servers before."""

from __future__ import annotations

import json

from hypothesis import strategies as st

LONG = "a" * 100_000

# fmt: off
KEYS = [
    "", ".", "..", "/", "//", "../..", "a/../b", "%2e%2e", "%00", "\0", "a\0b", "\ud800",
    "\ud83d\ude00", "a\r\nb", "nul", "CON", "~", "\\", "?a#b", "{0}", "%s", "'; --", LONG,
]
BODIES = [
    b"[" * 100_000, b'{"a":' * 100_000, b'"\\ud800"', b'{"a": "\xff"}', b"\xef\xbb\xbf{}",
    b'{"size": ' + b"9" * 5000 + b"}", b'{"size": 1e999}', b'{"parts": NaN}', b"\0",
    b'{"key": 1, "key": 2, "key": {"key": 3}}', '{"a": 1}'.encode("utf-16"), b"{}{}",
    b'{"\\u0000": 1}', b'{"_schema": 1}', b'{"parts": {"0": 1}}', b'{"parts": "1"}',
]
ETAGS = ["", '"', '""', "W/", 'W/"a"', "a\nb", "*", "é", "\ud800", "\0", "x" * 256, LONG]
RANGES = [
    "1", "1,2", "2,1", "1-2", "1-999999", "2-1", "1-", "-", ",", "1,,2", "٣", "1-٣", "१", "²",
    "1 - 2", "1\n", "\0", "1;2", "0x1", "1e3", "1_0", "+1", "1.0", "9" * 5000,
    ",".join(["1"] * 2000), LONG,
]
QUERY_NAMES = ["page", "after", "state", "bucket", "parts", "_external", "endpoint"]
QUERY_VALUES = ["pending", "completed", "1", "٣", "1_000", " 1", "\0", "1e3", "100000", "1" * 400]
HEADER_NAMES = [
    "Accept", "Accept-Encoding", "Accept-Language", "Range", "If-Match", "If-None-Match",
    "If-Range", "If-Modified-Since", "If-Unmodified-Since", "Content-Type", "Content-Encoding",
    "Transfer-Encoding", "Expect", "Origin", "Referer", "User-Agent", "X-Forwarded-For",
    "X-HTTP-Method-Override", "X-Method-Override", "Authorization", "X-CSRFToken", "Cookie",
]
HEADER_VALUES = [
    "", "DELETE", "bytes=0-", "bytes=9-1,5-5", "bytes=-" + "9" * 99, '"a"', '"a', "*", "W/",
    "application/json; charset=klingon", "text/html;q=x", "*/*;q=9", "multipart/form-data",
    "application/x-www-form-urlencoded", "Bearer \xff", "Basic AA", "gzip", "chunked", "=;=,",
    "Thu, 99 Foo 9999 99:99:99 GMT", "100-continue", "0" * 10_000,
]
METHODS = [
    "GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "QUERY", "get",
]
# fmt: on

texts = st.text(st.characters())
"""Control characters and lone surrogates, too."""

keys = st.one_of(texts, st.text(min_size=200, max_size=300), st.sampled_from(KEYS))
numbers = st.one_of(
    st.integers(-5, 10_005),
    st.integers(),
    st.floats(),
    st.sampled_from([2**31, 2**63 - 1, 2**63, -(2**63), 10**400, True, None, "1", [1], {}]),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(texts, inner)),
    max_leaves=10,
)
bodies = st.one_of(
    st.binary(),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(BODIES),
)
etags = st.one_of(texts, st.sampled_from(ETAGS))
claims = st.lists(
    st.one_of(
        json_values,
        st.fixed_dictionaries(
            {}, optional={"PartNumber": numbers, "PartNum": numbers, "ETag": etags, "size": numbers}
        ),
        st.fixed_dictionaries({"PartNumber": st.integers(-1, 4), "ETag": etags}),
    ),
    max_size=5,
)
ranges = st.one_of(
    st.lists(st.one_of(st.integers(-2, 12).map(str), texts), max_size=5).map(",".join),
    st.from_regex(r"\A[0-9]{0,7}(-[0-9]{0,7})?(,[0-9]{0,7}(-[0-9]{0,7})?){0,3}\Z"),
    st.sampled_from(RANGES),
)
queries = st.dictionaries(
    st.one_of(st.sampled_from(QUERY_NAMES), texts),
    st.one_of(ranges, st.sampled_from(QUERY_VALUES)),
    max_size=4,
)
header_values = st.one_of(
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n")),
    st.sampled_from(HEADER_VALUES),
)
headers = st.dictionaries(st.sampled_from(HEADER_NAMES), header_values, max_size=3)
new_fields = st.one_of(
    st.dictionaries(
        st.sampled_from(["key", "size", "content_type", "part_size", "checksum", "bucket", "x"]),
        st.one_of(json_values, numbers, header_values),
        max_size=2,
    ),
    st.sampled_from(
        [{"size": 0}, {"part_size": 1}, {"content_type": "a/b;c"}, {"checksum": "a:b"}]
    ),
)
