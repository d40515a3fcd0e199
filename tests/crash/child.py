# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A process that does one thing and dies on the way: ``python -m tests.crash.child SETTINGS``.

Orders come as JSON, one a line, on standard input. Each is done by a fork, which dies by
``os._exit`` at the line that the order names: ``before store.complete_upload``, ``after commit 2``.
No handler runs and no transaction is ended, as when a machine loses its power. The exit status of
the fork is the answer.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from invenio_access.permissions import system_identity
from invenio_app.factory import create_api
from invenio_db import db
from invenio_records_resources.proxies import current_service_registry

from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.services import (
    NewUpload,
    abort_upload,
    complete_upload,
    create_upload,
    get_upload,
    recover_interrupted,
    sweep_expired,
    sweep_orphans,
    verify_declared,
)

from ..records import stack
from ..records.editor import transfer

TASKS = {
    "sweep": sweep_expired,
    "recover": recover_interrupted,
    "orphans": partial(sweep_orphans, dry_run=False),
    "verify": verify_declared,
}

DIED = 99
"""Exit status of a process that died where it was told to."""


def main() -> None:
    """Do what standard input says."""
    app = create_api(**json.loads(sys.argv[1]))
    stack.mount(app)
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            do(app, json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def do(app: Any, order: dict[str, Any]) -> None:
    """Do one order and never return."""
    status = 1
    try:
        with app.app_context():
            arm(order["die"])
            act(order)
        status = 0
    finally:
        # A traceback, if there is one, has to be seen.
        traceback.print_exc()
        os._exit(status)


def act(order: dict[str, Any]) -> None:
    """Call the service."""
    if order["action"] == "create":
        create_upload(NewUpload(bucket_id=UUID(order["bucket"]), key="a", size=order["size"]))
    elif order["action"] in TASKS:
        TASKS[order["action"]]()
    elif "record" in order:
        act_on_record(**order)
    else:
        work = {"complete": complete_upload, "abort": abort_upload}[order["action"]]
        work(get_upload(UUID(order["upload"])))


def act_on_record(action: str, record: str, size: int = 0, **order: Any) -> None:
    """Call the file service of records."""
    service = current_service_registry.get(stack.SERVICE)
    if action == "begin":
        service.init_files(system_identity, record, [transfer("a", size, 1, size)])
    else:
        work = {"commit": service.commit_file, "delete": service.delete_file}[action]
        work(system_identity, record, "a")


def arm(line: str) -> None:
    """Make the process die at a line."""
    when, _, what = line.partition(" ")
    if what.startswith("store."):
        name, _, nth = what.removeprefix("store.").partition(" ")
        setattr(S3Store, name, dying(when, getattr(S3Store, name), int(nth or 1)))
        return
    countdown = [int(what.removeprefix("commit "))]
    commit = db.session.commit

    def counted() -> None:
        # Only commits that write something count: the others let go of the database.
        session = db.session()
        writes = wrote["since"] or bool(session.new or session.dirty or session.deleted)
        countdown[0] -= writes
        if writes and countdown[0] == 0 and when == "before":
            os._exit(DIED)
        # A commit may lead to another one before it is over.
        wrote["since"] = False
        commit()
        wrote["since"] = False
        if writes and countdown[0] == 0:
            os._exit(DIED)

    wrote = {"since": False}

    @db.event.listens_for(db.engine, "before_cursor_execute")
    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.split(None, 1)[0] in ("INSERT", "UPDATE", "DELETE"):
            wrote["since"] = True

    db.session.commit = counted


def dying(when: str, original: Callable[..., Any], nth: int) -> Callable[..., Any]:
    """Return a method that dies before or after its work, when it is called for the nth time."""
    calls = itertools.count(1)

    def method(self: S3Store, *args: Any, **kwargs: Any) -> Any:
        if next(calls) < nth:
            return original(self, *args, **kwargs)
        # An answer that is an error ("no such upload") is an answer as well.
        try:
            return original(self, *args, **kwargs) if when == "after" else None
        finally:
            os._exit(DIED)

    return method


if __name__ == "__main__":
    main()
