# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What not every store can do. It is tried by what the store has to refuse: many stores take a
condition or a checksum without looking at it, and answer as those that have looked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from ..backends import Profile
from ..backends.s3 import S3Store
from ..core.errors import StoreError, StorePreconditionFailed, StoreUnavailable
from .bench import CONTENT, Bench
from .explain import reason_of
from .findings import Level

FORM_LIFETIME = timedelta(minutes=5)


def probe_condition(bench: Bench) -> None:
    """Complete an upload under the condition that there is no object, and then once more."""
    store = bench.store.as_if(Profile("tried", conditional_complete=True))
    bench.can(conditional_complete=False)
    with bench.trying("condition", "to complete an upload on a condition", optional=True):
        _complete(bench, store)
        try:
            _complete(bench, store)
        except StorePreconditionFailed:
            bench.can(conditional_complete=True)
            bench.found(
                "condition",
                Level.OK,
                "The store completes no upload over an object that is there (If-None-Match).",
            )
            return
        bench.found(
            "condition",
            Level.NOTE,
            "The store ignores If-None-Match when an upload is completed. Nothing is lost by it:"
            " every upload has a key of its own.",
        )


def _complete(bench: Bench, store: S3Store) -> None:
    key, upload_id = bench.open("condition")
    store.complete_upload(key, upload_id, bench.fill(key, upload_id))
    bench.ended(key, upload_id)


def probe_size(bench: Bench) -> None:
    """Complete an upload with a wrong size, and then with the right one."""
    store = bench.store.as_if(Profile("tried", size_on_complete=True))
    bench.can(size_on_complete=False)
    with bench.trying("size", "to complete an upload with its size", optional=True):
        key, upload_id = bench.open("size")
        parts = bench.fill(key, upload_id)
        wrong = [replace(part, size=part.size + 1) for part in parts]
        refused = is_refused(lambda: store.complete_upload(key, upload_id, wrong))
        if refused:
            store.complete_upload(key, upload_id, parts)
        bench.ended(key, upload_id)
        bench.can(size_on_complete=refused)
        bench.found(
            "size",
            Level.OK if refused else Level.NOTE,
            "The store refuses to make an object of another size than it is told."
            if refused
            else "The store ignores the size that it is told on completion. Nothing is lost by it:"
            " the sizes of all parts are compared before, and that of the object after.",
        )


def is_refused(call: Callable[[], None]) -> bool:
    """Whether a store refuses a call.

    The right call has to be made after it: a store may refuse that, too.
    """
    try:
        call()
    except StoreUnavailable:
        raise
    except StoreError:
        return True
    return False


def probe_versions(bench: Bench) -> None:
    """Say whether the bucket keeps older versions, by the answer to what was written."""
    bench.can(versioning=bench.versioned)
    bench.found(
        "versioning",
        Level.NOTE,
        "The bucket keeps versions: what the repository removes still takes room, until a"
        " lifecycle rule for noncurrent versions ends it."
        if bench.versioned
        else "The bucket keeps no older versions: what is removed is gone. (The repository's own"
        " versions of files are objects of their own.)",
    )


def probe_forms(bench: Bench) -> None:
    """Send a form with a file that is too long, then the right one, and make a part of it."""
    bench.can(forms=False)
    with bench.trying("forms", "to take a form and to copy it into a part", optional=True):
        key = bench.reserve("form")
        form = bench.store.presign_form(key, size=len(CONTENT), lifetime=FORM_LIFETIME)
        longer = bench.web.post(form, CONTENT + b"!")
        right = bench.web.post(form, CONTENT)
        if not right.is_good:
            _no_forms(bench, f"it refuses one that is right ({right})")
        elif longer.is_good:
            _no_forms(bench, "it takes a file of another size than the form's policy allows")
        else:
            _copy(bench, key)


def _copy(bench: Bench, source: str) -> None:
    key, upload_id = bench.open("copy")
    try:
        copied = bench.store.copy_part(key, upload_id, 1, source=source)
        sizes = [part.size for part in bench.store.list_parts(key, upload_id).parts]
    except StoreUnavailable:
        raise
    except StoreError as error:
        _no_forms(bench, f"it does not copy an object into a part ({reason_of(error)})")
        return
    if not copied or sizes != [len(CONTENT)]:
        _no_forms(bench, "it does not copy an object into a part")
        return
    bench.can(forms=True)
    bench.found("forms", Level.OK, "The store takes forms, by which Uppy sends small files.")


def _no_forms(bench: Bench, why: str) -> None:
    bench.found(
        "forms",
        Level.NOTE,
        f"Forms cannot be used with this store: {why}. Uppy then has to send small files as"
        " uploads of one part.",
    )
