# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Bring a bucket into being that uploads can use, or leave everything as it was."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ..backends import ObjectStore, StoreConfig
from ..backends.profiles import find_profile
from ..backends.s3 import S3Store
from ..core.credentials import Credentials
from ..core.errors import StoreDenied, StoreError
from .answers import Answers
from .buckets import Creation, create, furnish
from .check import check_store
from .documents import BucketDocument, least_days, lifecycle
from .explain import explain_all, explain_refusal
from .findings import Finding, Level, Report
from .subject import Subject

logger = logging.getLogger(__name__)

MENDED_AFTER = {"cors", "lifecycle"}
"""Checks that the steps after setup mend: a bucket that was just made has no CORS rule, and one
that was there keeps its lifecycle."""


class NotReady(Exception):
    """The store cannot be used like this; nothing was kept.

    :ivar findings: what is wrong, and what mends it.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = list(findings)
        super().__init__("\n".join(finding.message for finding in self.findings))


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was done at the store.

    :param bucket: what was done to the bucket; in a dry run, what would be.
    :param report: of the check; None when nothing was tried.
    """

    bucket: Creation
    report: Report | None = None


def configure(answers: Answers, instance: StoreConfig) -> StoreConfig:
    """Return how the store is reached by what was answered.

    :param instance: how the instance reaches its store now; time-outs, the CA bundle and the tenant
        are taken from it.
    """
    keys = None
    if answers.access_key is not None and answers.secret_key is not None:
        keys = Credentials(answers.access_key, answers.secret_key)
    return replace(
        instance,
        endpoint_url=answers.endpoint,
        public_endpoint_url=answers.public_endpoint,
        region=answers.region,
        credentials=keys,
        profile=find_profile(answers.profile),
    )


@contextmanager
def prepared(
    store: ObjectStore,
    subject: Subject,
    *,
    dry_run: bool,
) -> Iterator[Prepared]:
    """Make the bucket if there is none, and test it; in the block it can be written down.

    A bucket that is made here is made as :func:`~.buckets.create` does it; one that was there
    stays as it is. When the test or the block fails, a bucket that was made here is removed again.

    :param dry_run: only look whether the bucket is there.
    :raises NotReady: when the store refuses something that uploads need.
    """
    if not isinstance(store, S3Store):
        raise NotReady([_cannot("Only S3 stores can be set up by a command, not this back end.")])
    rules = lifecycle(subject.base, least_days(subject.upload_lifetime))
    there = _look(store, subject)
    if dry_run:
        yield Prepared(Creation(created=False) if there else create(store, rules, dry_run=True))
        return
    made = Creation(not there and _create(store, subject))
    try:
        if made.created:
            _furnish(store, rules, made, subject)
        report = check_store(subject)
        failures = [
            finding
            for finding in report.findings
            if finding.level is Level.FAILURE and finding.check not in MENDED_AFTER
        ]
        if failures:
            raise NotReady(failures)
        yield Prepared(made, report)
    except BaseException:
        if made.created:
            _remove(store, subject)
        raise


def _look(store: S3Store, subject: Subject) -> bool:
    """Return whether the bucket is there.

    Keys that may do nothing but in the location may not look for the bucket itself.
    """
    try:
        return store.bucket_exists()
    except StoreDenied as error:
        if subject.base and _can_list(store, subject.base):
            return True
        raise _refused(error, store, subject) from error
    except StoreError as error:
        raise _refused(error, store, subject) from error


def _can_list(store: S3Store, prefix: str) -> bool:
    try:
        next(store.list_objects(prefix), None)
    except StoreDenied:
        return False
    return True


def _refused(error: StoreError, store: S3Store, subject: Subject) -> NotReady:
    worded = _in_words(store, error)
    refusal = explain_refusal(worded, store, subject)
    return NotReady([refusal or _meaning(worded, subject)])


def _create(store: S3Store, subject: Subject) -> bool:
    try:
        return store.create_bucket()
    except StoreError as error:
        raise NotReady([_meaning(error, subject)]) from error


def _furnish(store: S3Store, rules: BucketDocument, made: Creation, subject: Subject) -> None:
    try:
        furnish(store, rules, made, dry_run=False)
    except StoreDenied as error:
        message = (
            "The keys may make the bucket, but neither block public access to it nor give it a"
            f" lifecycle ({error.context.get('reason')})."
        )
        remedy = f"{subject.create_command}  (with keys that may; then again)"
        raise NotReady([Finding("bucket", Level.FAILURE, message, remedy)]) from error
    except StoreError as error:
        raise NotReady([_meaning(error, subject)]) from error


def _remove(store: S3Store, subject: Subject) -> None:
    """Remove what was made; the error that is under way says more than one of this would."""
    try:
        store.delete_bucket()
    except StoreError as error:
        logger.warning(
            "The bucket %s was made, and could not be removed again: %s",
            subject.site.bucket,
            error,
            extra={"action": "bucket_left", "bucket": subject.site.bucket, "code": error.code},
        )


def _in_words(store: S3Store, error: StoreError) -> StoreError:
    """Have the store say its error again, in an answer that has words: one to a HEAD has none."""
    try:
        store.find_uploads("nothing")
    except StoreError as worded:
        return worded
    return error


def _meaning(error: StoreError, subject: Subject) -> Finding:
    found = explain_all(error, subject)
    if found is not None:
        return found
    if isinstance(error, StoreDenied):
        return Finding(
            "bucket",
            Level.FAILURE,
            f"The bucket {subject.site.bucket!r} is somebody else's, or the keys may neither look"
            f" at it nor make it ({error.context.get('reason')}).",
            f"Choose another name; or give the keys what `{subject.server_command}` prints.",
        )
    return _cannot(str(error))


def _cannot(message: str) -> Finding:
    return Finding("bucket", Level.FAILURE, message)
