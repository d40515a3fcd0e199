# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Keep signatures and tokens out of the logs of the libraries that talk to stores.

At DEBUG the SDK logs every request with its headers, the signatures that it computes and the
answers. A signature of a presigned URL is all that is missing to use it. Nothing at a higher level
is known to leak; the filter costs nothing while a level is off, because no record is made then.

An upload token stands in the address of Companion's routes, which web servers log, and the
application itself with an error that nobody has expected.
"""

from __future__ import annotations

import copy
import logging
import re
from typing import Any

MASK = "***"

LOGGERS = (
    # requests with their headers, signatures, answers
    "botocore.auth",
    "botocore.endpoint",  # that of aiobotocore, too
    "botocore.parsers",
    # keys that are found or fetched
    "aiobotocore.utils",
    "botocore.credentials",
    "botocore.utils",
    # calls and URLs that failed or went elsewhere
    "botocore.awsrequest",
    "botocore.handlers",
    "botocore.httpsession",
    "botocore.retries.standard",
    "botocore.retryhandler",
    "s3fs",
    # addresses with their query strings
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.util.retry",
    # requests with their addresses, where these servers are the ones that run the application
    "gunicorn.access",
    "waitress",
    "werkzeug",
)
"""Who may log them. Each by its full name: what the children of a logger log does not pass its
filters."""

_SECRETS = re.compile(
    r"""
    (   # A name, in a URL, a header, a dictionary, JSON or XML, and what is before its value:
        # X-Amz-Signature=...  Signature=...  'x-amz-security-token': b'...  <SessionToken>...
        (?: signature | token | secret[-_]?(?:access[-_]?)?key ) ['"]?
        (?: \s*[=:]\s* | > ) (?: b?['"] )?
        # Signature version 2: "Authorization: AWS key:signature".
      | \b AWS [ ] [^\s:'"]+ :
    )
    [^\s'"&<>,;]+
    """,
    re.IGNORECASE | re.VERBOSE,
)


_TOKENS = re.compile(r"(/companion/)[^\s'\"/?]+")
"""Upload tokens, in an address."""


def redact(text: str) -> str:
    """Return a text with signatures, tokens and secret keys masked."""
    return _TOKENS.sub(rf"\1{MASK}", _SECRETS.sub(rf"\1{MASK}", text))


class RedactFilter(logging.Filter):
    """Masks the message and the traceback of each record, and lets all pass.

    A record without a secret stays as it is: formatters of access logs read its arguments, and
    error trackers group by its message.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask a record."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            # A message that does not fit its arguments: the handler would print both.
            record.msg, record.args = redact(str(record.msg)), None
        else:
            if isinstance(record.args, dict):
                # A formatter may write any of them, whatever the message shows.
                record.args = _redact_values(record.args)
                text = record.getMessage()
            if redact(text) != text:
                record.msg, record.args = redact(text), None
        if record.exc_info and not record.exc_text:
            text = logging.Formatter().formatException(record.exc_info)
            if redact(text) != text:
                # What is there already, a formatter does not write again.
                record.exc_text = redact(text)
        return True


def _redact_values(values: dict[str, Any]) -> dict[str, Any]:
    """Return the dictionary, or a masked copy of its class: others may still need what it says."""
    texts = ((name, value) for name, value in values.items() if isinstance(value, str))
    masked = {name: redact(value) for name, value in texts if redact(value) != value}
    if not masked:
        return values
    changed = copy.copy(values)
    changed.update(masked)
    return changed


_FILTER = RedactFilter()


def redact_logs(*more: str) -> None:
    """Mask what the loggers above log; calling it again changes nothing.

    :param more: names of other loggers to mask.
    """
    for name in (*LOGGERS, *more):
        logging.getLogger(name).addFilter(_FILTER)
