# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a browser does before and while it uploads: it asks whether it may (the preflight), sends
the part, and reads the headers that the store lets its page see."""

from __future__ import annotations

from datetime import timedelta

from ..core.digests import compute
from ..core.errors import StoreError, StoreUnavailable
from .bench import CONTENT, Bench
from .explain import is_denied, reason_of
from .findings import Level
from .web import Answer

URL_LIFETIME = timedelta(minutes=5)


def probe_browser(bench: Bench) -> None:
    """Send a part to a presigned URL of the public address, from each origin."""
    with bench.trying("presigned URL", "to open an upload", "s3:PutObject"):
        key, upload_id = bench.open("browser")
        url = bench.public.part_signer(key, upload_id, lifetime=URL_LIFETIME).sign(1)
        try:
            answer = bench.web.send("PUT", url, body=CONTENT)
        except StoreError as error:
            # The server may reach the store all the same.
            _unreachable(bench, error)
            return
        if not answer.is_good:
            _refused(bench, answer)
            return
        bench.found("presigned URL", Level.OK, "A part was sent to its presigned URL.")
        if not bench.origins:
            bench.found(
                "cors",
                Level.NOTE,
                "Not tried: no origin is known of pages that upload.",
                "invenio s3 check --origin https://... (or set OAREPO_S3_ORIGINS)",
            )
        for origin in bench.origins:
            if _from_origin(bench, origin, url):
                _with_checksum(bench, origin, key, upload_id)


def probe_forms_of_browsers(bench: Bench) -> None:
    """Make the preflight of a form: browsers ask when the page wants to see how far it is."""
    if not bench.abilities.forms:
        return
    with bench.trying("cors", "to sign a form"):
        form = bench.public.presign_form(
            f"{bench.folder}nothing", size=len(CONTENT), lifetime=URL_LIFETIME
        )
        for origin in bench.welcome:
            asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            preflight = bench.web.send("OPTIONS", form.url, headers=asked)
            if allows(preflight, origin, "post"):
                bench.found("cors", Level.OK, f"Pages of {origin} may send forms.")
                continue
            bench.found(
                "cors",
                Level.WARNING,
                f"Pages of {origin} may send parts, and no forms ({preflight}): small files fail"
                " where Uppy sends them by forms.",
                bench.subject.cors_command,
            )


def _unreachable(bench: Bench, error: StoreError) -> None:
    bench.found(
        "presigned URL",
        Level.FAILURE,
        f"Browsers get the address {bench.public_url}, which does not answer from here"
        f" ({reason_of(error)}).",
        "Correct OAREPO_S3_PUBLIC_ENDPOINT_URL, or let this machine reach that address, too.",
    )


def _refused(bench: Bench, answer: Answer) -> None:
    bench.found(
        "presigned URL",
        Level.FAILURE,
        f"The store refuses a part that is sent to a presigned URL of {bench.public_url}"
        f" ({answer}). A proxy in front of it that changes the Host header or the path breaks the"
        " signature.",
        "Let the proxy pass the Host header as it is, or correct OAREPO_S3_PUBLIC_ENDPOINT_URL.",
    )


def _from_origin(bench: Bench, origin: str, url: str) -> bool:
    """Make the preflight of a part, and send it as a page of the origin does; say if that works."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    preflight = bench.web.send("OPTIONS", url, headers=asked)
    if not allows(preflight, origin, "put"):
        _no_preflight(bench, origin, preflight)
        return False
    answer = bench.web.send("PUT", url, body=CONTENT, headers={"Origin": origin})
    if not names(answer, origin):
        bench.found(
            "cors",
            Level.FAILURE,
            f"The store allows {origin} to send parts, and then does not name it in its answer:"
            " browsers hide that from the page.",
            bench.subject.cors_command,
        )
        return False
    bench.welcome.append(origin)
    bench.found("cors", Level.OK, f"Pages of {origin} may send parts.")
    _say_exposed(bench, origin, answer.listed("access-control-expose-headers"))
    return True


def _no_preflight(bench: Bench, origin: str, preflight: Answer) -> None:
    bucket = _state_of_rules(bench)
    if bucket is not None:
        bench.found(
            "cors",
            Level.FAILURE,
            f"Browsers refuse to upload from {origin}: the bucket {bucket} (preflight:"
            f" {preflight}).",
            bench.subject.cors_command,
        )
        return
    bench.found(
        "cors",
        Level.WARNING,
        f"Browsers refuse to upload from {origin}: the store does not answer their preflight"
        f" ({preflight}), and knows no CORS rules. Scripts can upload.",
        "Let a proxy in front of the store answer OPTIONS requests and add the CORS headers.",
    )


def _state_of_rules(bench: Bench) -> str | None:
    """Say what it is with the bucket's CORS rules; None where the store knows no such rules."""
    try:
        document = bench.store.read_document("cors")
    except StoreUnavailable:
        raise
    except StoreError as error:
        if is_denied(error):
            return "has no CORS rule for it, or none at all: the keys may not s3:GetBucketCORS"
        return None
    if document is None:
        return "has no CORS rules"
    # A store that knows them has at least one, where it has a document.
    return "has no CORS rule for it" if document.get("CORSRules") else None


def _say_exposed(bench: Bench, origin: str, exposed: set[str]) -> None:
    if not exposed & {"etag", "*"}:
        bench.found(
            "cors",
            Level.FAILURE,
            f"Pages of {origin} cannot see the ETag of a part: CORS does not expose it, and Uppy"
            " takes every part for failed.",
            bench.subject.cors_command,
        )
        return
    bench.found("cors", Level.OK, f"Pages of {origin} see the ETag of a part.")
    declared = bench.abilities.part_checksums - {"md5"}
    hidden = {f"x-amz-checksum-{name}" for name in declared} - exposed
    if hidden and "*" not in exposed:
        bench.found(
            "cors",
            Level.NOTE,
            f"Pages of {origin} do not see {', '.join(sorted(hidden))}: the store compares these"
            " all the same.",
            bench.subject.cors_command,
        )


def _with_checksum(bench: Bench, origin: str, key: str, upload_id: str) -> None:
    """Make the preflight of a part whose checksum is sent in a header."""
    digest = compute("md5", [CONTENT])
    signer = bench.public.part_signer(key, upload_id, lifetime=URL_LIFETIME)
    url, headers = signer.sign_checked(1, digest)
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": ",".join(sorted(headers)).lower(),
    }
    preflight = bench.web.send("OPTIONS", url, headers=asked)
    allowed = preflight.listed("access-control-allow-headers")
    if allows(preflight, origin, "put") and allowed & {"*", *map(str.lower, headers)}:
        bench.found("cors", Level.OK, f"Pages of {origin} may send a part's checksum.")
        return
    bench.found(
        "cors",
        Level.WARNING,
        f"Pages of {origin} may not send a part's checksum in a header ({preflight}): parts without"
        " one still pass.",
        f"{bench.subject.cors_command}  (AllowedHeaders has to be *)",
    )


def names(answer: Answer, origin: str) -> bool:
    """Whether a page of the origin may read an answer."""
    return answer.headers.get("access-control-allow-origin") in ("*", origin)


def allows(preflight: Answer, origin: str, method: str) -> bool:
    """Whether a browser sends the request after this answer to its preflight (Fetch standard)."""
    methods = preflight.listed("access-control-allow-methods")
    return preflight.is_good and names(preflight, origin) and bool(methods & {method, "*"})
