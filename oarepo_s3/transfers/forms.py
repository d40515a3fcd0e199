# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Commit the file of a record that came by a form: its client calls nobody, so nobody else does."""

from __future__ import annotations

from typing import Any

from invenio_access.permissions import system_identity
from invenio_records_resources.proxies import current_service_registry
from invenio_records_resources.services.files.transfer import MULTIPART_TRANSFER_TYPE

from ..models import Upload
from .drafts import RECORD_GONE, file_of


def commit_form(app: Any, *, upload: Upload, **kwargs: Any) -> None:
    """Commit by the file service; nothing happens when somebody has done it.

    Whoever asked for the form was allowed to upload, and has left the rest to the server. The
    extension connects this with the end of an upload, and the recovery calls it again. A record
    that is gone needs no commit.
    """
    if upload.record_service is None or upload.form_until is None:
        return
    service = current_service_registry.get(upload.record_service)
    try:
        file = file_of(upload, service)
    except RECORD_GONE:
        return
    if file is not None and file.transfer.transfer_type == MULTIPART_TRANSFER_TYPE:
        service.commit_file(system_identity, upload.record_pid, upload.key)
