# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Tell somebody of every call to a store: what was called, how long it took, how it ended.

It sits on the events of the SDK's own clients, so no call can be forgotten, and where nobody
listens nothing is registered.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from ..core.errors import StoreMisconfigured
from .translate import code_of, translate

_BEGAN = "oarepo_s3_began"

_IN_UPLOAD = {"ListParts", "CompleteMultipartUpload", "AbortMultipartUpload"}
"""Calls whose errors are read as those of a multipart upload; see :func:`.translate.translate`."""


_EXPECTED: ContextVar[Collection[str]] = ContextVar("oarepo_s3_expected_codes", default=())


class Observer(Protocol):
    """Learns of the calls to a store; is asked by several threads at once and must not raise."""

    def __call__(self, call: str, seconds: float, code: str | None) -> None:
        """Take notice of a call that has ended.

        :param call: the operation, as the API of the store names it: ``ListParts``.
        :param seconds: from the call to the head of its answer, with the SDK's repetitions.
        :param code: the code of the catalogue for what went wrong; None when nothing did, or only
            what was to be expected (see ``expecting``).
        """


@contextmanager
def expecting(codes: Collection[str]) -> Iterator[None]:
    """Let observers take some answers of the store, to calls in the block, for no errors.

    For what a client wishes and the store need not grant: otherwise clients could alarm those who
    watch the store. The caller gets the error all the same.

    :param codes: as the store itself names them.
    """
    before = _EXPECTED.set(codes)
    try:
        yield
    finally:
        _EXPECTED.reset(before)


def observe_calls(client: Any, observer: Observer) -> None:
    """Let an observer learn of every call of a client of the SDK."""

    in_sts = client.meta.service_model.service_name == "sts"

    def begin(context: dict[str, Any], **_: Any) -> None:
        context[_BEGAN] = time.monotonic()

    def end(context: Mapping[str, Any], model: Any, parsed: Mapping[str, Any], **_: Any) -> None:
        observer(model.name, _since(context), _code(model.name, parsed, in_sts))

    def fail(context: Mapping[str, Any], exception: Exception, event_name: str, **_: Any) -> None:
        # What the SDK has no error of its own for says that no store answers there: store_errors.
        known = isinstance(exception, BotoCoreError)
        code = translate(exception).code if known else StoreMisconfigured.code
        observer(event_name.rpartition(".")[2], _since(context), code)

    client.meta.events.register("before-call", begin)
    client.meta.events.register("after-call", end)
    client.meta.events.register("after-call-error", fail)


def _since(context: Mapping[str, Any]) -> float:
    """Return the seconds since the beginning; none when others answered in the place of a store."""
    now = time.monotonic()
    return now - float(context.get(_BEGAN, now))


def _code(call: str, parsed: Mapping[str, Any], in_sts: bool) -> str | None:
    """Return what is wrong about an answer; that there is no such object is nothing wrong."""
    status = parsed["ResponseMetadata"]["HTTPStatusCode"]
    if status < 300 or (call == "HeadObject" and status == 404):
        return None
    error = ClientError(dict(parsed), call)
    if code_of(error) in _EXPECTED.get():
        return None
    return translate(error, in_upload=call in _IN_UPLOAD, in_sts=in_sts).code
