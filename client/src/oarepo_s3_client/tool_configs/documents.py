# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The documents: what each tool reads. All of them address buckets by path."""

from __future__ import annotations

import json
import posixpath
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .access import ToolAccess

MARK = "# oarepo-s3: "
"""How the comment begins by which an entry says what it opens."""

_PROVIDERS = {"aws": "AWS", "ceph": "Ceph", "minio": "Minio"}
"""What rclone calls the stores whose manners it knows."""

_CHECKSUMS = {
    # What the SDK adds by default breaks stores that do not know it.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


def document(access: ToolAccess, format: str) -> str:
    """Return the configuration of a tool, as a whole file that ends in a line break.

    :param format: one of :data:`FORMATS`.
    :raises ToolConfigError: when the tool cannot say the store's address.
    """
    return _DOCUMENTS[format](access)


def _section(header: str, settings: Mapping[str, str | None], access: ToolAccess) -> str:
    """Write a section of an INI file; what is None is left out."""
    until = f" (until {access.expires_at})" if access.expires_at else ""
    lines = [f"[{header}]", f"{MARK}s3://{access.path}{until}"]
    lines += [f"{name} = {value}" for name, value in settings.items() if value is not None]
    return "\n".join(lines) + "\n"


def _nested(settings: Mapping[str, str]) -> str:
    """Write the value of an aws setting that consists of others."""
    return "".join(f"\n    {name} = {value}" for name, value in settings.items())


def _rclone(access: ToolAccess) -> str:
    return _section(
        access.profile,
        {
            "type": "s3",
            "provider": _PROVIDERS.get(access.provider, "Other"),
            "env_auth": "false",
            "access_key_id": access.access_key,
            "secret_access_key": access.secret_key,
            "session_token": access.token,
            "endpoint": access.endpoint_url,
            "region": access.region,
            "acl": "private",
            "force_path_style": "true",
            # Keys to a prefix may neither look at the bucket nor make it.
            "no_check_bucket": "true",
        },
        access,
    )


def _aws(access: ToolAccess) -> str:
    """Write one file for both of aws: its configuration may hold the keys, too."""
    name = access.profile
    profile = {
        "aws_access_key_id": access.access_key,
        "aws_secret_access_key": access.secret_key,
        "aws_session_token": access.token,
        "region": access.region,
        "services": name,
        **_CHECKSUMS,
        "s3": _nested({"signature_version": "s3v4", "addressing_style": "path"}),
    }
    services = {"s3": _nested({"endpoint_url": access.endpoint_url})}
    return "\n".join(
        [
            _section(f"profile {name}", profile, access),
            _section(f"services {name}", services, access),
        ]
    )


def _s3cmd(access: ToolAccess) -> str:
    """Write s3cmd's only entry: whatever sections a file has, s3cmd reads them as one."""
    host = access.host()
    return _section(
        "default",
        {
            "access_key": access.access_key,
            "secret_key": access.secret_key,
            "access_token": access.token,
            "host_base": host,
            # The host without a place for the bucket: s3cmd then says it in the path.
            "host_bucket": host,
            "bucket_location": access.region,
            "use_https": str(access.endpoint_url.startswith("https:")),
            "signature_v2": "False",
        },
        access,
    )


def _mc(access: ToolAccess) -> str:
    access.host()
    alias = {
        "url": access.endpoint_url.rstrip("/"),
        "accessKey": access.access_key,
        "secretKey": access.secret_key,
        **({"sessionToken": access.token} if access.token else {}),
        "api": "S3v4",
        "path": "auto",
    }
    return mc_text({"version": "10", "aliases": {access.profile: alias}})


def mc_text(config: Mapping[str, Any]) -> str:
    """Write a configuration of mc as mc does, with tabs."""
    return json.dumps(config, indent="\t", ensure_ascii=False) + "\n"


def _env(access: ToolAccess) -> str:
    where = "OAREPO_S3_PREFIX" if access.key is None else "OAREPO_S3_KEY"
    variables = {
        "AWS_ACCESS_KEY_ID": access.access_key,
        "AWS_SECRET_ACCESS_KEY": access.secret_key,
        # One that is left from before would be sent along with keys that have none.
        "AWS_SESSION_TOKEN": access.token or "",
        "AWS_DEFAULT_REGION": access.region,
        "AWS_REGION": access.region,
        "AWS_ENDPOINT_URL_S3": access.endpoint_url,
        **{f"AWS_{name.upper()}": value for name, value in _CHECKSUMS.items()},
        "OAREPO_S3_BUCKET": access.bucket,
        where: access.target,
    }
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def _json(access: ToolAccess) -> str:
    """Write what the REST API says, with the name of the entries of the other formats."""
    credentials = {
        "accessKeyId": access.access_key,
        "secretAccessKey": access.secret_key,
        "sessionToken": access.token,
        "expiration": access.expires_at,
    }
    answer = {
        "name": access.profile,
        "endpoint_url": access.endpoint_url,
        "region": access.region,
        "bucket": access.bucket,
        "prefix" if access.key is None else "key": access.target,
        "provider": access.provider if access.provider in _PROVIDERS else "other",
        "credentials": credentials,
    }
    return json.dumps(answer, indent=2, ensure_ascii=False) + "\n"


_DOCUMENTS: dict[str, Callable[[ToolAccess], str]] = {
    "mc": _mc,
    "rclone": _rclone,
    "aws": _aws,
    "s3cmd": _s3cmd,
    "env": _env,
    "json": _json,
}

FORMATS = tuple(_DOCUMENTS)
"""What :func:`document` can write."""


def usage(access: ToolAccess, format: str, file: str) -> str:
    """Return a command of a POSIX shell that uses a configuration; empty for ``json``.

    It lists what is below the prefix, or sends ``FILE`` to the one key.
    """
    entry, url = f"{access.profile}:{access.path}", f"s3://{access.path}"
    lists = access.key is None
    if format == "rclone":
        # AWS and Ceph 20 do not tell keys that may not list that there is nothing yet.
        sends = ["copyto", "--no-check-dest", "FILE"]
        return _words(["rclone", "--config", file, *(["lsf"] if lists else sends), entry])
    if format == "s3cmd":
        return _words(["s3cmd", "-c", file, *(["ls"] if lists else ["put", "FILE"]), url])
    aws = ["s3", *(["ls"] if lists else ["cp", "FILE"]), url]
    if format == "aws":
        return f"AWS_CONFIG_FILE={shlex.quote(file)} " + _words(
            ["aws", "--profile", access.profile, *aws]
        )
    if format == "env":
        return f". {shlex.quote(posixpath.join('.', file))} && " + _words(["aws", *aws])
    if format == "mc":
        folder = posixpath.dirname(file) or "."
        path = f"{access.profile}/{access.path}"
        return _words(["mc", "--config-dir", folder, *(["ls"] if lists else ["cp", "FILE"]), path])
    return ""


def _words(words: Iterable[str]) -> str:
    return " ".join(map(shlex.quote, words))
