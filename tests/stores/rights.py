# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""All that the server does at a store, each by somebody who may or may not."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import boto3
import urllib3

from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.errors import StoreDenied
from oarepo_s3.core.policies import SHOW_BUCKET_ACTIONS, server_policy

from ..object_store import Store
from .subjects import LIFETIME

RIGHTS_BUCKET = BUCKET = "rights"
POLICY = "oarepo-s3"
FULL = server_policy(BUCKET)
ACTIONS = sorted({action for each in FULL["Statement"] for action in each["Action"]})


def without(action: str, policy: dict[str, Any] = FULL) -> dict[str, Any]:
    """Return a policy, the server's, less one action."""
    statements = [
        {**each, "Action": [name for name in each["Action"] if name != action]}
        for each in policy["Statement"]
    ]
    return {**policy, "Statement": statements}


def with_all_that_is_shown() -> dict[str, Any]:
    """Return the server's policy, and what ``invenio s3 bucket show`` reads beside."""
    shown = {
        "Effect": "Allow",
        "Action": [*SHOW_BUCKET_ACTIONS],
        "Resource": f"arn:aws:s3:::{BUCKET}",
    }
    return {**FULL, "Statement": [*FULL["Statement"], shown]}


@dataclass
class Bench:
    """Two users of a bucket that neither owns: one has the whole policy, one a piece of it.

    All keys begin with ``folder``.
    """

    server: S3Store
    trimmed: S3Store
    http: urllib3.PoolManager
    folder: str = ""

    def upload(self, *contents: bytes) -> tuple[str, str]:
        """Open an upload; return its key and its id."""
        key = f"{self.folder}ab/{uuid.uuid4()}"
        upload_id = self.server.create_upload(key, content_type=None, metadata={})
        sign = self.server.part_signer(key, upload_id, lifetime=LIFETIME).sign
        for number, content in enumerate(contents, 1):
            self.send(sign(number), content)
        return key, upload_id

    def object(self) -> str:
        """Make an object; return its key."""
        key, upload_id = self.upload(b"content")
        parts = self.server.list_parts(key, upload_id).parts
        self.server.complete_upload(key, upload_id, parts)
        return key

    def send(self, url: str, content: bytes) -> None:
        answered(self.http.request("PUT", url, body=content))


def answered(answer: Any) -> None:
    if answer.status == 403:
        raise StoreDenied(reason="AccessDenied")
    assert answer.status < 300, answer.data


def send_part(bench: Bench) -> None:
    key, upload_id = bench.upload()
    bench.send(bench.trimmed.part_signer(key, upload_id, lifetime=LIFETIME).sign(1), b"x")


def send_form(bench: Bench) -> None:
    form = bench.trimmed.presign_form(
        f"{bench.folder}oarepo-s3-forms/one", size=1, lifetime=LIFETIME
    )
    fields = {**form.fields, "file": ("blob", b"x", "text/plain")}
    answered(bench.http.request("POST", form.url, fields=fields))


def complete(bench: Bench) -> None:
    key, upload_id = bench.upload(b"x")
    bench.trimmed.complete_upload(key, upload_id, bench.server.list_parts(key, upload_id).parts)


def look_for_nothing(bench: Bench) -> None:
    assert bench.trimmed.head(f"{bench.folder}nothing") is None


def download(bench: Bench) -> None:
    url = bench.trimmed.presign_download(bench.object(), lifetime=LIFETIME)
    answered(bench.http.request("GET", url))


def copy_part(bench: Bench) -> None:
    key, upload_id = bench.upload()
    assert bench.trimmed.copy_part(key, upload_id, 1, source=bench.object())


STEPS: dict[str, Callable[[Bench], Any]] = {
    "open an upload": lambda b: b.trimmed.create_upload(
        f"{b.folder}ab/c", content_type=None, metadata={}
    ),
    "send a part": send_part,
    "send a form": send_form,
    "list parts": lambda b: b.trimmed.list_parts(*b.upload(b"x")),
    "complete": complete,
    "abort": lambda b: b.trimmed.abort_upload(*b.upload(b"x")),
    "copy a part": copy_part,
    "describe an object": lambda b: b.trimmed.head(b.object()),
    "look for no object": look_for_nothing,
    "read": lambda b: list(b.trimmed.stream(b.object())),
    "download": download,
    "delete": lambda b: b.trimmed.delete(b.object()),
    "list uploads": lambda b: list(b.trimmed.list_uploads(f"{b.folder}ab/")),
    "list objects": lambda b: list(b.trimmed.list_objects(f"{b.folder}ab/")),
    "see the bucket": lambda b: b.trimmed.bucket_exists(),
    "read cors": lambda b: b.trimmed.read_document("cors"),
    "read lifecycle": lambda b: b.trimmed.read_document("lifecycle"),
}

PUT = {"open an upload", "send a part", "send a form", "complete", "copy a part"}
NEEDED_FOR = {
    "s3:AbortMultipartUpload": {"abort"},
    "s3:DeleteObject": {"delete"},
    "s3:GetBucketCORS": {"read cors"},
    "s3:GetLifecycleConfiguration": {"read lifecycle"},
    "s3:GetObject": {"describe an object", "read", "download", "copy a part"},
    "s3:ListBucket": {"list objects", "see the bucket", "look for no object"},
    "s3:ListBucketMultipartUploads": {"list uploads"},
    "s3:ListMultipartUploadParts": {"list parts"},
    "s3:PutObject": PUT,
}


def denied_steps(bench: Bench) -> set[str]:
    """Do everything once; return what the store denies."""
    found = set()
    for name, step in STEPS.items():
        try:
            step(bench)
        except StoreDenied:
            found.add(name)
    return found


def sts_of(place: Store) -> Any:
    """Return a client that asks for temporary keys."""
    return boto3.client(
        "sts",
        endpoint_url=place.endpoint_url,
        aws_access_key_id=place.access_key,
        aws_secret_access_key=place.secret_key,
        region_name="us-east-1",
    )


def with_keys_of(root: S3Store, place: Store, user: str, policy: dict[str, Any]) -> Store:
    """Make a user of moto with a policy, and return the store with their keys."""
    enforce(place, "inf")
    root._iam.create_user(UserName=user)
    keys = root._iam.create_access_key(UserName=user)["AccessKey"]
    root.write_user_policy(user, POLICY, policy)
    enforce(place, "0")
    return replace(place, access_key=keys["AccessKeyId"], secret_key=keys["SecretAccessKey"])


def enforce(place: Store, after: str) -> None:
    """Let moto check rights after so many calls."""
    urllib3.request("POST", f"{place.endpoint_url}/moto-api/reset-auth", body=after)
