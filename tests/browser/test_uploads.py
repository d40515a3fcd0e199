# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Files are dropped on the page, and arrive as they are."""

from __future__ import annotations

import pytest

from ..conftest import REAL
from .gate import part_of
from .uploader import PART, Uploader
from .visitor import digest_of

pytestmark = pytest.mark.browser

LIMIT = 6
"""The default of the plugin."""


def test_several_files_are_dropped_and_come_back_the_same(uploader, visitor, made):
    files = [
        made(2 * PART + 7, "large.bin"),
        made(1000, "small.txt"),
        made(0, "empty"),
        made(10, "žluťoučký kůň (1) + #%?&.bin"),
    ]

    uploader.upload(*files)

    links = uploader.wait_for_results(len(files))
    assert {name: visitor.digest(link) for name, link in links.items()} == {
        file.name: digest_of(file) for file in files
    }
    assert {each["state"] for each in visitor.uploads()} == {"completed"}
    assert uploader.problems.count() == 0


def test_parts_of_one_file_go_at_the_same_time(uploader, made, gate):
    uploader.upload(made(12 * PART))

    uploader.wait_for_results(1)
    assert gate.sent() == dict.fromkeys(range(1, 13), 1)
    assert 2 <= gate.most_at_once() <= LIMIT


# rclone's server lets no page send Content-MD5.
@pytest.mark.parametrize("place", [REAL], indirect=True)
def test_parts_carry_digests_that_a_worker_computes(place, visitor, bucket_id, made, gate):
    uploader = Uploader.opened(visitor, bucket=bucket_id, part_size=PART, checksums=True)
    file = made(3 * PART + 1)

    uploader.upload(file)

    link = uploader.wait_for_results(1)["data.bin"]
    assert visitor.digest(link) == digest_of(file)
    (worker,) = uploader.page.workers
    assert "/md5.worker.js" in worker.url
    # The store takes such a URL with the digest that it was signed for, and checks what comes.
    signed = {part_of(put): put.query["X-Amz-SignedHeaders"] for put in gate.requests("PUT")}
    assert signed == dict.fromkeys(range(1, 5), "content-md5;host")
    assert gate.sent() == dict.fromkeys(range(1, 5), 1)
    assert uploader.errors == []
