# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What is asked of a store goes by its profile: nothing that it may not understand is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oarepo_s3.backends import Profile
from oarepo_s3.backends.profiles import PROFILES, find_profile
from oarepo_s3.core.digests import compute
from oarepo_s3.core.errors import StoreMisconfigured, StorePreconditionFailed

from .subjects import LIFETIME, case

CRC = compute("crc64nvme", [b"abc"])
OPTIONAL = ("x-amz-checksum-", "x-amz-sdk-checksum", "if-none-match", "x-amz-mp-object-size")

on_moto = pytest.mark.parametrize("subject", [case("moto")], indirect=True)


def optional_headers(store: Any) -> list[dict[str, str]]:
    """Watch the requests of a store; return the optional headers of each, in order."""
    seen: list[dict[str, str]] = []

    def watch(request: Any, **_: Any) -> None:
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        seen.append({n: v for n, v in headers.items() if n.startswith(OPTIONAL)})

    for client in (store._clients.calls, store._clients.complete):
        client.meta.events.register("before-send.s3", watch)
    return seen


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def upload(subject: Any, store: Any, key: str, checksum: Any) -> None:
    """Open an upload with a checksum, send its part, complete it and look at the object."""
    upload_id = store.create_upload(
        key, content_type=None, metadata={}, checksum=checksum and checksum.algorithm
    )
    assert subject.put(store.part_signer(key, upload_id, lifetime=LIFETIME).sign(1), b"abc") == 200
    parts = store.list_parts(key, upload_id).parts
    store.complete_upload(key, upload_id, parts, checksum=checksum)
    assert store.head(key).size == 3


@on_moto
def test_aws_is_told_the_checksum_and_that_nothing_may_be_there(subject, key):
    store = subject.other_store(profile=find_profile("aws"))
    seen = optional_headers(store)
    upload(subject, store, key, CRC)
    create, listed, complete, head = seen
    assert create == {
        "x-amz-checksum-algorithm": "CRC64NVME",
        "x-amz-checksum-type": "FULL_OBJECT",
    }
    assert listed == {}
    assert complete == {
        "x-amz-checksum-crc64nvme": CRC.base64,
        "x-amz-checksum-type": "FULL_OBJECT",
        "if-none-match": "*",
        "x-amz-mp-object-size": "3",
    }
    assert head == {"x-amz-checksum-mode": "ENABLED"}


@on_moto
@pytest.mark.parametrize("profile", ["ceph", "minio", "other"])
def test_stores_that_may_not_understand_them_get_no_optional_headers(subject, key, profile):
    store = subject.other_store(profile=find_profile(profile))
    seen = optional_headers(store)
    upload(subject, store, key, None)
    assert seen == [{}, {}, {}, {}]


@on_moto
def test_an_object_that_is_there_is_not_replaced_where_the_store_can_tell(subject, key):
    store = subject.other_store(profile=find_profile("aws"))
    upload(subject, store, key, None)
    with pytest.raises(StorePreconditionFailed):
        upload(subject, store, key, None)


@on_moto
def test_a_part_url_signs_the_checksum_that_it_insists_on(subject, key):
    store = subject.other_store(profile=find_profile("aws"))
    upload_id = store.create_upload(key, content_type=None, metadata={}, checksum="crc64nvme")
    signer = store.part_signer(key, upload_id, lifetime=LIFETIME)
    for digest, header in (
        (CRC, "x-amz-checksum-crc64nvme"),
        (compute("md5", [b"abc"]), "Content-MD5"),
    ):
        url, headers = signer.sign_checked(1, digest)
        assert headers == {header: digest.base64}
        assert f"SignedHeaders={'%3B'.join(sorted([header.lower(), 'host']))}" in url


def test_a_profile_that_is_none_is_the_operators_mistake():
    with pytest.raises(StoreMisconfigured, match="no profile 'aws-2'"):
        find_profile("aws-2")


def test_profiles_are_known_by_their_names():
    assert {name: find_profile(name).name for name in PROFILES} == {name: name for name in PROFILES}
    for profile in PROFILES.values():
        assert "md5" in profile.part_checksums
        assert profile.part_checksums - {"md5"} <= profile.object_checksums


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_comes_back_from_json_as_it_was(name):
    written = json.loads(json.dumps(PROFILES[name].as_dict()))
    assert Profile.from_dict(written) == PROFILES[name]


def test_abilities_that_another_version_has_stored_are_left_out():
    assert Profile.from_dict({"name": "aws", "teleports": [1]}) == Profile("aws")


@pytest.mark.parametrize(
    "wrong",
    [
        {"forms": "yes"},
        {"forms": 1},
        {"name": None},
        {"object_checksums": "crc32"},
        {"object_checksums": ["crc31"]},
        {"part_checksums": [["md5"]]},
    ],
)
def test_a_stored_profile_with_a_wrong_value_is_refused_by_its_name(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(StoreMisconfigured) as caught:
        Profile.from_dict({"name": "aws", **wrong})
    assert f"{name} = {value!r}" in str(caught.value)


def test_a_stored_profile_without_a_name_is_refused():
    with pytest.raises(StoreMisconfigured, match="has no name"):
        Profile.from_dict({"forms": True})


def test_the_page_of_stores_says_what_is_expected_of_each_kind():
    page = Path(__file__, "../../../docs/reference/stores.md").resolve().read_text()
    for profile in PROFILES.values():
        sets = (profile.object_checksums, profile.part_checksums)
        said = [", ".join(sorted(names)) or "none" for names in sets]
        abilities = ("conditional_complete", "size_on_complete", "forms", "sts")
        said += ["yes" if getattr(profile, name) else "no" for name in abilities]
        assert f"| `{profile.name}` | {' | '.join(said)} |" in page
    assert not any(profile.versioning for profile in PROFILES.values())
