# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Whoever copies a large file that came by temporary keys may die at any line."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from invenio_files_rest.models import ObjectVersion

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import (
    NewUpload,
    complete_upload,
    create_upload,
    get_upload,
    recover_interrupted,
    sign_parts,
    sweep_orphans,
)
from oarepo_s3.services.forms import stage
from oarepo_s3.services.stored import StoredUpload
from oarepo_s3.services.transactions import committing

from ..people import http, put
from .deaths import age, at_store

PART = 5 * 2**20
LARGE = os.urandom(2 * PART + 7)

LINES = [
    "after store.head",
    "before commit 1",
    "after commit 1",
    "before store.copy_part",
    "after store.copy_part 2",
    "after store.head 2",
    "after commit 2",
    "after store.complete_upload",
    "before store.delete",
    "after store.delete",
]
WITH_PARTS = [
    "after store.create_upload",
    "after commit 1",
    "before store.abort_upload",
    "after store.abort_upload",
    "after store.copy_part 2",
]
"""Where another multipart upload takes the place of the first, which has a part."""


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """A store that is known to copy objects into parts."""
    app_config["OAREPO_S3_PROFILE"] = "ceph"
    return app_config


@pytest.fixture
def sent(bucket, store) -> Upload:
    """An upload of three parts, whose file was sent as one object."""
    made = create_upload(NewUpload(bucket_id=bucket.id, key="a", size=len(LARGE), part_size=PART))
    with committing():
        stage(made, utcnow() + timedelta(hours=1))
    key = StoredUpload.of(made).form_key
    store.client().put_object(Bucket=store.bucket, Key=key, Body=LARGE)
    return made


def is_there(store, bucket, upload):
    """Whether the file can be read, and nothing else is left."""
    sweep_orphans(dry_run=False)
    url = ObjectVersion.get(bucket.id, "a").send_file().headers["Location"]
    return (
        upload.state == "completed"
        and at_store(store, upload) == (0, 1)
        and http.request("GET", url).data == LARGE
    )


@pytest.mark.usefixtures("no_grace")
@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("by", ["a repeated call", "the recovery"])
def test_complete(mortal, store, bucket, sent, line, by):
    mortal.die(line, "complete", upload=str(sent.id))
    if by == "the recovery":
        age(rests_until=None, updated_at=utcnow() - timedelta(minutes=20))
        begun = get_upload(sent.id).state
        assert recover_interrupted().completed == (begun != "completed")
    else:
        complete_upload(get_upload(sent.id))
    assert is_there(store, bucket, get_upload(sent.id))


@pytest.mark.usefixtures("no_grace")
@pytest.mark.parametrize("line", WITH_PARTS)
def test_complete_where_some_parts_were_sent(mortal, store, bucket, sent, line):
    put(sign_parts(sent, [2])[0].url, bytes(PART))
    mortal.die(line, "complete", upload=str(sent.id))
    complete_upload(get_upload(sent.id))
    assert is_there(store, bucket, get_upload(sent.id))
