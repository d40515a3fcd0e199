# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Documents of a bucket pass their schema, and join what is there without harming it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import botocore.session
import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

from oarepo_s3.core.errors import InvalidRequest, StoreMisconfigured
from oarepo_s3.provisioning import documents
from oarepo_s3.provisioning.buckets import PRIVATE, create
from oarepo_s3.provisioning.merging import apply_change, plan_rules, plan_switches

ORIGINS = ["https://repo.example.org", "http://localhost:5000"]
EXAMPLES = Path(__file__).parents[2] / "docs/examples"
CALLS = {
    "cors": ("PutBucketCors", "CORSConfiguration"),
    "lifecycle": ("PutBucketLifecycleConfiguration", "LifecycleConfiguration"),
    "public_access_block": ("PutPublicAccessBlock", "PublicAccessBlockConfiguration"),
}
DOCUMENTS = {
    "cors": documents.cors(ORIGINS),
    "lifecycle": documents.lifecycle("", 7),
    "lifecycle of a prefix": documents.lifecycle("some/where/", 30),
    "public_access_block": PRIVATE,
}
OTHERS = {
    "cors": {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]},
    "lifecycle": {"ID": "theirs", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}},
}


@pytest.fixture(scope="module")
def s3_model() -> Any:
    """The S3 API as the SDK describes it."""
    return botocore.session.Session().get_service_model("s3")


class Kept:
    """A bucket's documents, in memory."""

    def __init__(self, lacks: str = "", **there: Any) -> None:
        self.there = there
        self.lacks = lacks
        self.writes = 0
        self.exists = True

    def bucket_exists(self) -> bool:
        return self.exists

    def create_bucket(self) -> bool:
        self.exists = True
        return True

    def read_document(self, kind: str) -> Mapping[str, Any] | None:
        if kind == self.lacks:
            raise StoreMisconfigured(reason="NotImplemented")
        return copy.deepcopy(self.there.get(kind))

    def write_document(self, kind: str, document: Mapping[str, Any]) -> None:
        self.writes += 1
        self.there[kind] = json.loads(json.dumps(document))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_what_the_call_of_the_api_takes(s3_model, name):
    operation, member = CALLS[name.partition(" ")[0]]
    shape = s3_model.operation_model(operation).input_shape
    given = {"Bucket": "repo", member: DOCUMENTS[name]}
    report = ParamValidator().validate(given, shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("origins", [ORIGINS, ORIGINS[:1]])
def test_cors_as_xml_is_what_the_sdk_itself_would_send(s3_model, origins):
    document = documents.cors(origins)
    operation = s3_model.operation_model("PutBucketCors")
    sent = create_serializer("rest-xml").serialize_to_request(
        {"Bucket": "repo", "CORSConfiguration": document}, operation
    )
    assert in_parts(documents.cors_xml(document)) == in_parts(sent["body"])


def test_cors_as_xml_is_read_as_the_same_document(s3_model):
    document = documents.cors(ORIGINS)
    answer = {"status_code": 200, "headers": {}, "body": documents.cors_xml(document).encode()}
    shape = s3_model.operation_model("GetBucketCors").output_shape
    read = create_parser("rest-xml").parse(answer, shape)
    assert read["CORSRules"] == document["CORSRules"]


def in_parts(xml: str | bytes) -> list[tuple[str, str]]:
    """Return names, with their namespace, and texts."""
    return sorted(
        (each.tag, (each.text or "").strip()) for each in ElementTree.fromstring(xml).iter()
    )


def test_the_examples_of_the_documentation_are_what_is_printed():
    written = json.loads((EXAMPLES / "cors.json").read_text())
    assert written == documents.cors(["https://repo.example.org"])
    written = json.loads((EXAMPLES / "lifecycle.json").read_text())
    assert written == documents.lifecycle("", 7)


def test_what_is_no_origin_is_refused():
    with pytest.raises(InvalidRequest, match="is no origin"):
        documents.cors(["https://repo.example.org/path"])


def test_origins_stand_in_the_rule_as_browsers_send_them():
    (rule,) = documents.cors(["https://příklad.cz", "https://xn--pklad-zsa96e.cz/"])["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://xn--pklad-zsa96e.cz"]


def test_a_slash_behind_an_origin_is_left_out():
    (rule,) = documents.cors(["https://repo.example.org:8443/"])["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://repo.example.org:8443"]


def test_a_rule_for_nobody_is_refused():
    with pytest.raises(InvalidRequest, match="no origin"):
        documents.cors([])


@pytest.mark.parametrize(
    ("lifetime", "days"),
    [
        (timedelta(hours=1), 7),
        (timedelta(days=6), 7),
        (timedelta(days=6, seconds=1), 7),
        (timedelta(days=7), 8),
        (timedelta(days=30, hours=1), 31),
    ],
)
def test_the_store_forgets_after_the_upload_has_expired(lifetime, days):
    assert documents.least_days(lifetime) == days
    assert timedelta(days=days) > lifetime


@pytest.mark.parametrize("kind", OTHERS)
def test_rules_of_others_stay_and_the_second_time_nothing_changes(kind):
    ours = DOCUMENTS[kind]
    (member,) = ours
    store = Kept(**{kind: {member: [OTHERS[kind]]}})
    change = plan_rules(store, kind, ours)
    assert change.needed
    apply_change(store, change)
    written = store.there[kind][member]
    assert OTHERS[kind] in written
    assert all(rule in written for rule in ours[member])
    assert len(written) == 1 + len(ours[member])

    again = plan_rules(store, kind, ours)
    assert not again.needed
    apply_change(store, again)
    assert store.writes == 1
    assert list(again.difference()) == []


@pytest.mark.parametrize("kind", OTHERS)
def test_an_older_rule_of_ours_is_replaced(kind):
    ours = DOCUMENTS[kind]
    (member,) = ours
    older = [{**rule, "Status": "Disabled", "MaxAgeSeconds": 1} for rule in ours[member]]
    store = Kept(**{kind: {member: [*older, OTHERS[kind]]}})
    apply_change(store, plan_rules(store, kind, ours))
    assert sorted(map(str, store.there[kind][member])) == sorted(
        map(str, [*ours[member], OTHERS[kind]])
    )


def test_our_cors_rule_comes_first_since_ceph_takes_the_first_that_fits():
    store = Kept(cors={"CORSRules": [OTHERS["cors"]]})
    change = plan_rules(store, "cors", DOCUMENTS["cors"])
    assert [rule.get("ID") for rule in change.after["CORSRules"]] == [documents.CORS_RULE, None]
    behind = Kept(cors={"CORSRules": change.after["CORSRules"][::-1]})
    assert plan_rules(behind, "cors", DOCUMENTS["cors"]).needed


def test_what_a_store_says_in_other_words_is_the_same():
    rules = documents.lifecycle("", 7)["Rules"]
    old_form = {name: value for name, value in rules[0].items() if name != "Filter"}
    there = {"Rules": [rules[1], {**old_form, "Prefix": ""}]}
    change = plan_rules(Kept(lifecycle=there), "lifecycle", {"Rules": rules})
    assert not change.needed

    (rule,) = DOCUMENTS["cors"]["CORSRules"]
    turned = {**rule, "AllowedMethods": rule["AllowedMethods"][::-1]}
    assert not plan_rules(Kept(cors={"CORSRules": [turned]}), "cors", DOCUMENTS["cors"]).needed


def test_a_rule_of_others_in_the_older_form_is_not_mixed_with_the_newer_one():
    theirs = {"ID": "theirs", "Status": "Enabled", "Prefix": "tmp/", "Expiration": {"Days": 1}}
    change = plan_rules(Kept(lifecycle={"Rules": [theirs]}), "lifecycle", DOCUMENTS["lifecycle"])
    assert change.after["Rules"][0]["Filter"] == {"Prefix": "tmp/"}
    assert all("Prefix" not in rule for rule in change.after["Rules"])


def test_locations_in_one_bucket_have_rules_of_their_own():
    store = Kept()
    for prefix in ("", "one/", "two/"):
        apply_change(store, plan_rules(store, "lifecycle", documents.lifecycle(prefix, 7)))
    assert len(store.there["lifecycle"]["Rules"]) == 6
    prefixes = {rule["Filter"]["Prefix"] for rule in store.there["lifecycle"]["Rules"]}
    assert prefixes == {
        "",
        "one/",
        "two/",
        "oarepo-s3-forms/",
        "one/oarepo-s3-forms/",
        "two/oarepo-s3-forms/",
    }


def test_switches_are_turned_on_once_and_none_is_turned_off():
    store = Kept()
    for _ in range(2):
        apply_change(store, plan_switches(store, "public_access_block", PRIVATE))
    assert (store.writes, store.there["public_access_block"]) == (1, PRIVATE)
    all_on = dict.fromkeys(PRIVATE, True)
    store = Kept(public_access_block=all_on)
    apply_change(store, plan_switches(store, "public_access_block", PRIVATE))
    assert (store.writes, store.there["public_access_block"]) == (0, all_on)


@pytest.mark.parametrize("lacks", ["public_access_block", "lifecycle"])
def test_what_a_store_lacks_is_a_note_and_the_rest_is_done(lacks):
    store = Kept(lacks=lacks)
    made = create(store, DOCUMENTS["lifecycle"], dry_run=False)
    assert len(made.notes) == 1
    assert set(store.there) == {"public_access_block", "lifecycle"} - {lacks}


def test_a_trial_changes_nothing():
    store = Kept()
    for store.exists in (True, False):
        there = store.exists
        made = create(store, DOCUMENTS["lifecycle"], dry_run=True)
        assert made.created is not there
        assert [change.needed for change in made.changes] == [True, True]
    assert (store.writes, store.exists) == (0, False)


def test_other_trouble_than_a_lack_is_no_note():
    class Gone(Kept):
        def read_document(self, kind: str) -> Any:
            raise StoreMisconfigured(reason="NoSuchBucket")

    with pytest.raises(StoreMisconfigured, match="NoSuchBucket"):
        create(Gone(), DOCUMENTS["lifecycle"], dry_run=False)
