# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The documents that a bucket needs, in the shape of the S3 API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ..core.errors import InvalidRequest
from ..core.keys import FORMS_FOLDER
from ..core.origins import read_origins

BucketDocument = dict[str, Any]
"""A document of a bucket, as JSON says it."""

CORS_RULE = "oarepo-s3-upload"
"""ID of the rule by which browsers may upload."""

UPLOADS_RULE = "oarepo-s3-incomplete-uploads"
"""ID of the rule that removes uploads which nobody ends."""

FORMS_RULE = "oarepo-s3-forms"
"""ID of the rule that removes what forms have sent and no row knows of."""

LEAST_DAYS = 7
"""Days for which an incomplete upload stays at least."""

_EXPOSED = (
    "ETag",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-request-id",
)
"""Headers of the store's answers that a page's script may read: the first it needs."""

_XML_NAMES = {
    "AllowedOrigins": "AllowedOrigin",
    "AllowedMethods": "AllowedMethod",
    "AllowedHeaders": "AllowedHeader",
    "ExposeHeaders": "ExposeHeader",
}
"""What the lists of a rule are called in XML, where each entry is an element (S3 API reference,
CORSRule)."""

_XML_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def cors(origins: Sequence[str]) -> BucketDocument:
    """Return the one rule by which browsers may upload.

    One, since Ceph takes the first rule whose origin fits, and looks no further.

    :param origins: of the pages that upload, such as ``https://repo.example.org``.
    :raises InvalidRequest: without any, and for what is no origin.
    """
    if not origins:
        raise InvalidRequest(reason="no origin is given of a page that uploads")
    return {
        "CORSRules": [
            {
                "ID": CORS_RULE,
                "AllowedOrigins": read_origins(origins),
                "AllowedMethods": ["PUT", "POST", "GET", "HEAD"],
                "AllowedHeaders": ["*"],
                "ExposeHeaders": list(_EXPOSED),
                "MaxAgeSeconds": 3600,
            }
        ]
    }


def least_days(upload_lifetime: timedelta) -> int:
    """Return the days for which a lifecycle rule lets an upload be.

    More than the upload may take, so that the database knows of its end before the store forgets
    it.
    """
    return max(LEAST_DAYS, upload_lifetime // timedelta(days=1) + 1)


def lifecycle(prefix: str, days: int) -> BucketDocument:
    """Return the rules that remove what uploads may leave behind.

    Of a location that is not the whole bucket, the rules are named for its prefix: another one in
    the same bucket has rules of its own.

    :param prefix: of the location, empty or with a slash at its end.
    :param days: as :func:`least_days` has them, or more.
    """
    place = f":{prefix}" if prefix else ""
    return {
        "Rules": [
            {
                "ID": f"{UPLOADS_RULE}{place}",
                "Status": "Enabled",
                "Filter": {"Prefix": prefix},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days},
            },
            {
                "ID": f"{FORMS_RULE}{place}",
                "Status": "Enabled",
                "Filter": {"Prefix": f"{prefix}{FORMS_FOLDER}/"},
                "Expiration": {"Days": days},
            },
        ]
    }


def cors_xml(document: Mapping[str, Any]) -> str:
    """Write CORS rules as S3's ``CORSConfiguration``, which s3cmd and ``mc`` take."""
    root = Element("CORSConfiguration", xmlns=_XML_NAMESPACE)
    for rule in document["CORSRules"]:
        element = SubElement(root, "CORSRule")
        for name, value in rule.items():
            for each in value if isinstance(value, list) else [value]:
                SubElement(element, _XML_NAMES.get(name, name)).text = str(each)
    indent(root)
    return tostring(root, encoding="unicode")
