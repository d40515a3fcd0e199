# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What is masked in logs, what is not, and that it costs nothing while nobody listens."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from oarepo_s3.backends.redact import LOGGERS, MASK, RedactFilter, redact, redact_logs

SECRET = "b01B2c3D4e5F/+=="
"""Begins as the repr of bytes does."""


@pytest.mark.parametrize(
    "text",
    [
        "http://h/b/k?uploadId=u&partNumber=1&X-Amz-Signature={}",
        "GET /b/k?X-Amz-Security-Token={}&X-Amz-Expires=9",
        "http://h/b/k?AWSAccessKeyId=k&Signature={}&Expires=1",
        "'Authorization': b'AWS4-HMAC-SHA256 Credential=k/d, SignedHeaders=a;b, Signature={}'",
        "'Authorization': 'AWS key:{}'",
        "Signature:\n{}",
        "host:h\nx-amz-meta-oarepo-upload-token:{}\nx-amz-security-token:{}\n\nhost;x-amz-date",
        "headers={{'x-amz-security-token': b'{}', 'x-amz-meta-oarepo-upload-token': '{}'}}",
        "{{'Metadata': {{'oarepo-upload-token': '{}'}}}}",
        "<SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken>",
        '{{"SecretAccessKey" : "{}", "Token" : "{}"}}',
        "aws_secret_access_key={} aws_session_token={}",
    ],
)
def test_a_secret_is_masked_and_the_rest_stays(text):
    times = text.count("{}")
    assert redact(text.format(*[SECRET] * times)) == text.format(*[MASK] * times)


def test_an_upload_token_in_an_address_is_masked():
    for line in (
        "Exception on /multipart-uploads/companion/{}/s3/multipart [POST]",
        '"GET /api/multipart-uploads/companion/{}/s3/multipart/u/1?key=a HTTP/1.1" 200 -',
        "endpoint https://repo.example.org/api/multipart-uploads/companion/{}",
    ):
        assert redact(line.format("WyJhIl0.s-i_g")) == line.format(MASK)


@pytest.mark.parametrize(
    "text",
    [
        "Calculating signature using v4 auth.",
        "SignedHeaders=host;x-amz-meta-oarepo-upload-token;x-amz-security-token",
        "config signature_version='s3v4'",
        "<ETag>&quot;5eb63bbbe01eeed093cb22bb8f5acdc3-1&quot;</ETag>",
        "PUT /bucket/a%20key?partNumber=1&uploadId=2~abc",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger with the filter, and what it writes."""
    written = io.StringIO()
    logger = logging.Logger("library", logging.DEBUG)
    logger.addFilter(RedactFilter())
    handler = logging.StreamHandler(written)
    logger.addHandler(handler)
    yield logger, written
    handler.close()


def test_arguments_and_tracebacks_are_masked(log):
    logger, written = log
    try:
        raise OSError(f"no answer from /k?X-Amz-Signature={SECRET}")
    except OSError:
        logger.debug("asked %s", f"/k?X-Amz-Signature={SECRET}", exc_info=True)
    assert SECRET not in written.getvalue()
    assert f"asked /k?X-Amz-Signature={MASK}\nTraceback" in written.getvalue()
    assert f"OSError: no answer from /k?X-Amz-Signature={MASK}" in written.getvalue()


def test_a_message_that_does_not_fit_its_arguments_shows_none_of_them(log, capsys):
    logger, written = log
    logger.debug("%s and %d", f"Signature={SECRET}")
    assert written.getvalue() == "%s and %d\n"
    assert SECRET not in capsys.readouterr().err


def test_nothing_is_written_out_while_the_level_is_off(log):
    logger, _ = log
    logger.setLevel(logging.INFO)

    class Costly:
        def __str__(self) -> str:
            raise AssertionError("written out for nobody")

    logger.debug("%s", Costly())


def test_masking_twice_adds_one_filter():
    redact_logs()
    before = {name: len(logging.getLogger(name).filters) for name in LOGGERS}
    redact_logs()
    assert {name: len(logging.getLogger(name).filters) for name in LOGGERS} == before
    assert all(before.values())
