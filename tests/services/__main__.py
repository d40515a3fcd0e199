# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Start one test server by hand: ``python -m tests.services ceph|postgres|rclone|valkey``."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from . import CephRGW, Missing, Postgres, RcloneS3, Service, ServiceError, Valkey

SERVICES: dict[str, Callable[[Path], Service]] = {
    "ceph": CephRGW,
    "postgres": Postgres,
    "rclone": RcloneS3,
    "valkey": Valkey,
}


def main() -> int:
    """Serve until Ctrl-C or TERM; both stop the server and remove its files."""
    parser = argparse.ArgumentParser(prog="python -m tests.services", description=__doc__)
    parser.add_argument("service", choices=SERVICES)
    name = parser.parse_args().service
    # A shell starts a background job with Ctrl-C ignored.
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory() as directory, SERVICES[name](Path(directory)) as service:
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
