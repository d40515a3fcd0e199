# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Ask invenio-records-resources about the record that an upload or a token belongs to.

It is an optional package: without it there is nothing that could be asked about.
"""

from __future__ import annotations

from typing import Any

from flask import g
from sqlalchemy.exc import NoResultFound

from .models import Upload


def record_allows(upload: Upload, action: str) -> bool:
    """Whether the caller may do something to the files of the upload's record.

    A record that is gone allows nothing, and neither does one whose service is no longer there.

    :param action: as the permission policies of file services name it, ``commit_files`` say.
    """
    return files_allow(upload.record_service, upload.record_pid, action, file_key=upload.key)


def files_allow(service_id: str, pid: str, action: str, **about: Any) -> bool:
    """Whether the caller may do something to the files of a record; as :func:`record_allows`.

    :param service_id: id of the file service.
    :param about: what the policy may want to know of the file.
    """
    try:
        from invenio_pidstore.errors import PersistentIdentifierError
        from invenio_records_resources.proxies import current_service_registry
        from invenio_records_resources.services import FileService
    except ImportError:
        return False
    try:
        service = current_service_registry.get(service_id)
        if not isinstance(service, FileService):
            return False
        record = service.record_cls.pid.resolve(pid, registered_only=False)
    except (KeyError, NoResultFound, PersistentIdentifierError):
        return False
    return bool(service.check_permission(g.identity, action, record=record, **about))


def content_address(upload: Upload) -> str | None:
    """Return where the bytes of a record's file are, as its own service says it.

    None when that service is no longer there, or links to no content.
    """
    from invenio_records_resources.proxies import current_service_registry
    from invenio_records_resources.services.base import LinksTemplate

    try:
        links = current_service_registry.get(upload.record_service).config.file_links_item
    except KeyError:
        return None
    # The others may ask the file for more than its key.
    content = {name: link for name, link in links.items() if name == "content"}
    context = {"id": upload.record_pid, "pid_value": upload.record_pid}
    address = LinksTemplate(content, context=context).expand(g.identity, upload).get("content")
    return None if address is None else str(address)
