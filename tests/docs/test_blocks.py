# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The commands and the code in README and documentation work as they are printed."""

from __future__ import annotations

import shlex
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app as celery_app
from celery.beat import ScheduleEntry
from invenio_db import db
from invenio_files_rest.models import Bucket, Location, ObjectVersion
from invenio_files_rest.proxies import current_files_rest

from oarepo_s3.backends import (
    ListsUploads,
    ObjectStore,
    PresignsDownloads,
    PresignsParts,
    StoreConfig,
    StreamsObjects,
)
from oarepo_s3.backends.memory import forget
from oarepo_s3.config import INVENIO_S3_NAMES
from oarepo_s3.proxies import current_s3
from oarepo_s3.services import (
    NewUpload,
    complete_upload,
    create_upload,
    get_upload,
    sign_parts,
)
from oarepo_s3.signals import after_checksum_check
from oarepo_s3.storage import s3_storage_factory

from ..people import put
from .pages import blocks, run


@pytest.fixture(scope="module")
def app_config(app_config, place) -> dict[str, Any]:
    """Let everybody do everything: the commands are about uploads, not about tokens.

    ``place`` is named, because pytest does not look for parameters behind an overridden fixture.
    """
    app_config["FILES_REST_PERMISSION_FACTORY"] = lambda obj, action: None
    return app_config


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_the_commands_of_an_upload_work(page, shell, tmp_path):
    said = shell(blocks(page, "sh"))
    assert '"state":"completed"' in said.replace(" ", "")
    assert (tmp_path / "copy.bin").read_bytes() == (tmp_path / "data.bin").read_bytes()
    assert len(list(tmp_path.glob("part.*"))) > 1


def test_the_commands_of_a_part_with_a_digest_work(shell, bucket, tmp_path):
    upload = create_upload(NewUpload(bucket_id=bucket.id, key="a", size=3))
    (tmp_path / "part-1").write_bytes(b"abc")
    helpers = [
        line
        for line in "".join(blocks("docs/quickstart.md", "sh")).splitlines()
        if line.startswith(("api()", "pick()"))
    ]
    shell([*helpers, *blocks("docs/howto/integrity.md", "sh")], ID=str(upload.id))
    assert complete_upload(get_upload(upload.id)).state == "completed"


def test_the_commands_of_a_download_work(shell, bucket, tmp_path):
    ObjectVersion.create(bucket, "data.csv", stream=BytesIO(b"a,b\n1,2\n"))
    db.session.commit()
    assert "\nContent-Length: 8\n" in shell(blocks("docs/howto/downloads.md", "sh"))
    assert (tmp_path / "data.csv").read_bytes() == b"a,b\n1,2\n"
    assert (tmp_path / "begin").read_bytes() == b"a,b\n"


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_five_lines_configure_an_instance(page, create_app, db_uri, monkeypatch):
    for name in INVENIO_S3_NAMES:
        monkeypatch.delenv(name, raising=False)
    (body,) = blocks(page, "config")
    assert len(body.splitlines()) == 5
    settings = run(page, "config")
    settings.pop("__builtins__")
    app = create_app(
        **settings,
        SECRET_KEY="a secret",
        SQLALCHEMY_DATABASE_URI=db_uri,
        CACHE_TYPE="SimpleCache",
        RATELIMIT_ENABLED=False,
    )
    with app.app_context():
        assert current_files_rest.storage_factory is s3_storage_factory
        store = current_s3.store("s3://repository/key")
        url = store.part_signer("key", "upload", lifetime=timedelta(hours=1)).sign(1)
        assert url.startswith("https://s3.example.org/repository/key?")


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_the_beat_entries_name_tasks_that_run(page, app):
    # A worker finds its tasks in this way.
    app.extensions["invenio-celery"].load_entry_points()
    entries = run(page, "beat")["CELERY_BEAT_SCHEDULE"]
    assert len(entries) == 4
    for name, entry in entries.items():
        scheduled = ScheduleEntry(name=name, app=celery_app, **entry)
        assert scheduled.is_due().next <= 24 * 3600
        counts = celery_app.tasks[scheduled.task](**scheduled.kwargs)
        assert set(map(bool, counts.values())) == {False}, counts


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_the_commands_of_an_instance_work(page, app, location):
    try:
        for line in blocks(page, "cli")[0].splitlines():
            arguments = shlex.split(line.removeprefix("$ invenio "))
            result = app.test_cli_runner().invoke(app.cli, arguments)
            assert result.exit_code == 0, result.output
        assert Location.get_default().uri == "s3://repository"
    finally:
        made = Location.get_by_name("s3-default")
        Bucket.query.filter_by(default_location=made.id).delete()
        db.session.delete(made)
        location.default = True
        db.session.commit()


def test_the_rights_are_given(app, bucket, person):
    someone = person()
    names = run(
        "docs/quickstart.md", "rights", bucket=bucket, user=SimpleNamespace(id=someone.user_id)
    )
    given = names["ActionUsers"].query.filter_by(user_id=someone.user_id, argument=str(bucket.id))
    actions = {row.action for row in given}
    assert actions == {"files-rest-bucket-update", "files-rest-object-read"}


def test_the_sweep_of_orphans_is_called_as_it_is_printed(app, location, capsys):
    run("docs/howto/operate.md", "orphans")
    assert capsys.readouterr().out == "0 0 []\n"


def test_a_receiver_hears_of_mismatches(app, caplog):
    receiver = run("docs/howto/integrity.md", "mismatch")["tell_the_owner"]
    upload = SimpleNamespace(key="data.bin", checksum_status="mismatch")
    try:
        after_checksum_check.send(app, upload=upload)
    finally:
        after_checksum_check.disconnect(receiver)
    assert "data.bin is not what was declared" in caplog.text


def test_fixity_is_checked(bucket, capsys):
    declared = "md5:900150983cd24fb0d6963f7d28e17f72"
    upload = create_upload(
        NewUpload(bucket_id=bucket.id, key="data.bin", size=3, checksum=declared)
    )
    put(sign_parts(upload, [1])[0].url, b"abc")
    complete_upload(upload)
    run("docs/howto/integrity.md", "fixity", bucket=bucket)
    assert capsys.readouterr().out.startswith(f"{declared} True 20")


def test_code_can_be_tested_in_memory(app, location):
    try:
        run("docs/howto/testing.md", "python")
    finally:
        forget()


def test_the_sketch_of_a_back_end_has_all_that_it_needs():
    store = run("docs/howto/own-backend.md", "python")["MyStore"]("bucket", StoreConfig())
    for protocol in (
        ListsUploads,
        ObjectStore,
        PresignsDownloads,
        PresignsParts,
        StreamsObjects,
    ):
        assert isinstance(store, protocol)
