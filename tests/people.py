# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Users with grants, and a client of the REST API for each."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3
from invenio_access.models import ActionUsers
from invenio_accounts.testutils import login_user_via_session
from invenio_db import db
from invenio_files_rest import permissions

http = urllib3.PoolManager(retries=False)
"""Talks to the store as a client does: plain PUT and GET, no SDK, no repetition."""

ACTIONS = {
    "bucket-read": permissions.BucketRead,
    "bucket-update": permissions.BucketUpdate,
    "multipart-read": permissions.MultipartRead,
    "multipart-delete": permissions.MultipartDelete,
    "object-read": permissions.ObjectRead,
}
UPLOADER = ("bucket-read", "bucket-update", "object-read")
OWNER = tuple(ACTIONS)

NOWHERE = "00000000-0000-4000-8000-000000000000"
"""An id that nothing has."""


class Person:
    """Somebody who uses the REST API; anonymous when made without an application user."""

    def __init__(self, app: Any, user: Any = None) -> None:
        self.user_id = user.id if user is not None else None
        self.client = app.test_client()
        if user is not None:
            login_user_via_session(self.client, user)

    def grant(self, bucket: Any, *actions: str) -> Person:
        """Give rights on a bucket."""
        for action in actions:
            need = ACTIONS[action](str(bucket.id))
            db.session.add(ActionUsers.allow(need, user_id=self.user_id))
        db.session.commit()
        return self

    def revoke(self, bucket: Any) -> None:
        """Take all rights on a bucket away."""
        ActionUsers.query.filter_by(user_id=self.user_id, argument=str(bucket.id)).delete()
        db.session.commit()

    def post(self, address: str, **kwargs: Any) -> Any:
        """Send a POST to the API."""
        return self.client.post(path(address), **kwargs)

    def get(self, address: str, **kwargs: Any) -> Any:
        """Send a GET to the API."""
        return self.client.get(path(address), **kwargs)

    def delete(self, address: str) -> Any:
        """Send a DELETE to the API."""
        return self.client.delete(path(address))

    def begin(self, bucket: Any, key: str, size: int, **more: Any) -> dict[str, Any]:
        """Open an upload that has to succeed."""
        answer = self.post(
            "/multipart-uploads", json={"bucket": str(bucket.id), "key": key, "size": size, **more}
        )
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return answer.get_json()

    def complete(self, upload: dict[str, Any], **kwargs: Any) -> Any:
        """Complete an upload."""
        return self.post(upload["links"]["complete"], **kwargs)

    def upload(self, bucket: Any, key: str, content: bytes, **more: Any) -> dict[str, Any]:
        """Open, send all parts and complete; everything has to succeed."""
        upload = self.begin(bucket, key, len(content), **more)
        send_parts(upload, content)
        answer = self.complete(upload)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def download(self, bucket: Any, key: str) -> Any:
        """Ask files-rest for a file; a redirect to the store is expected of it."""
        return self.client.get(f"/files/{bucket.id}/{key}")


def new_person(app: Any) -> Person:
    """Make a user."""
    datastore = app.extensions["security"].datastore
    user = datastore.create_user(email=f"{uuid.uuid4()}@example.org", active=True)
    db.session.commit()
    return Person(app, user)


def path(address: str) -> str:
    """Return the path of an address that the API gave."""
    parsed = urllib3.util.parse_url(address)
    return f"{parsed.path}?{parsed.query}" if parsed.query else str(parsed.path)


def key_of(url: str) -> str:
    """Return the object's key in a path-style URL."""
    return unquote(urlsplit(url).path.lstrip("/").partition("/")[2])


def cut(upload: dict[str, Any], content: bytes, part: int) -> bytes:
    """Return the bytes of a part."""
    start = (part - 1) * upload["part_size"]
    return content[start : start + upload["part_size"]]


def put(url: str, content: bytes) -> str:
    """Send a part to the store, as a client does, and return its ETag as the store writes it."""
    answer = http.request("PUT", url, body=content)
    assert answer.status == 200, answer.data
    return str(answer.headers["ETag"])


def send_parts(
    upload: dict[str, Any], content: bytes, only: tuple[int, ...] | None = None
) -> list[dict[str, Any]]:
    """Send the parts whose URLs the session carries; return them as a client lists them."""
    return [
        {"PartNumber": item["part"], "ETag": put(item["url"], cut(upload, content, item["part"]))}
        for item in upload["urls"]
        if only is None or item["part"] in only
    ]
