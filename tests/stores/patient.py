# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A bucket that is examined by the check of stores."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from oarepo_s3.backends import Site, StoreConfig
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.provisioning.bench import Bench
from oarepo_s3.provisioning.check import check_store
from oarepo_s3.provisioning.findings import Finding, Level, Report
from oarepo_s3.provisioning.subject import Subject
from oarepo_s3.provisioning.web import Web

from ..object_store import Store

ORIGIN = "https://repo.example.org"
CORS: dict[str, Any] = {
    "AllowedOrigins": [ORIGIN],
    "AllowedMethods": ["PUT", "GET", "HEAD", "POST"],
    "AllowedHeaders": ["*"],
    "ExposeHeaders": ["ETag"],
}
"""A rule with which all is well."""


class Patient:
    """A bucket of its own at a store, with what is in it seen by a plain client.

    Of what the check leaves there nothing escapes :meth:`content`: neither versions nor uploads.
    """

    def __init__(self, place: Store, config: StoreConfig) -> None:
        self.config = config
        self.bucket = f"patient-{uuid.uuid4()}"
        self.client = replace(place, bucket=self.bucket).client()
        self.client.create_bucket(Bucket=self.bucket)

    def subject(self, *, origins: Any = (ORIGIN,), prefix: str = "data", **changes: Any) -> Subject:
        """Return what is to be checked.

        :param changes: of the connection.
        """
        bucket = changes.pop("bucket", self.bucket)
        site = Site(origins=origins, bucket=bucket, role=changes.pop("role", None))
        return Subject(replace(self.config, **changes), site, prefix=prefix)

    def check(self, **changes: Any) -> Report:
        """Check it."""
        return check_store(self.subject(**changes))

    def only(self, *probes: Callable[[Bench], None], **changes: Any) -> Report:
        """Try a few things alone."""
        findings: list[Finding] = []
        with Web() as web:
            bench = Bench(self.subject(**changes), web, findings)
            try:
                for probe in probes:
                    probe(bench)
            finally:
                left = bench.clean()
        return Report(self.bucket, findings, bench.abilities, left)

    def with_keys(self, access_key: str, secret_key: str) -> Report:
        """Check it with other keys."""
        return self.check(credentials=Credentials(access_key, secret_key))

    def set_cors(self, **changes: Any) -> None:
        """Give the bucket the one rule, with changes; those that are None are left out."""
        rule = {name: value for name, value in {**CORS, **changes}.items() if value is not None}
        self.client.put_bucket_cors(Bucket=self.bucket, CORSConfiguration={"CORSRules": [rule]})

    def set_lifecycle(self, days: int, **changes: Any) -> None:
        """Give the bucket one rule for incomplete uploads."""
        rule = {
            "ID": "ours",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days},
            **changes,
        }
        self.client.put_bucket_lifecycle_configuration(
            Bucket=self.bucket, LifecycleConfiguration={"Rules": [rule]}
        )

    def forbid(self, *actions: str) -> None:
        """Take rights from everybody, the owner too."""
        here = f"arn:aws:s3:::{self.bucket}"
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": list(actions),
            "Resource": [here, f"{here}/*"],
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.client.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))

    def forbid_nothing(self) -> None:
        """Give all rights back."""
        self.client.delete_bucket_policy(Bucket=self.bucket)

    def content(self) -> list[str]:
        """Return the keys of all objects, versions, marks and open uploads."""
        listed = self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        versions = self._list(self.client.list_object_versions, "NotImplemented")
        found = [*listed, *versions.get("Versions", []), *versions.get("DeleteMarkers", [])]
        return [each["Key"] for each in [*found, *self._uploads()]]

    def empty(self) -> None:
        """Remove what was left on purpose."""
        for upload in self._uploads():
            named = {name: upload[name] for name in ("Key", "UploadId")}
            self.client.abort_multipart_upload(Bucket=self.bucket, **named)
        for key in self.content():
            self.client.delete_object(Bucket=self.bucket, Key=key)

    def _uploads(self) -> list[dict[str, Any]]:
        return list(
            self._list(self.client.list_multipart_uploads, "NoSuchUpload").get("Uploads", [])
        )

    def _list(self, call: Any, code_for_nothing: str) -> dict[str, Any]:
        """List what there is; some stores (rclone) answer with an error to say "nothing"."""
        try:
            return dict(call(Bucket=self.bucket))
        except ClientError as error:
            if error.response["Error"]["Code"] != code_for_nothing:
                raise
            return {}


def of(report: Report, check: str) -> list[Finding]:
    """Return what was found by a check."""
    return [finding for finding in report.findings if finding.check == check]


def levels(report: Report, check: str) -> list[Level]:
    """Return how much the findings of a check matter."""
    return [finding.level for finding in of(report, check)]


def failures(report: Report) -> list[Finding]:
    """Return what fails."""
    return [finding for finding in report.findings if finding.level is Level.FAILURE]


def checks(report: Report, level: Level) -> set[str]:
    """Return the names of the checks with findings of a level."""
    return {finding.check for finding in report.findings if finding.level is level}
