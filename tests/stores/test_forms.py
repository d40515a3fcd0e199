# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Forms: what their policy says, no more and no less, and how an object becomes a part."""

from __future__ import annotations

import base64
import json
import time
from datetime import timedelta

import pytest

from oarepo_s3.backends import ByteRange, TakesForms
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.errors import StorePreconditionFailed, StoreUploadGone
from oarepo_s3.core.times import utcnow

from .subjects import LIFETIME, TOKEN, stores

CONTENT = b"a small file"


@stores("takes_forms")
@pytest.mark.parametrize("content", [CONTENT, b"", b"x" * (6 * 2**20)], ids=["few", "none", "more"])
def test_what_a_form_has_sent_becomes_the_part_of_an_upload(subject, key, content):
    assert isinstance(subject.store, TakesForms)
    form = subject.store.presign_form(f"{key}/form", size=len(content), lifetime=LIFETIME)
    assert subject.post(form, content) == (201, "")
    assert subject.store.head(f"{key}/form").size == len(content)

    upload_id = subject.send(key, {}, **TOKEN)
    assert subject.store.copy_part(key, upload_id, 1, source=f"{key}/form") is True
    parts = subject.store.list_parts(key, upload_id).parts
    assert [(part.part, part.size) for part in parts] == [(1, len(content))]
    subject.store.complete_upload(key, upload_id, parts)

    info = subject.store.head(key)
    assert (info.size, info.content_type) == (len(content), "text/plain")
    assert info.metadata["oarepo-upload-token"] == "a-token"
    assert subject.read(key) == content
    assert subject.store.head(f"{key}/form").size == len(content)


@stores("takes_forms", "checks_keys")
def test_the_folders_of_a_location_may_have_spaces_and_accents(subject, key):
    """But no ``%``: RGW 16.2 decodes the key twice, finds no such object, or dies of it."""
    strange = f"{key}/a b+ř/form"
    form = subject.store.presign_form(strange, size=len(CONTENT), lifetime=LIFETIME)
    assert subject.post(form, CONTENT) == (201, "")
    upload_id = subject.send(key, {})
    assert subject.store.copy_part(key, upload_id, 1, source=strange) is True


@stores("takes_forms")
def test_a_form_may_be_sent_again_and_the_last_one_counts(subject, key):
    form = subject.store.presign_form(key, size=3, lifetime=LIFETIME)
    for content in (b"old", b"new"):
        assert subject.post(form, content)[0] == 201
    assert subject.store.head(key).size == 3
    upload_id = subject.send(f"{key}-copy", {})
    subject.store.copy_part(f"{key}-copy", upload_id, 1, source=key)
    parts = subject.store.list_parts(f"{key}-copy", upload_id).parts
    subject.store.complete_upload(f"{key}-copy", upload_id, parts)
    assert subject.read(f"{key}-copy") == b"new"


@stores("takes_forms", "binds_id_to_key")
def test_an_object_that_is_not_there_is_copied_nowhere(subject, key):
    upload_id = subject.send(key, {})
    assert subject.store.copy_part(key, upload_id, 1, source=f"{key}-none") is False
    assert list(subject.store.list_parts(key, upload_id).parts) == []


@stores("takes_forms")
def test_pieces_of_an_object_become_the_parts_of_an_upload(subject, key):
    content = b"x" * (5 * 2**20) + b"the rest"
    form = subject.store.presign_form(f"{key}/form", size=len(content), lifetime=LIFETIME)
    assert subject.post(form, content)[0] == 201
    etag = subject.store.head(f"{key}/form").etag
    upload_id = subject.send(key, {})
    for part, span in (
        (1, ByteRange(0, 5 * 2**20 - 1)),
        (2, ByteRange(5 * 2**20, len(content) - 1)),
    ):
        assert subject.store.copy_part(
            key, upload_id, part, source=f"{key}/form", span=span, etag=etag
        )
    parts = subject.store.list_parts(key, upload_id).parts
    assert [part.size for part in parts] == [5 * 2**20, 8]
    subject.store.complete_upload(key, upload_id, parts)
    assert subject.read(key) == content


@stores("takes_forms", "compares_copied")
def test_an_object_with_another_etag_is_not_copied(subject, key):
    form = subject.store.presign_form(f"{key}/form", size=3, lifetime=LIFETIME)
    subject.post(form, b"abc")
    upload_id = subject.send(key, {})
    with pytest.raises(StorePreconditionFailed):
        subject.store.copy_part(key, upload_id, 1, source=f"{key}/form", etag="0" * 32)
    assert list(subject.store.list_parts(key, upload_id).parts) == []


@stores("takes_forms", "binds_id_to_key")
def test_an_upload_that_has_ended_takes_no_copy(subject, key):
    form = subject.store.presign_form(f"{key}/form", size=3, lifetime=LIFETIME)
    subject.post(form, b"abc")
    upload_id = subject.send(key, {})
    subject.store.abort_upload(key, upload_id)
    with pytest.raises(StoreUploadGone):
        subject.store.copy_part(key, upload_id, 1, source=f"{key}/form")


@pytest.fixture
def form(subject, key):
    """A form for the content."""
    return subject.store.presign_form(key, size=len(CONTENT), lifetime=LIFETIME)


@stores("checks_forms")
@pytest.mark.parametrize(
    ("content", "code"),
    [(CONTENT + b"x", "EntityTooLarge"), (CONTENT[1:], "EntityTooSmall"), (b"", "EntityTooSmall")],
)
def test_a_file_of_another_size_is_refused(subject, key, form, content, code):
    assert subject.post(form, content) == (400, code)
    assert subject.store.head(key) is None


def without_its_size(fields):
    policy = json.loads(base64.b64decode(fields["policy"]))
    policy["conditions"] = [c for c in policy["conditions"] if "content-length-range" not in c]
    return {"policy": base64.b64encode(json.dumps(policy).encode()).decode()}


TAMPERED = {
    "another key": lambda fields: {"key": fields["key"] + "x"},
    "another policy": without_its_size,
    "another signature": lambda fields: {"x-amz-signature": fields["x-amz-signature"][::-1]},
    "metadata": lambda fields: {"x-amz-meta-oarepo-upload-token": "a-token"},
    "an ACL": lambda fields: {"acl": "public-read"},
    "a type": lambda fields: {"Content-Type": "text/html"},
}


@stores("checks_forms")
@pytest.mark.parametrize("what", TAMPERED)
def test_a_form_with_something_else_in_it_is_refused(subject, key, form, what):
    changes = TAMPERED[what](form.fields)
    assert subject.post(form, CONTENT, **changes) == (403, "AccessDenied")
    assert subject.store.head(key) is None
    assert subject.store.head(f"{key}x") is None
    # So that nothing but the change was wrong.
    assert subject.post(form, CONTENT) == (201, "")


@stores("checks_forms")
def test_a_form_of_another_signer_is_refused(subject, key):
    right = subject.config.credentials
    other = subject.other_store(keys=Credentials(right.access_key, "not-the-secret"))
    form = other.presign_form(key, size=3, lifetime=LIFETIME)
    assert subject.post(form, b"abc") == (403, "AccessDenied")


@stores("checks_forms")
def test_a_form_ends_with_its_time(subject, key):
    began = utcnow()
    form = subject.store.presign_form(key, size=3, lifetime=timedelta(seconds=3))
    assert form.expires_in == timedelta(seconds=3)
    assert subject.post(form, b"abc") == (201, "")
    while (answer := subject.post(form, b"abc")) == (201, ""):
        assert utcnow() - began < timedelta(seconds=20)
        time.sleep(0.1)
    assert answer == (403, "AccessDenied")


@stores("checks_forms")
def test_a_form_lives_for_a_week_at_most(subject, key):
    form = subject.store.presign_form(key, size=3, lifetime=timedelta(days=8))
    assert form.expires_in == timedelta(days=7)
    assert subject.post(form, b"abc") == (201, "")


@stores("checks_forms")
def test_a_form_shows_none_of_its_fields(form):
    assert not any(value in repr(form) for value in form.fields.values() if value != "201")
