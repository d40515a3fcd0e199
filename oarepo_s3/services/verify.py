# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Turn what a client declared of a file into what is known of it, by reading the file.

For digests that the store itself cannot compare. The content passes through the worker, never
through its memory or its disk; a connection that breaks is taken up where it ended.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from invenio_files_rest.models import FileInstance

from ..backends import StreamsObjects
from ..core.digests import ChecksumStatus, Digest, computable, compute
from ..core.errors import StoreUnavailable
from ..core.planning import MIB
from ..core.states import UploadState
from ..models import Upload
from ..signals import after_checksum_check
from .announce import announce
from .batches import LEASE, attempt, claim, release
from .buckets import replace_checksum
from .runs import recorded
from .stored import StoredUpload
from .transactions import committing, end_transaction

logger = logging.getLogger(__name__)

SLOWEST = 4 * MIB
"""Bytes per second that reading is expected to reach at least: so long nobody else reads a file."""

BREAKS = 5
"""How often in a row a connection may break without a byte having passed."""


@dataclass(slots=True)
class VerifyCounts:
    """What a verification found, in files; ``failed`` ones are read again by the next one."""

    verified: int = 0
    mismatched: int = 0
    failed: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


@recorded("verification")
def verify_declared() -> VerifyCounts:
    """Read the files whose declared digest nobody has compared yet, one after another.

    Several workers share the files. A mismatch is reported on the upload, in the log and by a
    signal; the file is left as it is, since only its owner knows which of the two is wrong.
    A digest that is verified becomes the file's checksum, unless somebody has given it another one.
    """
    counts = VerifyCounts()
    for batch in claim(_readable(), limit=1, lease=_time_to_read):
        for upload in batch:
            done = attempt(_verify, upload)
            counts.verified += done and upload.checksum_status == ChecksumStatus.VERIFIED
            counts.mismatched += done and upload.checksum_status == ChecksumStatus.MISMATCH
            counts.failed += not done
            with committing():
                release(upload)
    return counts


def _readable() -> Any:
    """Completed uploads with a digest that can be computed here, whose file is still there."""
    return sa.and_(
        Upload.state == UploadState.COMPLETED.value,
        Upload.checksum_status == ChecksumStatus.DECLARED.value,
        sa.or_(*(Upload.declared_checksum.startswith(f"{name}:") for name in sorted(computable()))),
        sa.exists().where(FileInstance.id == Upload.file_id, FileInstance.readable.is_(True)),
    )


def _time_to_read(upload: Upload) -> timedelta:
    return LEASE + timedelta(seconds=upload.size / SLOWEST)


def _verify(upload: Upload) -> None:
    declared, stored, old = upload.declared, StoredUpload.of(upload), upload.checksum
    if declared is None or not isinstance(stored.store, StreamsObjects):
        return
    end_transaction()
    found = compute(declared.algorithm, _content(stored.store, stored.key))
    status = ChecksumStatus.VERIFIED if found == declared else ChecksumStatus.MISMATCH
    with committing():
        upload.checksum_status = status.value
        replace_checksum(upload, old)
    if status == ChecksumStatus.MISMATCH:
        _report(upload, declared, found)
    announce(after_checksum_check, upload=upload)


def _content(store: StreamsObjects, key: str) -> Iterator[bytes]:
    """Yield an object's content; take it up again where a connection broke."""
    passed, breaks = 0, 0
    while True:
        try:
            for chunk in store.stream(key, passed):
                yield chunk
                passed, breaks = passed + len(chunk), 0
        except StoreUnavailable:
            breaks += 1
            if breaks > BREAKS:
                raise
        else:
            return


def _report(upload: Upload, declared: Digest, found: Digest) -> None:
    logger.error(
        "The file of an upload has the checksum %s, but %s was declared.",
        found,
        declared,
        extra={"action": "checksum_mismatch", "upload": str(upload.id)},
    )
