# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 check``, at both places."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, FileInstance, Location, ObjectVersion

from oarepo_s3.backends import Profile
from oarepo_s3.backends.s3_trial import S3Trial
from oarepo_s3.cli import s3
from oarepo_s3.core.errors import StoreUnavailable
from oarepo_s3.core.uris import ObjectURI
from oarepo_s3.models import StoreProfile, Upload
from oarepo_s3.proxies import current_s3
from oarepo_s3.services import trial
from oarepo_s3.services.context import UploadContext
from oarepo_s3.signals import after_upload_complete

from ..stores.patient import CORS, ORIGIN

PLACE = "s3://oarepo-test"


@pytest.fixture(scope="module")
def app_config(app_config, place) -> dict[str, Any]:
    """Pages of one origin upload."""
    app_config["OAREPO_S3_ORIGINS"] = [ORIGIN]
    return app_config


@pytest.fixture
def elsewhere(location) -> Iterator[Location]:
    """A location that is at no S3 store, and one in a folder of the bucket."""
    made = [
        Location(name="disk", uri="file:///tmp", default=False),
        Location(name="folder", uri=f"{PLACE}/some/folder", default=False),
    ]
    db.session.add_all(made)
    db.session.commit()
    yield made
    for each in made:
        db.session.delete(each)
    db.session.commit()


@pytest.fixture
def sound(place, store) -> Iterator[None]:
    """The bucket is set up; rclone has nothing to set up."""
    client = store.client()
    if place == "local":
        yield
        return
    client.put_bucket_cors(Bucket=store.bucket, CORSConfiguration={"CORSRules": [CORS]})
    yield
    client.delete_bucket_cors(Bucket=store.bucket)


@pytest.fixture(autouse=True)
def _nothing_stays(app, store, location) -> Iterator[None]:
    """Neither objects nor uploads nor rows stay of any check."""
    before = counts()
    yield
    db.session.rollback()
    db.session.execute(db.delete(StoreProfile))
    db.session.commit()
    assert counts() == before
    listed = store.client().list_objects_v2(Bucket=store.bucket).get("Contents", [])
    assert [each["Key"] for each in listed if "check-" in each["Key"]] == []
    assert list(current_s3.store(PLACE + "/").list_uploads("")) == []


def counts() -> list[int]:
    tables = (Bucket, ObjectVersion, FileInstance, Upload)
    found = [db.session.scalar(db.select(db.func.count()).select_from(table)) for table in tables]
    db.session.commit()
    return found


@pytest.fixture
def invoke(app) -> Any:
    """Run the command; return its result."""
    return lambda *arguments: app.test_cli_runner().invoke(s3, ["check", *arguments])


def test_it_says_what_was_found_and_what_the_store_can_do(invoke, place, sound):
    result = invoke("default")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == f"Location default, {PLACE}:"
    assert any(line.startswith("+ ok       keys: ") for line in lines)
    assert any(line.startswith("! WARNING  public address: ") for line in lines)
    assert any(line.strip().startswith("-> Set OAREPO_S3_PUBLIC_ENDPOINT_URL") for line in lines)
    assert f"  forms: {'yes' if place == 'real' else 'no'}" in lines
    assert "restarted" in result.output
    assert lines[-1].startswith(f"{PLACE}: 0 failures, ")


def test_a_failure_is_the_exit_status_and_its_remedy_is_said(invoke, place):
    result = invoke("default")
    if place == "local":
        # A store that knows no CORS at all can be used by scripts.
        assert result.exit_code == 0
        assert invoke("default", "--strict").exit_code == 1
        return
    assert result.exit_code == 1
    assert "x FAILURE  cors: " in result.output
    mends = f"invenio s3 policy cors --origin {ORIGIN} --apply --location default"
    assert f"-> {mends}\n" in result.output


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://příklad.cz", "https://xn--pklad-zsa96e.cz"),
        ("HTTPS://B.example.org:443", "https://b.example.org"),
    ],
    ids=["name", "port"],
)
def test_an_origin_is_tried_as_browsers_send_it(
    app, invoke, monkeypatch, place, store, written, sent
):
    if place == "local":
        result = invoke("default", "--origin", written)
        assert result.exit_code == 0, result.output
        assert f"Browsers refuse to upload from {sent}: " in result.output
        return
    monkeypatch.setitem(app.config, "OAREPO_S3_ORIGINS", [written])
    done = app.test_cli_runner().invoke(s3, ["policy", "cors", "--apply"])
    assert done.exit_code == 0, done.output
    for arguments in ([], ["--origin", written]):
        result = invoke("default", *arguments)
        assert result.exit_code == 0, result.output
        assert f"Pages of {sent} may send parts." in result.output
    store.client().delete_bucket_cors(Bucket=store.bucket)


def test_machines_get_the_whole_report(invoke, sound):
    result = invoke("--json", "--origin", ORIGIN)
    (found,) = json.loads(result.output)["locations"]
    assert (found["location"], found["uri"], found["place"]) == ("default", PLACE, PLACE)
    assert found["failed"] is False
    assert {finding["level"] for finding in found["findings"]} >= {"ok", "note", "warning"}
    assert set(found["findings"][0]) == {"check", "level", "message", "remedy"}
    assert found["profile"]["part_checksums"][-1] == "md5"


def test_what_the_store_can_do_is_kept_and_used_by_what_starts_after(invoke, app, place, sound):
    uri = ObjectURI.parse(f"{PLACE}/key")
    expected = UploadContext(app).store_config(uri).profile
    assert expected == Profile("other")
    assert invoke("default", "--no-store-profile").exit_code == 0
    assert db.session.get(StoreProfile, PLACE) is None
    assert invoke("default").exit_code == 0
    kept = UploadContext(app).store_config(uri).profile
    assert (kept.forms, kept.name) == (place == "real", "other")
    assert Profile.from_dict(db.session.get(StoreProfile, PLACE).abilities) == kept
    db.session.commit()
    # Of a bucket of the same name at another address nothing is known.
    change(endpoint_url="http://elsewhere", versioning=True)
    assert UploadContext(app).store_config(uri).profile == expected


def change(**abilities: Any) -> None:
    kept = db.session.get(StoreProfile, PLACE)
    kept.abilities = {**kept.abilities, **abilities}
    db.session.commit()


def test_a_kept_profile_counts_more_than_the_settings_until_it_is_forgotten(invoke, app, sound):
    uri = ObjectURI.parse(f"{PLACE}/key")
    invoke("default")
    change(versioning=True)
    assert UploadContext(app).store_config(uri).profile.versioning
    assert "Would forget" in invoke("--forget-profile", "--dry-run").output
    assert UploadContext(app).store_config(uri).profile.versioning
    assert invoke("--forget-profile").output == f"Forgot what {PLACE} can do.\n"
    assert not UploadContext(app).store_config(uri).profile.versioning
    assert invoke("--forget-profile").output == "Nothing was kept.\n"


def test_no_transaction_is_open_after_a_profile_was_read(app, location):
    db.session.commit()
    UploadContext(app).store_config(ObjectURI.parse(f"{PLACE}/key"))
    assert not db.session().in_transaction()


def test_a_kept_profile_that_cannot_be_read_is_one_sentence(invoke, sound):
    invoke("default")
    change(forms="perhaps")
    result = invoke("default")
    assert result.exit_code == 1
    assert "forms = 'perhaps'" in result.output
    assert result.output.count("\n") == 1


def test_without_a_location_all_that_are_at_s3_stores_are_checked(invoke, elsewhere, sound):
    found = json.loads(invoke("--json").output)["locations"]
    assert sorted(each["location"] for each in found) == ["default", "folder"]


def test_a_dry_run_asks_nobody(invoke, monkeypatch):
    monkeypatch.setattr("oarepo_s3.cli.check.check_store", None)
    result = invoke("--dry-run", "--upload")
    assert result.exit_code == 0
    assert result.output.startswith(f"Would check default, {PLACE}, at http://127.0.0.1:")
    assert ORIGIN in result.output
    assert json.loads(invoke("--dry-run", "--json").output)["locations"][0]["upload"] is False


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["nowhere"], 2, "There is no location 'nowhere'"),
        (["disk"], 1, "The location disk is not at an S3 store"),
        (["--origin", "repo.example.org"], 2, "is no origin such as"),
        (["--origin", "https://repo.example.org/page"], 2, "is no origin such as"),
    ],
)
def test_what_cannot_be_checked_is_said(invoke, elsewhere, arguments, status, said):
    result = invoke(*arguments)
    assert result.exit_code == status
    assert said in result.output


@pytest.mark.parametrize(
    "more", [["--upload"], ["--origin", ORIGIN], ["--no-store-profile"], ["--strict"]], ids=" ".join
)
def test_what_goes_with_a_check_does_not_go_with_forgetting(invoke, location, more):
    result = invoke("--forget-profile", *more)
    assert result.exit_code == 2
    assert "--forget-profile checks nothing" in result.output


def test_an_upload_goes_through_the_whole_instance(invoke, sound):
    done = []

    def receive(sender: Any, upload: Upload) -> None:
        done.append(upload.size)

    with after_upload_complete.connected_to(receive):
        result = invoke("default", "--upload")
    assert result.exit_code == 0, result.output
    assert "A file was uploaded through this instance, and read back." in result.output
    assert done == [current_s3.settings.limits.min_part_size + len(trial.MORE)]


@pytest.mark.parametrize("step", ["create_upload", "sign_parts", "complete_upload", "_compare"])
def test_an_upload_that_fails_leaves_nothing(invoke, monkeypatch, sound, step):
    def fail(*args: Any, **kwargs: Any) -> None:
        raise StoreUnavailable(reason="a test")

    monkeypatch.setattr(trial, step, fail)
    result = invoke("default", "--upload")
    assert result.exit_code == 1
    assert "x FAILURE  upload: " in result.output
    assert "store_unavailable" in result.output


def test_what_cannot_be_removed_of_an_upload_is_named(invoke, monkeypatch, sound):
    """Its bucket goes all the same, and the file is left to files-rest's task for such files."""
    real, uploads = trial._remove_content, []

    def fail(upload: Upload) -> None:
        uploads.append(upload)
        raise StoreUnavailable(reason="a test")

    monkeypatch.setattr(trial, "_remove_content", fail)
    buckets = counts()[0]
    result = invoke("default", "--upload")
    assert result.exit_code == 0
    (upload,) = uploads
    assert f"could not be removed: {upload.uri} (store_unavailable)" in result.output
    assert counts()[0] == buckets
    file_id = real(upload)
    for table, column in ((Upload, Upload.file_id), (FileInstance, FileInstance.id)):
        db.session.execute(db.delete(table).where(column == file_id))
    db.session.commit()


def test_a_bucket_without_room_is_a_failure_of_the_upload(invoke, app, monkeypatch, sound):
    monkeypatch.setitem(app.config, "FILES_REST_DEFAULT_QUOTA_SIZE", 1000)
    result = invoke("default", "--upload")
    assert result.exit_code == 1
    assert "quota_exceeded" in result.output


def test_no_upload_is_tried_where_the_store_fails(invoke, monkeypatch):
    def fail(*args: Any, **kwargs: Any) -> None:
        raise StoreUnavailable(reason="a test")

    monkeypatch.setattr(S3Trial, "delete", fail)
    monkeypatch.setattr("oarepo_s3.cli.check.try_upload", None)
    result = invoke("default", "--upload")
    assert result.exit_code == 1
    assert "upload: Skipped" in result.output


def test_no_secret_is_printed(invoke, store, sound):
    for arguments in (["--upload"], ["--json", "--upload"]):
        output = invoke(*arguments).output
        assert store.secret_key not in output
        assert "X-Amz" not in output
