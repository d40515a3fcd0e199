# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Keys to a store, which never show their secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .times import utcnow


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key with its secret, and for temporary ones a token and the time they end.

    The secret and the token are left out of the repr, so that a log line or a traceback that
    prints the object cannot leak them.
    """

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None

    def lifetime(self, wanted: timedelta, now: datetime | None = None) -> timedelta:
        """Return how long a URL signed by these keys can live, at most ``wanted``.

        A presigned URL dies with the temporary credentials that signed it, whatever its own
        expiry says (S3 User Guide, "Sharing objects with presigned URLs").
        """
        if self.expires_at is None:
            return wanted
        return min(wanted, self.expires_at - (now or utcnow()))
