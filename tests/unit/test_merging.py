# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Documents of a bucket join what is there without harming it.

What Ceph makes of them is tested in ``tests/stores/test_rules_of_others.py``.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest

from oarepo_s3.core.errors import StoreMisconfigured
from oarepo_s3.provisioning import documents
from oarepo_s3.provisioning.buckets import PRIVATE, create
from oarepo_s3.provisioning.merging import (
    OthersChanged,
    apply_change,
    plan_rules,
    plan_switches,
)

from .test_documents import DOCUMENTS

OTHERS = {
    "cors": {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]},
    "lifecycle": {
        "ID": "theirs",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": 1},
    },
}
TAGS = [{"Key": "t", "Value": "v"}, {"Key": "u", "Value": "w"}]
ONE, TWO = {"Prefix": "tmp/", "Tags": TAGS[:1]}, {"Prefix": "tmp/", "Tags": TAGS}


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


FORMS = {
    "Ceph: beside And": ({"Filter": {"Prefix": "tmp/", "And": {"Tags": TAGS}}}, {"And": TWO}),
    "Ceph: beside Tag": ({"Filter": {"Prefix": "tmp/", "Tag": TAGS[0]}}, {"And": ONE}),
    "a size beside": (
        {"Filter": {"ObjectSizeLessThan": 9, "And": TWO}},
        {"And": {**TWO, "ObjectSizeLessThan": 9}},
    ),
    "a tag beside tags": (
        {"Filter": {"Tag": TAGS[1], "And": ONE}},
        {"And": {"Prefix": "tmp/", "Tags": TAGS}},
    ),
    "the older form with a tag": ({"Prefix": "tmp/", "Filter": {"Tag": TAGS[0]}}, {"And": ONE}),
    "And alone": ({"Filter": {"And": TWO}}, {"And": TWO}),
    "And of one thing": ({"Filter": {"And": {"Prefix": "tmp/"}}}, {"Prefix": "tmp/"}),
    "tags and no prefix": (
        {"Filter": {"Prefix": "", "And": {"Tags": TAGS}}},
        {"And": {"Tags": TAGS}},
    ),
    "one tag": ({"Filter": {"Tag": TAGS[0]}}, {"Tag": TAGS[0]}),
    "one size": ({"Filter": {"ObjectSizeGreaterThan": 0}}, {"ObjectSizeGreaterThan": 0}),
    "all": ({"Filter": {}}, {"Prefix": ""}),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_a_rule_of_others_is_for_is_written_so_that_no_store_reads_it_as_more(form):
    read, written = FORMS[form]
    theirs = {"ID": "theirs", "Status": "Enabled", "Expiration": {"Days": 2}}
    store = Kept(lifecycle={"Rules": [{**theirs, **read}]})
    apply_change(store, plan_rules(store, "lifecycle", DOCUMENTS["lifecycle"]))
    assert store.there["lifecycle"]["Rules"][0] == {**theirs, "Filter": written}


def test_the_order_of_tags_is_none():
    theirs = {"ID": "theirs", "Status": "Enabled", "Expiration": {"Days": 2}}
    ours = DOCUMENTS["lifecycle"]["Rules"]

    class Turning(Kept):
        def read_document(self, kind: str) -> Any:
            found = super().read_document(kind)
            found["Rules"][0]["Filter"]["And"]["Tags"].reverse()
            return found

    store = Turning(lifecycle={"Rules": [{**theirs, "Filter": {"And": TWO}}]})
    apply_change(store, plan_rules(store, "lifecycle", DOCUMENTS["lifecycle"]))
    assert len(store.there["lifecycle"]["Rules"]) == 1 + len(ours)


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("harm", ["changed", "lost"])
def test_a_store_that_makes_something_else_of_a_rule_of_others_is_told_of(kind, harm):
    (member,) = DOCUMENTS[kind]

    class Harming(Kept):
        def write_document(self, kind: str, document: Mapping[str, Any]) -> None:
            super().write_document(kind, document)
            rules = self.there[kind][member]
            theirs = rules.index(OTHERS[kind])
            if harm == "changed":
                rules[theirs] = {**rules[theirs], "MaxAgeSeconds": 1}
            else:
                del rules[theirs]

    store = Harming(**{kind: {member: [OTHERS[kind]]}})
    with pytest.raises(OthersChanged, match="Put them back at once") as caught:
        apply_change(store, plan_rules(store, kind, DOCUMENTS[kind]))
    assert caught.value.rules == [OTHERS[kind]]


def test_a_rule_that_the_store_has_named_is_the_same():
    class Naming(Kept):
        def write_document(self, kind: str, document: Mapping[str, Any]) -> None:
            super().write_document(kind, document)
            for rule in self.there[kind]["Rules"]:
                rule.setdefault("ID", "made")

    theirs = {name: value for name, value in OTHERS["lifecycle"].items() if name != "ID"}
    store = Naming(lifecycle={"Rules": [theirs]})
    apply_change(store, plan_rules(store, "lifecycle", DOCUMENTS["lifecycle"]))
    assert store.there["lifecycle"]["Rules"][0]["ID"] == "made"


def test_what_else_a_document_says_stays():
    store = Kept(lifecycle={"TransitionDefaultMinimumObjectSize": "varies", "Rules": []})
    apply_change(store, plan_rules(store, "lifecycle", DOCUMENTS["lifecycle"]))
    assert store.there["lifecycle"]["TransitionDefaultMinimumObjectSize"] == "varies"


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
