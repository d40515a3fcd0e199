# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a check says that mends something is run as it is printed, and then mends it."""

from __future__ import annotations

import json
import shlex
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from invenio_db import db
from invenio_files_rest.models import Location

from oarepo_s3.cli import s3
from oarepo_s3.core.keys import FORMS_FOLDER

from ..conftest import REAL
from ..stores.patient import ORIGIN


@pytest.fixture(scope="module", params=[REAL])
def place(request) -> str:
    """Ceph: what rclone's store lacks no command of ours can mend."""
    return request.param


@pytest.fixture
def fresh(location, store) -> Iterator[str]:
    """A location at a bucket that nobody has made; its name."""
    bucket = f"fresh-{uuid.uuid4()}"
    made = Location(name="fresh", uri=f"s3://{bucket}/data", default=False)
    db.session.add(made)
    db.session.commit()
    yield "fresh"
    db.session.delete(made)
    db.session.commit()
    store.client().delete_bucket(Bucket=bucket)


@pytest.fixture
def run(app) -> Any:
    """Run a command as a shell would."""

    def invoke(line: str) -> Any:
        words = shlex.split(line)
        assert words[:2] == ["invenio", "s3"]
        return app.test_cli_runner().invoke(s3, words[2:])

    return invoke


@pytest.fixture
def mend(run, fresh) -> Any:
    """Run the remedies one by one, until nothing more can be mended; return them."""

    def until_nothing_is_left() -> list[str]:
        done: list[str] = []
        while remedy := next(remedies(report()), None):
            assert remedy not in done
            done.append(remedy)
            mended = run(remedy)
            assert mended.exit_code == 0, mended.output
        assert not report()["failed"]
        return [" ".join(line.split()[2:4]) for line in done]

    def report() -> dict[str, Any]:
        result = run(f"invenio s3 check {fresh} --json --no-store-profile --origin {ORIGIN}")
        (found,) = json.loads(result.output)["locations"]
        assert result.exit_code == int(found["failed"])
        return found

    return until_nothing_is_left


def remedies(report: dict[str, Any]) -> Iterator[str]:
    """Yield the commands of ours that mend what a report complains of."""
    for finding in report["findings"]:
        if finding["level"] in ("failure", "warning") and finding["remedy"].startswith("invenio "):
            yield finding["remedy"]


def test_an_address_and_keys_become_a_bucket_that_is_set_up_by_what_is_said(mend, fresh, store):
    # A new bucket has its lifecycle rules, which are those of the location.
    assert mend() == ["bucket create", "policy cors"]
    client, bucket = store.client(), Location.get_by_name(fresh).uri.split("/")[2]
    db.session.commit()
    rules = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert {rule["Filter"]["Prefix"] for rule in rules} == {"data/", f"data/{FORMS_FOLDER}/"}
    client.delete_bucket_lifecycle(Bucket=bucket)
    assert mend() == ["policy lifecycle"]
    client.delete_bucket_cors(Bucket=bucket)
    assert mend() == ["policy cors"]
