# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A Ceph tenant, on a real gateway: by its own keys, and by the keys of another tenant."""

from __future__ import annotations

import io
import json
import os

import pytest
from invenio_db import db
from invenio_files_rest.models import ObjectVersion

from ..conftest import settings_for
from ..object_store import Store
from ..people import http

PART = 5 * 2**20
BUCKET = "tenant-bucket"

pytestmark = pytest.mark.ceph


@pytest.fixture(scope="module", params=["own keys", "own keys, tenant named", "other keys"])
def place(request):
    """How the bucket of the tenant is addressed."""
    return request.param


@pytest.fixture(scope="module")
def store(place, ceph):
    """The tenant's bucket, which lets the user without a tenant in."""
    own = Store(ceph.endpoint_url, ceph.tenant_access_key, ceph.tenant_secret_key, BUCKET)
    client = own.client()
    client.create_bucket(Bucket=BUCKET)
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": [f"arn:aws:iam:::user/{ceph.user}"]},
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
            }
        ],
    }
    client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    if place == "other keys":
        return Store.at(ceph, BUCKET)
    return own


@pytest.fixture(scope="module")
def app_config(app_config, store, place, ceph):
    """The tenant by its Invenio name, where it is needed."""
    app_config.update(settings_for(store))
    if place != "own keys":
        app_config["INVENIO_S3_TENANT"] = ceph.tenant
    return app_config


def test_a_file_goes_up_and_comes_back(uploader, bucket):
    content = os.urandom(PART + 5)
    uploader.upload(bucket, "a b.bin", content, part_size=PART)
    redirect = uploader.download(bucket, "a b.bin")
    assert http.request("GET", redirect.headers["Location"]).data == content
    assert ObjectVersion.get(bucket.id, "a b.bin").file.verify_checksum()


def test_a_stream_is_saved_read_and_deleted(bucket):
    version = ObjectVersion.create(bucket, "s", stream=io.BytesIO(b"streamed"))
    db.session.commit()
    with version.file.storage().open() as stream:
        assert stream.read() == b"streamed"
    version.file.storage().delete()
    with pytest.raises(FileNotFoundError):
        version.file.storage().open()


def test_an_aborted_upload_leaves_nothing(uploader, bucket, ceph):
    upload = uploader.begin(bucket, "a", 2 * PART, part_size=PART)
    http.request("PUT", upload["urls"][0]["url"], body=b"x" * PART)
    assert uploader.delete(upload["links"]["abort"]).status_code == 204
    owner = Store(ceph.endpoint_url, ceph.tenant_access_key, ceph.tenant_secret_key, BUCKET)
    assert "Uploads" not in owner.client().list_multipart_uploads(Bucket=BUCKET)
