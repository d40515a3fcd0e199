# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How keys are asked for, and what whoever has them is."""

from __future__ import annotations

from ...object_store import Store

KEYS = "/multipart-uploads/credentials"
NAME = "user.name:dataset"
PREFIX = "user name/datašet/"


def keys_of(upload):
    return f"/multipart-uploads/{upload['id']}/credentials"


def client_of(answer):
    """Return what a tool is that was given an answer."""
    keys = answer["credentials"]
    place = Store(
        answer["endpoint_url"],
        keys["accessKeyId"],
        keys["secretAccessKey"],
        answer["bucket"],
        answer["region"],
        keys["sessionToken"],
    )
    return place.client(retries={"mode": "standard", "total_max_attempts": 1})


def granted(answer):
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    return answer.get_json()
