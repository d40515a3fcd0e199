# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Who may do what: drafts are their owner's alone, published records are everybody's."""

from __future__ import annotations

from typing import Any

from flask_principal import Need, UserNeed
from invenio_records_permissions.generators import AnyUser, AuthenticatedUser, Generator
from invenio_records_permissions.policies.base import BasePermissionPolicy
from invenio_records_resources.services.files.generators import IfTransferType
from invenio_records_resources.services.files.transfer import MULTIPART_TRANSFER_TYPE


class Owner(Generator):
    """Whoever made the first draft."""

    def needs(self, record: Any = None, **kwargs: Any) -> list[Need]:
        """Return what an identity has to provide."""
        return [UserNeed(record.parent.owner)]


class PermissionPolicy(BasePermissionPolicy):
    """The permissions of the three services: an action that is not named here is nobody's."""

    can_create = [AuthenticatedUser()]
    can_read = [AnyUser()]

    can_read_draft = [Owner()]
    can_update_draft = [Owner()]
    can_delete_draft = [Owner()]
    can_manage_files = [Owner()]
    can_publish = [Owner()]
    can_edit = [Owner()]
    can_new_version = [Owner()]

    # Files of published records.
    can_read_files = [AnyUser()]
    can_get_content_files = [AnyUser()]

    # Files of drafts. Multipart uploads only: in other transfers the bytes would come through
    # Invenio, or be fetched by it from an address that the user chooses.
    can_draft_create_files = [IfTransferType(MULTIPART_TRANSFER_TYPE, [Owner()])]
    # Who may send parts, and is shown their URLs.
    can_draft_set_content_files = [Owner()]
    can_draft_read_files = [Owner()]
    can_draft_commit_files = [Owner()]
    can_draft_get_content_files = [Owner()]
    can_draft_delete_files = [Owner()]
