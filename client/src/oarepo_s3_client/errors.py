# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What can go wrong, as sentences for people."""

from __future__ import annotations


class ClientError(Exception):
    """A call did not succeed; the text says why and what to do, without a secret."""
