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


def test_a_record_without_a_secret_stays_as_it_is():
    error = OSError("no answer")
    about = (type(error), error, None)
    record = logging.LogRecord("a", logging.INFO, "f", 1, "asked %s", ("/k",), about)
    RedactFilter().filter(record)
    assert (record.msg, record.args, record.exc_text) == ("asked %s", ("/k",), None)


class Atoms(dict):
    """Arguments as gunicorn gives them: any name may stand in the format."""

    def __getitem__(self, name):
        return super().get(name, "-")


@pytest.fixture
def access_log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger whose formatter reads the arguments of a record, and what it writes."""

    class OfArguments(logging.Formatter):
        def format(self, record):
            return f"{record.args['h']} {record.args['r']} {record.args['none']}"

    written = io.StringIO()
    logger = logging.Logger("access", logging.INFO)
    logger.addFilter(RedactFilter())
    handler = logging.StreamHandler(written)
    handler.setFormatter(OfArguments())
    logger.addHandler(handler)
    yield logger, written
    handler.close()


@pytest.mark.parametrize("message", ["%(h)s %(r)s", "%(h)s"])
@pytest.mark.parametrize(("token", "shown"), [("companion/abc/s3", "companion/***/s3"), ("x", "x")])
def test_a_formatter_that_reads_the_arguments_finds_them_masked(access_log, message, token, shown):
    logger, written = access_log
    atoms = Atoms(h="127.0.0.1", r=f"GET /{token} HTTP/1.1", s=200)
    logger.info(message, atoms)
    assert written.getvalue() == f"127.0.0.1 GET /{shown} HTTP/1.1 -\n"
    assert atoms["r"] == f"GET /{token} HTTP/1.1"


def test_a_secret_that_only_the_whole_message_shows_is_masked(log):
    logger, written = log
    logger.info("Signature=%(value)s of %(key)s", {"value": SECRET, "key": "k"})
    assert written.getvalue() == f"Signature={MASK} of k\n"


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
