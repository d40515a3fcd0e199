# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uploads of one part, which is sent by a form."""

from __future__ import annotations

import pytest

from oarepo_s3.services import NewUpload, create_upload, open_form
from oarepo_s3.services.stored import StoredUpload

CONTENT = b"a small file"
NOTHING = {"completed": 0, "aborted": 0, "lost": 0, "failed": 0}


@pytest.fixture
def pending(memory, bucket):
    """Open an upload of one part."""

    def begin(content=CONTENT, key="a"):
        return create_upload(
            NewUpload(bucket_id=bucket.id, key=key, size=len(content), num_parts=1)
        )

    return begin


@pytest.fixture
def sent(memory, pending):
    """Open an upload whose file was sent by a form."""

    def send(content=CONTENT, key="a"):
        upload = pending(content, key)
        memory.post_form(open_form(upload), content)
        return upload

    return send


def form_key(upload):
    return StoredUpload.of(upload).form_key
