# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Upload tokens as text: what stands in an address, signed by the application's secret.

The text says which token it is and when it ends, and nothing else: whose it is and what it opens
stands in the database, where it has to be looked up anyway, because a token can be revoked.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer

from .errors import TokenNotValid
from .times import isoformat, utcnow

_SALT = b"oarepo-s3 upload token"
"""So that nothing else that the application signs can be taken for a token, and the other way."""


@dataclass(frozen=True, slots=True, repr=False)
class TokenSigner:
    """Writes tokens, and reads those that it, or a predecessor, has written.

    :param secrets: the first signs; the others are older ones whose tokens are still read.
    """

    secrets: tuple[bytes, ...]

    def write(self, token_id: UUID, expires_at: datetime) -> str:
        """Return a token as text that can stand in an address as it is.

        :param expires_at: an aware time; what is below a second is cut off.
        """
        return str(self._serializer().dumps([token_id.hex, int(expires_at.timestamp())]))

    def read(self, text: str) -> UUID:
        """Return the id of a token.

        :raises TokenNotValid: when the signature is not ours, or the time is over.
        """
        try:
            token_id, ends = self._serializer().loads(text)
        except BadData:
            raise TokenNotValid(reason="it was not issued here") from None
        expires_at = datetime.fromtimestamp(ends, UTC)
        if expires_at <= utcnow():
            raise TokenNotValid(reason=f"it expired at {isoformat(expires_at)}")
        return UUID(token_id)

    def _serializer(self) -> URLSafeSerializer:
        return URLSafeSerializer(
            # The last one signs.
            list(reversed(self.secrets)),
            salt=_SALT,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )
