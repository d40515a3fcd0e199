# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The stores under test, and the one table of what is different in each.

The defaults of :class:`Traits` are S3 as its API reference describes it; a row names only where a
store differs (measured on Ceph RGW 16.2, moto 5.2, rclone 1.75).
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, get_args

import pytest
import urllib3

from oarepo_s3.backends import Form, ObjectStore, PresignsDownloads, StoreConfig
from oarepo_s3.backends.memory import MemoryStore
from oarepo_s3.backends.operators import Document
from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.errors import StoreError, StoreFault, StoreUnavailable, StoreUploadGone
from oarepo_s3.core.parts import UploadedPart
from oarepo_s3.core.planning import MIB

from ..own_store import KIND, connection

SMALLEST = 5 * MIB
LIFETIME = timedelta(minutes=5)
TOKEN = {"oarepo-upload-token": "a-token"}
MISTAKES = ("wrong etag", "part never sent", "part left out", "no parts", "part too small")
"""What can be wrong in the list of parts of a complete call."""


def md5(content: bytes) -> str:
    """Return the ETag that a part has."""
    return hashlib.md5(content).hexdigest()


@dataclass(frozen=True)
class Traits:
    """What a store does; see the module's docstring."""

    speaks_http: bool = True
    checks_keys: bool = True
    """Wrong keys are refused."""
    forged_status: int = 403
    """Its answer to a part URL with another signature."""
    expired_status: int = 403
    """Its answer to a part URL after its time."""
    unsigned_status: int = 403
    """Its answer to a download without a signature."""
    gone_status: int = 404
    """Its answer to a part of an upload that has ended."""
    lets_pass: frozenset[str] = frozenset()
    """Mistakes in the list of parts that it does not refuse."""
    complete_again: type[StoreError] | None = StoreUploadGone
    complete_aborted: type[StoreError] = StoreUploadGone
    binds_id_to_key: bool = True
    """An upload's id is worth nothing with another key."""
    pages_sparse_parts: bool = True
    """It pages by part number, not by how many parts there are."""
    composite_etag: bool = True
    """The ETag of an object is the MD5 of its parts' MD5s, and their number."""
    tells_age: bool = True
    """It says when an upload was begun."""
    takes_double_slashes: bool = True
    misses_buckets: bool = True
    """A bucket has to be made before it can be used."""
    takes_forms: bool = True
    """A form makes an object, and an object can be copied into a part."""
    compares_copied: bool = True
    """It copies an object into a part only if that has the ETag that was named."""
    checks_forms: bool = True
    """It refuses a form that breaks its policy, has expired, or was not signed."""
    administers: bool = True
    """It has buckets to be made, described and removed."""
    documents: frozenset[str] = frozenset(get_args(Document))
    """What can hang on a bucket."""
    keeps_versions: bool = True
    takes_any_key: bool = True
    """Its keys may have characters that XML cannot carry."""


TRAITS = {
    "memory": Traits(
        speaks_http=False,
        checks_keys=False,
        misses_buckets=False,
        checks_forms=False,
        administers=False,
    ),
    "moto": Traits(
        checks_keys=False,
        forged_status=200,
        unsigned_status=200,
        expired_status=200,
        gone_status=500,
        lets_pass=frozenset({"part left out"}),
        complete_again=None,
        complete_aborted=StoreFault,
        binds_id_to_key=False,
        pages_sparse_parts=False,
        tells_age=False,
        compares_copied=False,
        checks_forms=False,
        takes_any_key=False,
    ),
    "rclone": Traits(
        expired_status=400,
        unsigned_status=400,
        lets_pass=frozenset({"part left out", "no parts", "part too small"}),
        composite_etag=False,
        takes_double_slashes=False,
        takes_forms=False,
        checks_forms=False,
        documents=frozenset(),
        keeps_versions=False,
    ),
    "ceph": Traits(complete_again=None, compares_copied=False, complete_aborted=StoreUnavailable),
}
YOURS = connection()
if YOURS is not None:
    # One bucket is lent to the tests, and nothing else.
    TRAITS["yours"] = replace(
        {"aws": Traits(), **TRAITS}[os.environ.get(KIND, "aws")], administers=False
    )
_MARKS = {"rclone": pytest.mark.rclone, "ceph": pytest.mark.ceph}


def case(name: str, *values: Any) -> Any:
    """Return the parameters of one test of a store, with the store's mark."""
    label = "-".join([name, *map(str, values)])
    return pytest.param(name, *values, id=label, marks=_MARKS.get(name, ()))


def stores(*needs: str) -> pytest.MarkDecorator:
    """Run a test once per store that has these traits."""
    names = [name for name, row in TRAITS.items() if all(getattr(row, need) for need in needs)]
    return pytest.mark.parametrize("subject", map(case, names), indirect=True)


class Subject:
    """A store under test, with an empty bucket, and what a client of it does."""

    def __init__(self, name: str, bucket: str, config: StoreConfig, http: urllib3.PoolManager):
        self.name = name
        self.traits = TRAITS[name]
        self.bucket = bucket
        self.config = config
        self.http = http

    @cached_property
    def store(self) -> Any:
        """The store, seen by the server."""
        return self.other_store()

    def other_store(
        self, bucket: str | None = None, keys: Credentials | None = None, **changes: Any
    ) -> Any:
        """Return a store of another bucket, with other keys or another connection."""
        if not self.traits.speaks_http:
            return MemoryStore(bucket or self.bucket)
        if keys is not None:
            changes["credentials"] = keys
        return S3Store(bucket or self.bucket, replace(self.config, **changes))

    def put(self, url: str, content: bytes) -> int:
        """Send a part as a client does; return the status of the answer."""
        if not self.traits.speaks_http:
            self.store.put_part(url, content)
            return 200
        return self.http.request("PUT", url, body=content).status

    def post(self, form: Form, content: bytes, **changes: str) -> tuple[int, str]:
        """Send a form as a client does; return the status and the code of the answer.

        :param changes: fields with other values than those that were signed.
        """
        if not self.traits.speaks_http:
            self.store.post_form(form, content)
            return 201, ""
        fields = {**form.fields, **changes, "file": ("blob", content, "text/plain")}
        answer = self.http.request("POST", form.url, fields=fields)
        code = re.search(rb"<Code>(\w+)</Code>", answer.data)
        return answer.status, code[1].decode() if code else ""

    def read(self, key: str, store: Any = None) -> bytes:
        """Fetch an object as a client does."""
        seen = store or self.store
        if isinstance(seen, MemoryStore):
            return seen.read(key)
        assert isinstance(seen, PresignsDownloads)
        answer = self.http.request("GET", seen.presign_download(key, lifetime=LIFETIME))
        assert answer.status == 200
        return answer.data

    def send(self, key: str, contents: dict[int, bytes], store: Any = None, **meta: str) -> str:
        """Open an upload and send its parts; return its id."""
        seen = store or self.store
        upload_id = seen.create_upload(key, content_type="text/plain", metadata=meta)
        sign = seen.part_signer(key, upload_id, lifetime=LIFETIME).sign
        for part, content in contents.items():
            assert self.put(sign(part), content) == 200
        return str(upload_id)


def all_parts(store: ObjectStore, key: str, upload_id: str, limit: int) -> list[UploadedPart]:
    """Read all pages of an upload's parts."""
    found: list[UploadedPart] = []
    more = True
    while more:
        after = found[-1].part if found else 0
        page = store.list_parts(key, upload_id, after=after, limit=limit)
        assert len(page.parts) <= limit
        assert all(part.part > after for part in page.parts)
        assert page.parts or not page.more
        found += page.parts
        more = page.more
    return found
