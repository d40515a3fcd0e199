# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Objects and uploads, as the server makes them: written, read, compared, listed and removed."""

from __future__ import annotations

from ..core.errors import StoreError, StoreUploadGone
from .bench import CONTENT, Bench
from .explain import is_denied
from .findings import Level


def probe_rights_to_remove(bench: Bench) -> None:
    """Find out, before anything is made, whether it could be removed again.

    Stores look at the rights before they look whether there is anything to remove. This is the
    first signed call, and so the one that finds wrong keys, a missing bucket and a wrong clock.
    """
    nothing = bench.folder + "nothing"
    try:
        bench.store.delete(nothing)
    except StoreError as error:
        bench.stop_at(error)
        bench.stop_at_refusal(error)
        bench.may_delete = False
        bench.refused(error, "delete", "to remove objects", "s3:DeleteObject")
    bench.found("keys", Level.OK, "The store knows the keys, and has the bucket.")
    try:
        bench.store.abort_upload(nothing, "none")
    except StoreError as error:
        bench.stop_at(error)
        # Whatever else it says to an upload that never was says nothing of the rights.
        if is_denied(error):
            bench.may_abort = False
            bench.refused(error, "abort", "to abort uploads", "s3:AbortMultipartUpload")


def probe_object(bench: Bench) -> None:
    """Write, read, compare and remove an object."""
    if not bench.may_delete:
        bench.found("write", Level.NOTE, "Not tried: a test object could not be removed again.")
        return
    with bench.trying("write", "to write an object", "s3:PutObject"):
        key = bench.put("object")
        bench.found("write", Level.OK, "A test object was written.")
        readable = _read(bench, key)
        _see(bench, key, readable=readable)
        _remove(bench, key)


def probe_upload(bench: Bench) -> None:
    """Open an upload, send a part, list both and abort."""
    if not bench.may_abort:
        bench.found("multipart", Level.NOTE, "Not tried: a test upload could not be aborted.")
        return
    with bench.trying("multipart", "to open an upload and send a part", "s3:PutObject"):
        key, upload_id = bench.open("upload")
        bench.store.put_part(key, upload_id, 1, CONTENT)
        bench.found("multipart", Level.OK, "An upload was opened, and a part was sent.")
        _list_parts(bench, key, upload_id)
        _list_uploads(bench, key, upload_id)
        _abort(bench, key, upload_id)


def _read(bench: Bench, key: str) -> bool:
    """Compare an object; return whether the keys may read it."""
    with bench.trying("read", "to read an object", "s3:GetObject"):
        if b"".join(bench.store.stream(key)) != CONTENT:
            bench.found(
                "read",
                Level.FAILURE,
                "What was read is not what was written: something between here and the store"
                " changes it, or the store is broken.",
                "Look at proxies between here and the store, and into the store's own log.",
            )
        else:
            bench.found("read", Level.OK, "It was read, and is the same.")
        return True
    return False


def _see(bench: Bench, key: str, *, readable: bool) -> None:
    """List objects, and ask for one that is not there: AWS says that only to who may list, and
    read."""
    with bench.trying("list", "to list objects", "s3:ListBucket"):
        listed = [found.key for found in bench.store.list_objects(bench.folder)]
        if readable:
            bench.store.head(bench.folder + "nothing")
        if listed == [key]:
            bench.found("list", Level.OK, "It was listed.")
        else:
            bench.found(
                "list",
                Level.WARNING,
                "The store does not list an object that was just written: `invenio s3 sync` would"
                " not see it.",
                "Ask whoever runs the store whether its lists lag behind.",
            )


def _remove(bench: Bench, key: str) -> None:
    with bench.trying("delete", "to remove an object", "s3:DeleteObject"):
        bench.store.delete(key)
        if _is_gone(bench, key):
            bench.removed(key)
            bench.found("delete", Level.OK, "It was removed.")
        else:
            bench.found(
                "delete",
                Level.WARNING,
                "An object that was removed can still be seen.",
                "Ask whoever runs the store whether removals lag behind.",
            )


def _is_gone(bench: Bench, key: str) -> bool:
    """Whether an object that the store was told to remove is not to be seen any more."""
    try:
        return bench.store.head(key) is None
    except StoreError as error:
        # Who may not list gets this of what is not there (S3 API reference, HeadObject).
        if is_denied(error):
            return True
        raise


def _list_parts(bench: Bench, key: str, upload_id: str) -> None:
    with bench.trying("parts", "to list an upload's parts", "s3:ListMultipartUploadParts"):
        sizes = [part.size for part in bench.store.list_parts(key, upload_id).parts]
        if sizes == [len(CONTENT)]:
            bench.found("parts", Level.OK, "The part is listed with its size.")
        else:
            bench.found(
                "parts",
                Level.FAILURE,
                f"The store lists parts of {sizes} bytes where one of {len(CONTENT)} was sent:"
                " no upload could be verified.",
                "This store cannot be used for uploads as it is.",
            )


def _list_uploads(bench: Bench, key: str, upload_id: str) -> None:
    right = "s3:ListBucketMultipartUploads"
    with bench.trying("uploads", "to list open uploads", right):
        if any(u.upload_id == upload_id for u in bench.store.list_uploads(bench.folder)):
            bench.found("uploads", Level.OK, "The open upload is listed.")
            return
        exactly = upload_id in bench.store.find_uploads(key)
        bench.found(
            "uploads",
            Level.WARNING,
            "The store lists open uploads "
            + ("by exact keys alone (as MinIO does)" if exactly else "not at all")
            + ": the sweep of orphans finds nothing there.",
            f"{bench.subject.lifecycle_command}  (the store then removes them itself)",
        )


def _abort(bench: Bench, key: str, upload_id: str) -> None:
    with bench.trying("abort", "to abort an upload", "s3:AbortMultipartUpload"):
        bench.store.abort_upload(key, upload_id)
        try:
            left = bench.store.list_parts(key, upload_id).parts
        except StoreError as error:
            # What the keys may not see was said where it was there to be seen.
            if not (isinstance(error, StoreUploadGone) or is_denied(error)):
                raise
            left = []
        if not left:
            bench.ended(key, upload_id)
            bench.found("abort", Level.OK, "The upload was aborted, and its part is gone.")
        else:
            bench.found(
                "abort",
                Level.WARNING,
                "Parts of an aborted upload can still be seen.",
                f"{bench.subject.lifecycle_command}  (the store then removes them itself)",
            )
