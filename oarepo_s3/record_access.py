# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Ask invenio-records-resources about the record that an upload belongs to."""

from __future__ import annotations

from flask import g
from sqlalchemy.exc import NoResultFound

from .models import Upload


def record_allows(upload: Upload, action: str) -> bool:
    """Whether the caller may do something to the files of the upload's record.

    A record that is gone allows nothing, and neither does one whose service is no longer there.

    :param action: as the permission policies of file services name it, ``commit_files`` say.
    """
    # Optional packages: only their transfers leave uploads that come here.
    from invenio_pidstore.errors import PersistentIdentifierError
    from invenio_records_resources.proxies import current_service_registry

    try:
        service = current_service_registry.get(upload.record_service)
        record = service.record_cls.pid.resolve(upload.record_pid, registered_only=False)
    except (KeyError, NoResultFound, PersistentIdentifierError):
        return False
    return bool(service.check_permission(g.identity, action, record=record, file_key=upload.key))
