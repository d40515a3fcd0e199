# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What Prometheus reads: by its own parser, of real uploads, real errors and real runs of tasks."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from invenio_db import db
from invenio_files_rest.models import ObjectVersion
from prometheus_client.parser import text_string_to_metric_families

from oarepo_s3.api import MultipartUpload
from oarepo_s3.core.states import UploadState
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import TaskRun, Upload
from oarepo_s3.proxies import current_s3
from oarepo_s3.tasks import (
    cleanup_expired_multipart_uploads,
    recover_interrupted_multipart_uploads,
    sweep_orphaned_multipart_uploads,
)

from ..docs.pages import DOCS
from ..people import Person, http, send_parts
from ..services import FaultProxy
from .outcomes import row_of
from .test_tasks import age

ADDRESS = "/multipart-uploads/metrics"
TOKEN = "a token of Prometheus"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
CONTENT = b"some bytes"


@pytest.fixture(scope="module")
def proxy(store_itself) -> Iterator[FaultProxy]:
    """What is between everybody and the store."""
    with FaultProxy(int(store_itself.endpoint_url.rpartition(":")[2])) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def store_itself(place, request) -> Any:
    """The store, without anything in between."""
    return request.getfixturevalue({"local": "rclone_store", "real": "ceph_store"}[place])


@pytest.fixture(scope="module")
def store(place, store_itself, proxy) -> Any:
    """The store, behind the proxy."""
    return replace(store_itself, endpoint_url=proxy.endpoint_url)


@pytest.fixture(scope="module")
def app_config(app_config, place, store) -> dict[str, Any]:
    """A token, and no patience."""
    app_config.update(
        OAREPO_S3_METRICS_TOKEN=TOKEN, OAREPO_S3_SILENCE_PAUSE=0, OAREPO_S3_MAX_ATTEMPTS=1
    )
    return app_config


@pytest.fixture
def nothing(database) -> None:
    """No upload was ever begun, and no task has run."""
    for table in (Upload, TaskRun):
        db.session.execute(db.delete(table))
    db.session.commit()


@pytest.fixture
def prometheus(app, watched) -> Person:
    """Somebody who is not logged in."""
    return watched(Person(app))


@pytest.fixture
def scrape(prometheus) -> Any:
    """Read the metrics: by name, and by the values of their labels if they have any."""

    def read() -> dict[Any, float]:
        answer = prometheus.get(ADDRESS, headers=BEARER)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        found = {}
        for family in text_string_to_metric_families(answer.text):
            assert family.name.startswith("oarepo_s3_")
            assert family.documentation
            for sample in family.samples:
                labels = tuple(value for _, value in sorted(sample.labels.items()))
                found[(sample.name.removeprefix("oarepo_s3_"), *labels)] = sample.value
        return found

    return read


def risen(before: dict[Any, float], after: dict[Any, float], name: str) -> dict[Any, float]:
    """Return by how much the samples of a name have risen, those that have."""
    return {
        key[1:]: value - before.get(key, 0)
        for key, value in after.items()
        if key[0] == name and value != before.get(key, 0)
    }


def results_of(seen: dict[Any, float], task: str) -> dict[str, float]:
    """Return what the last run of a task came to."""
    name = "task_last_run_results"
    return {key[1]: value for key, value in seen.items() if (key[0], key[-1]) == (name, task)}


@pytest.mark.parametrize(
    "header",
    [None, "", TOKEN, "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe9",
     f"Bearer {TOKEN[:-1]}"],
)  # fmt: skip
def test_who_has_not_the_token_learns_nothing(prometheus, header):
    answer = prometheus.get(ADDRESS, headers=header and {"Authorization": header})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "not_authenticated")


def test_a_user_is_not_prometheus(uploader):
    assert uploader.get(ADDRESS).status_code == 401


@pytest.mark.parametrize("token", [None, ""])
def test_without_a_token_there_are_none(app, prometheus, monkeypatch, token):
    monkeypatch.setitem(app.config, "OAREPO_S3_METRICS_TOKEN", token)
    for headers in ({}, BEARER, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        answer = prometheus.get(ADDRESS, headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "metrics_not_served")


@pytest.mark.usefixtures("nothing")
def test_uploads_by_state_and_bytes(uploader, bucket, scrape):
    empty = scrape()
    assert {key[1]: empty[key] for key in empty if key[0] == "uploads"} == dict.fromkeys(
        UploadState, 0
    )
    assert (empty["completed_bytes_total",], empty["open_bytes",]) == (0, 0)
    uploader.upload(bucket, "a", CONTENT)
    uploader.upload(bucket, "a", CONTENT + b"!")
    uploader.begin(bucket, "b", 1000)
    aborted = uploader.begin(bucket, "c", 3)
    uploader.delete(aborted["links"]["abort"])

    seen = scrape()

    states = {key[1]: value for key, value in seen.items() if key[0] == "uploads" and value}
    assert states == {"completed": 2, "pending": 1, "aborted": 1}
    assert (seen["completed_bytes_total",], seen["open_bytes",]) == (21, 1000)


def test_calls_to_the_store_are_counted_and_timed(uploader, bucket, scrape):
    before, began = scrape(), time.monotonic()
    upload = uploader.begin(bucket, "a", len(CONTENT))
    send_parts(upload, CONTENT)
    assert uploader.get(upload["links"]["parts"]).status_code == 200
    assert uploader.complete(upload).status_code == 200
    spent, after = time.monotonic() - began, scrape()

    assert risen(before, after, "store_call_seconds_count") == {
        ("CreateMultipartUpload",): 1,
        ("ListParts",): 2,
        ("CompleteMultipartUpload",): 1,
        ("HeadObject",): 1,
    }
    times = risen(before, after, "store_call_seconds_sum")
    assert all(value > 0 for value in times.values())
    assert sum(times.values()) < spent
    assert risen(before, after, "store_call_errors_total") == {}


def test_errors_are_counted_by_call_and_code(uploader, bucket, scrape, proxy, store_itself):
    upload = uploader.begin(bucket, "a", len(CONTENT))
    before = scrape()
    proxy.faults(refuse=True, reset_up=1)
    for _ in range(2):
        assert uploader.get(upload["links"]["parts"]).status_code == 503
    assert uploader.post(
        "/multipart-uploads", json={"bucket": str(bucket.id), "key": "b", "size": 1}
    ).status_code == 503  # fmt: skip
    proxy.reset()
    after = scrape()
    assert risen(before, after, "store_call_errors_total") == {
        ("ListParts", "store_unavailable"): 2,
        ("CreateMultipartUpload", "store_unavailable"): 1,
    }
    assert risen(before, after, "store_call_seconds_count") == {
        ("ListParts",): 2,
        ("CreateMultipartUpload",): 1,
    }


def test_a_refusal_has_the_code_of_the_catalogue(uploader, bucket, scrape, store_itself):
    lost = uploader.begin(bucket, "a", len(CONTENT))
    before = scrape()
    client = store_itself.client()
    for found in client.list_multipart_uploads(Bucket=store_itself.bucket)["Uploads"]:
        client.abort_multipart_upload(
            Bucket=store_itself.bucket, Key=found["Key"], UploadId=found["UploadId"]
        )
    assert uploader.get(lost["links"]["parts"]).get_json()["code"] == "upload_lost"
    # That there is no object is an answer, and no error.
    assert risen(before, scrape(), "store_call_errors_total") == {
        ("ListParts", "store_upload_gone"): 1
    }


@pytest.mark.usefixtures("nothing")
def test_the_last_run_of_each_task_and_what_waits_for_the_sweep(uploader, bucket, scrape, proxy):
    upload = uploader.begin(bucket, "a", len(CONTENT))
    assert not [key for key in scrape() if key[0].startswith("task_last_run")]
    assert scrape()["sweep_overdue_seconds",] == 0
    age(upload, expires_at=utcnow() - timedelta(hours=2))
    assert 7200 <= scrape()["sweep_overdue_seconds",] < 7200 + 60

    proxy.faults(refuse=True, reset_up=1)
    cleanup_expired_multipart_uploads()
    proxy.reset()
    seen, now = scrape(), time.time()
    assert now - 60 < seen["task_last_run_timestamp_seconds", "sweep"] <= now
    assert 0 < seen["task_last_run_duration_seconds", "sweep"] < 60
    assert results_of(seen, "sweep") == {"expired": 1, "aborted": 0, "failed": 1}
    assert seen["sweep_overdue_seconds",] >= 7200

    cleanup_expired_multipart_uploads()
    recover_interrupted_multipart_uploads()
    sweep_orphaned_multipart_uploads()
    again = scrape()
    assert results_of(again, "sweep") == {"expired": 0, "aborted": 1, "failed": 0}
    assert again["sweep_overdue_seconds",] == 0
    ended = ("task_last_run_timestamp_seconds", "sweep")
    assert again[ended] > seen[ended]
    assert {key[1] for key in again if key[0] == "task_last_run_timestamp_seconds"} == {
        "sweep", "recovery", "orphans",
    }  # fmt: skip
    assert results_of(again, "orphans")["unlisted"] == 0
    assert again["orphan_bytes",] == 0


@pytest.mark.usefixtures("nothing")
def test_the_page_about_monitoring_names_each_metric_and_its_labels(uploader, bucket, prometheus):
    upload = uploader.begin(bucket, "a", len(CONTENT))
    assert uploader.delete(upload["links"]["abort"]).status_code == 204
    sweep_orphaned_multipart_uploads()
    # So that there is one: an upload that the store does not know.
    current_s3.store(row_of(upload).uri).abort_upload("nothing", "nothing")
    text = prometheus.get(ADDRESS, headers=BEARER).text
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ", ".join(f"`{name}`" for name in sorted(sample.labels.keys() - {"le"}))
            name = family.name + "_total" * (family.type == "counter")
            if not sample.name.endswith("_created"):
                found[name] = (family.type, labels)
    page = (DOCS / "howto/watch.md").read_text()
    rows = re.findall(r"^\| `(oarepo_s3_\w+)` \| (\w+) \| (.*?) ?\| ", page, re.MULTILINE)
    described = {
        name: (kind, ", ".join(sorted(filter(None, labels.split(", ")))))
        for name, kind, labels in rows
    }
    assert described == found


@pytest.mark.usefixtures("nothing")
def test_orphans_are_counted_until_they_are_aborted(bucket, location, scrape, monkeypatch, app):
    monkeypatch.setitem(app.config, "OAREPO_S3_ORPHAN_GRACE", -60)
    mu = MultipartUpload("rolled back", location.uri, 3600, 4)
    ObjectVersion.create(bucket, "rolled back", stream=mu)
    assert http.request("PUT", mu.session.part_urls[0], body=b"abcd").status == 200
    db.session.rollback()

    sweep_orphaned_multipart_uploads()
    seen = scrape()
    assert (results_of(seen, "orphans")["found"], seen["orphan_bytes",]) == (1, 4)
    sweep_orphaned_multipart_uploads(dry_run=False)
    seen = scrape()
    assert (results_of(seen, "orphans")["aborted"], seen["orphan_bytes",]) == (1, 0)


def test_no_label_names_a_file_a_user_or_an_upload(uploader, bucket, prometheus):
    upload = uploader.upload(bucket, "a name to look for", CONTENT)
    text = prometheus.get(ADDRESS, headers=BEARER).text
    row = db.session.get(Upload, upload["id"])
    for value in ("a name to look for", upload["id"], row.uri, str(bucket.id), row.token, TOKEN):
        assert str(value) not in text
