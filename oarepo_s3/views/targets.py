# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What an upload token opens: a bucket, or the files of a draft.

Both begin, complete and abort uploads as the token's user, who is asked for permission each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from invenio_files_rest.models import Bucket

from ..core.errors import BucketNotFound, UploadNotFound
from ..models import Upload, UploadToken
from ..permissions import (
    require_abort,
    require_begin,
    require_begin_in_draft,
    require_complete,
)
from ..services import (
    NewUpload,
    abort_upload,
    complete_upload,
    create_upload,
    get_upload,
    read_token,
)
from .acting import acting_as


@dataclass(frozen=True, slots=True)
class CutFile:
    """A file as a client has cut it already; sizes in bytes."""

    key: str
    size: int
    num_parts: int
    part_size: int
    content_type: str | None


class Target(Protocol):
    """Where the uploads of a token go."""

    @property
    def token(self) -> UploadToken:
        """The token that opens it."""
        ...

    def begin(self, file: CutFile) -> Upload:
        """Open an upload."""
        ...

    def complete(self, upload: Upload, claims: Mapping[int, str] | None) -> Upload:
        """Complete it; repeated, the same upload."""
        ...

    def abort(self, upload: Upload) -> None:
        """Drop it; nothing happens the second time."""
        ...


@dataclass(frozen=True, slots=True)
class BucketTarget:
    """A files-rest bucket."""

    token: UploadToken

    def begin(self, file: CutFile) -> Upload:
        """Open an upload in the bucket."""
        bucket = Bucket.get(self.token.bucket_id)
        if bucket is None:
            raise BucketNotFound()
        require_begin(bucket)
        return create_upload(
            NewUpload(
                bucket_id=bucket.id,
                key=file.key,
                size=file.size,
                content_type=file.content_type,
                part_size=file.part_size,
                num_parts=file.num_parts,
                user_id=self.token.user_id,
            )
        )

    def complete(self, upload: Upload, claims: Mapping[int, str] | None) -> Upload:
        """Complete an upload in the bucket."""
        require_complete(upload)
        return complete_upload(upload, claims)

    def abort(self, upload: Upload) -> None:
        """Drop an upload in the bucket."""
        require_abort(upload)
        abort_upload(upload)


@dataclass(frozen=True, slots=True)
class DraftTarget:
    """The files of a draft, by its own file service.

    That service's package is optional: it is imported where there is a draft.
    """

    token: UploadToken

    def begin(self, file: CutFile) -> Upload:
        """Begin a file of the draft."""
        from ..transfers.drafts import begin_in_draft

        service_id, pid = self.token.record_service, self.token.record_pid
        require_begin_in_draft(service_id, pid)
        return begin_in_draft(
            service_id,
            pid,
            key=file.key,
            size=file.size,
            num_parts=file.num_parts,
            part_size=file.part_size,
        )

    def complete(self, upload: Upload, claims: Mapping[int, str] | None) -> Upload:
        """Complete the upload and commit the file."""
        from ..transfers.drafts import complete_in_draft

        require_complete(upload)
        return complete_in_draft(upload, claims)

    def abort(self, upload: Upload) -> None:
        """Remove the file, and the upload with it."""
        from ..transfers.drafts import abort_in_draft

        require_abort(upload)
        abort_in_draft(upload)


@contextmanager
def opened(text: str) -> Iterator[Target]:
    """Let the block act as the user of a token, in the place that the token opens.

    :param text: the token as it stands in the address.
    :raises TokenNotValid: when it opens nothing.
    """
    token = read_token(text)
    with acting_as(token.user_id):
        yield BucketTarget(token) if token.record_service is None else DraftTarget(token)


def upload_of(target: Target, upload_id: str) -> Upload:
    """Return an upload that the token's user began in the place that the token opens.

    :raises UploadNotFound: for any other one, as if it did not exist.
    """
    try:
        upload = get_upload(UUID(upload_id))
    except ValueError:
        raise UploadNotFound() from None
    if not target.token.opens(upload):
        raise UploadNotFound()
    return upload
