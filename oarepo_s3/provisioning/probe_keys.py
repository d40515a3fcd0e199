# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The server's keys, and those that it may hand out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ..backends.s3 import S3Store
from ..core.credentials import Credentials
from ..core.errors import InvalidRequest, StoreDenied, StoreError
from ..core.policies import session_policy
from ..core.quantities import show_duration
from .bench import Bench
from .explain import reason_of
from .findings import Level

LIFETIME = timedelta(minutes=15)
"""The shortest that STS knows."""


def probe_life_of_keys(bench: Bench) -> None:
    """Compare the life of part URLs with that of the keys which sign them."""
    wanted = bench.subject.part_url_lifetime
    with bench.trying("life of keys", "to sign a URL"):
        left = bench.store.download_lifetime(wanted)
        # A URL lives for whole seconds.
        if left >= wanted - timedelta(seconds=1):
            bench.found("life of keys", Level.OK, "The keys outlive the URLs that they sign.")
            return
        bench.found(
            "life of keys",
            Level.WARNING,
            f"The server's keys are temporary, and end in {show_duration(left)}: URLs end with"
            f" them, where OAREPO_S3_PART_URL_LIFETIME says {show_duration(wanted)}. Clients have"
            " to ask for new ones.",
            "Give the server keys that do not end (invenio s3 setup), or shorten"
            " OAREPO_S3_PART_URL_LIFETIME.",
        )


def probe_sts(bench: Bench) -> None:
    """Ask for temporary keys of one folder, and use them in it and beside it."""
    role = bench.subject.site.role
    if role is None:
        bench.found(
            "sts",
            Level.NOTE,
            "Not tried: no role is set, so no temporary keys are handed out. (See invenio s3"
            " policy role and OAREPO_S3_UPLOAD_ROLE.)",
        )
        return
    bench.can(sts=False)
    try:
        keys = _issue(bench, role)
    except (StoreError, InvalidRequest) as error:
        reason = reason_of(error) if isinstance(error, StoreError) else str(error)
        bench.found(
            "sts",
            Level.WARNING,
            f"The server cannot assume the role {role} ({reason}): no temporary keys can be handed"
            " out. Presigned URLs work all the same.",
            f"{bench.subject.trust_command}  and  {bench.subject.role_command}  (where ARN is the"
            " server's user; without --apply they print what the role needs)",
        )
        return
    with bench.trying("sts", "to use temporary keys"):
        _use(bench, keys)


def _issue(bench: Bench, role: str) -> Credentials:
    return bench.store.issue_credentials(
        role=role,
        session_name="oarepo-s3-check",
        policy=session_policy(bench.subject.site.bucket, prefix=f"{bench.folder}mine"),
        lifetime=LIFETIME,
    )


def _use(bench: Bench, keys: Credentials) -> None:
    limited = S3Store(bench.subject.site.bucket, replace(bench.config, credentials=keys))
    try:
        bench.open("mine/object", store=limited)
    except StoreDenied as error:
        # Not the server's own keys: the rest can be tried.
        bench.found(
            "sts",
            Level.WARNING,
            f"The store makes temporary keys and then refuses them ({reason_of(error)}): nobody can"
            " use what is handed out. Presigned URLs work all the same.",
            f"{bench.subject.role_command}  (lets the role do what uploads need; Ceph: and let the"
            " gateway accept keys of STS, rgw_s3_auth_use_sts)",
        )
        return
    try:
        bench.open("other/object", store=limited)
    except StoreDenied:
        bench.can(sts=True)
        bench.found("sts", Level.OK, "The store holds temporary keys to the folder they are for.")
        return
    bench.found(
        "sts",
        Level.FAILURE,
        "The store makes temporary keys, but ignores their policy: whoever has some can reach all"
        " that the role can.",
        "Set OAREPO_S3_UPLOAD_ROLE = None, and restart: clients then use presigned URLs.",
    )
