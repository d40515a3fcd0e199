# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 bucket``: made, shown and erased, each as often as one likes."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from invenio_db import db
from invenio_files_rest.models import Location

from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.cli import s3
from oarepo_s3.provisioning import documents
from oarepo_s3.provisioning.buckets import PRIVATE

pytestmark = pytest.mark.usefixtures("location")


@pytest.fixture
def run(app) -> Any:
    """Run a command: call it with its words; the exit status is compared."""

    def invoke(*words: str, status: int = 0, **options: Any) -> Any:
        done = app.test_cli_runner().invoke(s3, ["bucket", *words], **options)
        assert done.exit_code == status, done.output
        return done

    return invoke


@pytest.fixture
def name() -> str:
    """Of a bucket that is not there."""
    return f"made-{uuid.uuid4()}"


@pytest.fixture
def there(client) -> Any:
    """Whether a bucket is at the store."""

    def look(name: str) -> bool:
        return name in {one["Name"] for one in client.list_buckets()["Buckets"]}

    return look


@pytest.fixture
def elsewhere(name) -> Any:
    """A location in a bucket that is not there, below a prefix."""
    made = Location(name="elsewhere", uri=f"s3://{name}/some/where")
    db.session.add(made)
    db.session.commit()
    yield made.name
    db.session.delete(Location.get_by_name("elsewhere"))
    db.session.commit()


def test_a_bucket_is_made_private_with_its_rules_once(run, place, client, there, name):
    first = run("create", name).stdout
    assert f"Bucket {name}: made." in first
    assert there(name)
    again = run("create", name).stdout
    assert f"Bucket {name}: there already." in again
    if place == "local":
        for said in (first, again):
            assert "The store cannot block public access" in said
            assert "The store has no lifecycle rules" in said
        return
    assert "Public access block: changed." in first
    assert "Lifecycle rules: changed." in first
    assert again.count("already as it should be") == 2
    block = client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert block == PRIVATE
    rules = client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert {rule["ID"] for rule in rules} == {documents.UPLOADS_RULE, documents.FORMS_RULE}


def test_rules_of_others_mean_what_they_meant(run, place, client, name, request):
    if place == "local":
        pytest.skip("rclone's server has no lifecycle rules")
    tags = [{"Key": "t", "Value": "v"}, {"Key": "u", "Value": "w"}]
    theirs = {"ID": "x", "Filter": {"And": {"Prefix": "tmp/", "Tags": tags}}, "Status": "Enabled"}
    client.create_bucket(Bucket=name)
    client.put_bucket_lifecycle_configuration(
        Bucket=name, LifecycleConfiguration={"Rules": [{**theirs, "Expiration": {"Days": 2}}]}
    )
    assert "Lifecycle rules: changed." in run("create", name).stdout
    # The S3 API of Ceph 16.2 answers with the prefix in either case.
    meant = json.loads(request.getfixturevalue("ceph").admin("lc", "get", "--bucket", name))
    assert set(meant["prefix_map"]) == {"", "oarepo-s3-forms/", "tmp/"}
    assert meant["prefix_map"]["tmp/"]["obj_tags"]["tagset"] == {"t": "v", "u": "w"}


def test_a_rule_that_became_something_else_is_shown_as_it_was(
    run, place, client, name, monkeypatch
):
    if place == "local":
        pytest.skip("rclone's server has no lifecycle rules")
    theirs = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": "t/"}, "Expiration": {"Days": 3}}
    client.create_bucket(Bucket=name)
    client.put_bucket_lifecycle_configuration(
        Bucket=name, LifecycleConfiguration={"Rules": [theirs]}
    )
    write = S3Store.write_document

    def widen(self: S3Store, kind: Any, document: Any) -> None:
        if kind == "lifecycle":
            rules = [{**rule, "Filter": {"Prefix": ""}} for rule in document["Rules"]]
            document = {"Rules": rules}
        write(self, kind, document)

    monkeypatch.setattr(S3Store, "write_document", widen)
    done = run("create", name, status=1)
    assert "Put them back at once" in done.stderr
    assert '"Prefix": "t/"' in done.stderr


def test_a_bucket_that_is_made_takes_uploads(run, client, name):
    run("create", name)
    client.put_object(Bucket=name, Key="one", Body=b"1")
    assert client.get_object(Bucket=name, Key="one")["Body"].read() == b"1"


def test_a_trial_makes_nothing(run, place, there, name):
    done = run("create", name, "--dry-run")
    assert f"Bucket {name}: would be made." in done.stdout
    assert not there(name)
    data = json.loads(run("create", name, "--dry-run", "--json").stdout)
    assert (data["created"], data["dry_run"]) == (False, True)
    run("create", name)
    data = json.loads(run("create", name, "--json").stdout)
    assert (data["created"], data["dry_run"]) == (False, False)
    if place == "real":
        assert data["lifecycle"]["needed"] is False


def test_the_bucket_of_a_location_gets_rules_for_its_prefix(run, place, client, name, elsewhere):
    assert f"Bucket {name}: made." in run("create", "--location", elsewhere).stdout
    if place == "real":
        rules = client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
        prefixes = {rule["Filter"]["Prefix"] for rule in rules}
        assert prefixes == {"some/where/", "some/where/oarepo-s3-forms/"}


def test_a_bucket_is_shown(run, place, client, name):
    run("create", name)
    client.create_multipart_upload(Bucket=name, Key="open")
    shown = run("show", name).stdout
    assert f"Bucket: {name}" in shown
    assert "Versions: not kept" in shown
    assert "Open uploads: 1, the oldest since 20" in shown
    data = json.loads(run("show", name, "--json").stdout)
    assert data["bucket"] == name
    assert data["endpoint_url"] == client.meta.endpoint_url
    assert (data["versioned"], data["open_uploads"]) == (False, 1)
    if place == "local":
        assert data["notes"] == [
            f"{what}: the store does not know such a thing."
            for what in ("CORS", "Lifecycle", "Public access")
        ]
        return
    assert (data["region"], data["cors"], data["notes"]) == ("default", {}, [])
    assert data["public_access_block"] == PRIVATE
    assert len(data["lifecycle"]["Rules"]) == 2


def test_the_bucket_of_the_default_location_is_shown(run, store):
    assert f"Bucket: {store.bucket}" in run("show").stdout


def test_a_bucket_that_is_not_there_is_not_shown(run, name):
    done = run("show", name, status=1)
    assert f"There is no bucket {name}: `invenio s3 bucket create {name}` makes it." in done.stderr


def test_the_bucket_of_a_location_is_said_to_be_made_for_the_location(run, name, elsewhere):
    done = run("show", "--location", elsewhere, status=1)
    create = f"invenio s3 bucket create --location {elsewhere}"
    assert f"There is no bucket {name}: `{create}` makes it." in done.stderr


def test_a_bucket_is_erased_with_all_that_it_holds_once(run, client, there, name):
    run("create", name)
    for number in range(3):
        client.put_object(Bucket=name, Key=f"a/{number}", Body=b"x")
    client.create_multipart_upload(Bucket=name, Key="open")
    assert (
        "3 objects (with all older versions), 1 open upload and"
        in run("erase", name, "--dry-run").stdout
    )
    assert there(name)
    data = json.loads(run("erase", name, "--yes", "--json").stdout)
    assert (data["erased"], data["removed"]) == (True, 4)
    assert not there(name)
    assert "There is no bucket" in run("erase", name, "--yes").stdout
    assert json.loads(run("erase", name, "--json").stdout)["erased"] is False


@pytest.mark.parametrize("command", ["create", "show", "erase"])
def test_what_cannot_be_the_name_of_a_bucket_is_called_so(run, command):
    assert "cannot be the name of a bucket" in run(command, "Bad!", status=2).stderr


@pytest.mark.parametrize("typed", ["yes\n", "\n\n\n", ""])
def test_whoever_does_not_type_the_name_loses_nothing(run, there, name, typed):
    run("create", name)
    run("erase", name, status=1, input=typed)
    assert there(name)


def test_whoever_types_the_name_loses_everything(run, there, name):
    run("create", name)
    done = run("erase", name, "--json", input=f"{name}\n")
    assert json.loads(done.stdout)["erased"] is True
    assert not there(name)


def test_the_bucket_of_a_location_is_erased_by_force_alone(run, client, there, name, elsewhere):
    run("create", name)
    client.put_object(Bucket=name, Key="precious", Body=b"x")
    for words in (["erase", name, "--yes"], ["erase", "--location", elsewhere, "--yes"]):
        assert "that of the location elsewhere" in run(*words, status=1).stderr
        assert "that of the location" in run(*words, "--dry-run", status=1).stderr
    assert client.get_object(Bucket=name, Key="precious")["Body"].read() == b"x"
    run("erase", name, "--yes", "--force")
    assert not there(name)


def test_a_location_on_a_disk_keeps_no_bucket_from_being_erased(run, there, name):
    run("create", name)
    disk = Location(name="disk", uri="file:///data")
    db.session.add(disk)
    db.session.commit()
    try:
        run("erase", name, "--yes")
    finally:
        db.session.delete(Location.get_by_name("disk"))
        db.session.commit()
    assert not there(name)


@pytest.mark.parametrize("command", ["create", "erase"])
def test_a_bucket_has_to_be_named(run, command):
    assert "Name a bucket" in run(command, status=2).stderr
    assert "not both" in run(command, "a", "--location", "b", status=2).stderr
    assert "no location 'b'" in run(command, "--location", "b", status=2).stderr


def test_a_store_without_buckets_is_refused(run, app):
    db.session.add(Location(name="in-memory", uri="memory://some"))
    db.session.commit()
    done = run("show", "--location", "in-memory", status=1)
    assert "The location in-memory is not at an S3 store, but at memory://some" in done.stderr


def test_somebody_elses_bucket_is_refused_with_a_remedy(run, place, request, name):
    if place == "local":
        pytest.skip("rclone's server has one user")
    gateway = request.getfixturevalue("ceph")
    user = f"u{uuid.uuid4().hex[:8]}"
    keys = ["--access-key", f"{user}key", "--secret", f"{user}secretsecret"]
    gateway.admin("user", "create", "--uid", user, "--display-name", user, *keys)
    other = type(request.getfixturevalue("store"))(
        gateway.endpoint_url, f"{user}key", f"{user}secretsecret"
    ).client()
    other.create_bucket(Bucket=name)
    for words in (["create", name], ["erase", name, "--yes"], ["show", name]):
        done = run(*words, status=1)
        assert "INVENIO_S3_ACCESS_KEY_ID" in done.stderr
    with pytest.raises(ClientError, match="NoSuchLifecycle"):
        other.get_bucket_lifecycle_configuration(Bucket=name)
    other.close()
