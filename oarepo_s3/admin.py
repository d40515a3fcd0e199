# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The uploads in the administration; only imported where Flask-Admin is installed.

invenio-admin finds the view by its entry point, and its own permission decides who sees it. With
Flask-Admin alone, ``admin.add_view(UploadView(Upload, db.session))`` shows it to those who may
``admin-access``. Nothing can be edited, and an upload is aborted as its owner would do it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import current_app, flash
from flask_admin.actions import action
from flask_admin.contrib.sqla import ModelView
from flask_admin.contrib.sqla.filters import BaseSQLAFilter
from flask_admin.form import BaseForm
from flask_principal import ActionNeed
from flask_wtf import FlaskForm
from invenio_access.permissions import Permission
from invenio_accounts.models import User
from invenio_db import db
from markupsafe import Markup

from .core.errors import UploadError, UploadNotFound
from .core.quantities import show_duration, show_size
from .core.states import UploadState
from .core.times import isoformat, utcnow
from .models import Upload
from .services import StoreSide, abort_upload, find_owners, get_upload, look_at_store

_LARGEST_ID = 2**31 - 1
"""Of a user, on PostgreSQL."""


class _Filter(BaseSQLAFilter):
    """Those uploads whose column is what was given; a value that is none is told of."""

    def operation(self) -> str:
        """Return what stands between the name and the value."""
        return "is"

    def apply(self, query: Any, value: Any, alias: Any = None) -> Any:
        """Narrow the query to a value that ``clean`` returned."""
        return query.filter(self.column == value)


class StateFilter(_Filter):
    """By state, out of a list."""

    def clean(self, value: str) -> str:
        """Read a state.

        :raises ValueError: when it is none.
        """
        return UploadState(value).value


class BucketFilter(_Filter):
    """By the id of the bucket."""

    def clean(self, value: str) -> UUID:
        """Read an id.

        :raises ValueError: when it is none.
        """
        return UUID(value.strip())


class OwnerFilter(_Filter):
    """By the e-mail address or the id of the user."""

    def clean(self, value: str) -> int | str:
        """Read an id, or else an address.

        :raises ValueError: when nobody can have it.
        """
        text = value.strip().lower()
        if not text.isprintable() or (text.isdecimal() and int(text) > _LARGEST_ID):
            raise ValueError(value)
        return int(text) if text.isdecimal() else text

    def apply(self, query: Any, value: int | str, alias: Any = None) -> Any:
        """Narrow the query."""
        if isinstance(value, str):
            return query.filter(Upload.user_id.in_(db.select(User.id).where(User.email == value)))
        return query.filter(Upload.user_id == value)


def _link(view: ModelView, context: Any, upload: Upload, name: str) -> Markup:
    address = view.get_url(".details_view", id=upload.id, url=context.get("return_url"))
    return Markup('<a href="{}">{}</a>').format(address, upload.key)


def _owner(view: ModelView, context: Any, upload: Upload, name: str) -> str:
    if upload.user_id is None:
        return "a system process"
    return context["owners"].get(upload.user_id, f"user {upload.user_id}, who is gone")


def _size(view: ModelView, context: Any, upload: Upload, name: str) -> str:
    return show_size(upload.size)


def _age(view: ModelView, context: Any, upload: Upload, name: str) -> str:
    return f"{show_duration(utcnow() - upload.created_at)} ago"


def _moment(view: ModelView, context: Any, upload: Upload, name: str) -> str:
    return isoformat(getattr(upload, name))


def _at_store(view: ModelView, context: Any, upload: Upload, name: str) -> Markup | str:
    """Ask the store; one that is away must not take the page with it."""
    try:
        side = look_at_store(upload)
    except UploadError as error:
        return f"{upload.num_parts} planned; {error}"
    if side.known:
        return _progress(upload, side)
    return f"{upload.num_parts} planned; {_without_parts(upload, side)}"


def _progress(upload: Upload, side: StoreSide) -> Markup:
    """Show the parts as a bar and in words."""
    return Markup(
        '<progress value="{parts}" max="{planned}" aria-label="Parts at the store"></progress>'
        " {parts} of {planned} at the store, {size} of {whole}{more}"
    ).format(
        parts=side.parts,
        planned=upload.num_parts,
        size=show_size(side.bytes),
        whole=show_size(upload.size),
        more="; the whole file has come by a form or by temporary keys" if side.form else "",
    )


def _without_parts(upload: Upload, side: StoreSide) -> str:
    """Say why the store has no parts."""
    if side.object is not None and side.object.proved:
        return "the store has made the file"
    if upload.has_ended:
        return "the store holds none of an upload that has ended"
    return "the store does not know this upload"


class UploadView(ModelView):
    """A list of the uploads, a page for each, and how to abort them."""

    can_create = can_edit = can_delete = can_export = False
    can_view_details = True
    column_display_actions = False
    # Counting all rows on every page would read them all.
    simple_list_pager = True
    page_size = 25
    form_base_class = FlaskForm
    details_template = "oarepo_s3/admin/details.html"

    column_list = ("key", "state", "owner", "size", "num_parts", "created_at", "expires_at")
    column_details_list = (
        "id", "state", "reason", "at_store", "owner", "size", "part_size", "bucket_id",
        "file_id", "record_service", "record_pid", "content_type", "declared_checksum",
        "checksum_status", "created_at", "updated_at", "expires_at",
    )  # fmt: skip
    column_sortable_list = ("state", "size", "num_parts", "created_at", "expires_at")
    column_default_sort = ("created_at", True)
    column_labels = {
        "id": "Upload",
        "key": "File",
        "num_parts": "Parts",
        "at_store": "Parts",
        "created_at": "Begun",
        "updated_at": "Last change",
        "expires_at": "Expires",
        "bucket_id": "Bucket",
        "file_id": "File instance",
        "record_pid": "Record",
    }
    column_formatters = {
        "key": _link,
        "owner": _owner,
        "size": _size,
        "created_at": _age,
        "expires_at": _moment,
    }
    column_formatters_detail = {
        "owner": _owner,
        "size": lambda view, context, upload, name: f"{upload.size:,} bytes",
        "part_size": lambda view, context, upload, name: f"{upload.part_size:,} bytes",
        "at_store": _at_store,
        "created_at": _moment,
        "updated_at": _moment,
        "expires_at": _moment,
    }
    column_filters = (
        StateFilter(Upload.state, "State", options=[(each, each) for each in UploadState]),
        OwnerFilter(Upload.user_id, "Owner"),
        BucketFilter(Upload.bucket_id, "Bucket"),
    )

    def scaffold_form(self) -> type[BaseForm]:
        """Return a form without fields: nothing can be edited."""
        return BaseForm

    def is_accessible(self) -> bool:
        """Ask for the right that invenio-admin asks for, or for its usual one without it.

        That it is there does not say that it guards this view, which may have been added by hand.
        """
        state = current_app.extensions.get("invenio-admin")
        usual = Permission(ActionNeed("admin-access"))
        return bool((state.permission_factory(self) if state else usual).can())

    def render(self, template: str, **given: Any) -> str:
        """Show a page, for which the owners of all of its uploads are asked for at once."""
        shown = [given["model"]] if "model" in given else given["data"]
        return super().render(template, owners=find_owners(shown), **given)

    def get_one(self, id: str) -> Upload | None:
        """Return an upload, or None when there is none or the id is none."""
        try:
            return get_upload(UUID(id))
        except (UploadNotFound, ValueError):
            return None

    def is_abortable(self, upload: Upload) -> bool:
        """Whether there is anything left to abort."""
        return not upload.has_ended

    @action("abort", "Abort", "Abort the chosen uploads? What was sent of them is removed.")
    def abort(self, ids: list[str]) -> None:
        """Abort uploads; one that cannot be aborted does not stop the others."""
        for each in ids:
            upload = self.get_one(each)
            if upload is None:
                continue
            key = upload.key
            try:
                abort_upload(upload)
            except UploadError as error:
                flash(f"{key}: {error}", "error")
            else:
                flash(f"{key}: aborted.", "success")


uploads = {
    "view_class": UploadView,
    "args": [Upload, db.session],
    "kwargs": {"name": "Uploads to S3", "category": "Files", "endpoint": "oarepo_s3_uploads"},
}
"""For invenio-admin."""
