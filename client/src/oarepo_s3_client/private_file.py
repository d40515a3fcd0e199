# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A file with secrets in it: for its owner alone, and whole or not there at all.

This module is in the repository twice, byte by byte: in ``oarepo_s3.cli`` and in the client, as
``oarepo_s3.core.tool_configs`` is; that one says why.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path


class PrivateFileError(Exception):
    """A file cannot be read or written; the text says why."""


class PrivateFile:
    """A file that is written as a whole.

    :param path: where it is; the folder has to be there.
    :param replace: whether a file that is there may be replaced.
    :raises PrivateFileError: when it is there and may not be replaced, or is no plain file: what a
        symbolic link points to could be read by others, or belong to them.
    """

    def __init__(self, path: Path, *, replace: bool) -> None:
        self.path = path
        try:
            self._seen = self._look()
            if self._seen is not None and not replace:
                raise PrivateFileError(f"{path} is there already.")
            if not path.parent.is_dir():
                raise PrivateFileError(f"There is no folder {path.parent}.")
        except OSError as error:
            raise PrivateFileError(f"{path} cannot be looked at: {error.strerror}.") from error

    def _look(self) -> tuple[int, int, int] | None:
        """Return what tells whether the file has changed; None when there is none."""
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(found.st_mode):
            raise PrivateFileError(f"{self.path} is no plain file: name the file itself.")
        return found.st_ino, found.st_size, found.st_mtime_ns

    def read(self) -> str:
        """Return what is in the file; nothing when it is not there.

        :raises PrivateFileError: when it cannot be read, or is no text in UTF-8.
        """
        if self._seen is None:
            return ""
        try:
            # Text mode: the tools read both kinds of line ends, and we write one.
            return self.path.read_text(encoding="utf-8")
        except OSError as error:
            raise PrivateFileError(f"{self.path} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise PrivateFileError(f"{self.path} is no text in UTF-8.") from error

    def write(self, text: str) -> None:
        """Put a text in the place of what was there, for the owner alone (mode 0600).

        :raises PrivateFileError: when it cannot be written, or has changed since it was first
            looked at; then all is as it was.
        """
        try:
            self._replace(text)
        except OSError as error:
            raise PrivateFileError(f"{self.path} cannot be written: {error.strerror}.") from error

    def _replace(self, text: str) -> None:
        # In the same folder, since a rename is atomic within one file system; mode 0600 from the
        # beginning.
        handle, made = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if self._look() != self._seen:
                raise PrivateFileError(f"{self.path} has been changed meanwhile: try again.")
            # A link that takes the place now would be replaced itself, not followed.
            Path(made).replace(self.path)
        except BaseException:
            Path(made).unlink()
            raise
