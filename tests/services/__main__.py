# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Start one test server by hand: ``python -m tests.services ceph|postgres|rclone|valkey``.

``ceph --sts`` also gives temporary keys of roles, and lets the first user make roles.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from . import CephRGW, Missing, Postgres, RcloneS3, Service, ServiceError, Valkey

SERVICES: dict[str, Callable[[Path], Service]] = {
    "ceph": CephRGW,
    "postgres": Postgres,
    "rclone": RcloneS3,
    "valkey": Valkey,
}


def _arguments() -> tuple[str, bool]:
    """Return the name of the server, and whether it shall have STS."""
    parser = argparse.ArgumentParser(prog="python -m tests.services", description=__doc__)
    parser.add_argument("service", choices=SERVICES)
    parser.add_argument("--sts", action="store_true", help="serve AssumeRole, too (ceph alone)")
    given = parser.parse_args()
    if given.sts and given.service != "ceph":
        parser.error("--sts is for ceph alone")
    return given.service, given.sts


def main() -> int:
    """Serve until Ctrl-C or TERM; both stop the server and remove its files."""
    name, sts = _arguments()
    # A shell starts a background job with Ctrl-C ignored.
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)
    try:
        start = partial(CephRGW, sts=True) if sts else SERVICES[name]
        with tempfile.TemporaryDirectory() as directory, start(Path(directory)) as service:
            if isinstance(service, CephRGW) and sts:
                service.let_make_roles()
            for key, value in service.describe().items():
                print(f"{key} = {value}")
            print("Ctrl-C stops it.", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except (Missing, ServiceError) as error:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
