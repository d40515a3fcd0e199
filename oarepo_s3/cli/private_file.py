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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODE = 0o600
"""Read and written by the owner alone."""


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

    @property
    def is_private(self) -> bool:
        """Whether it is there, and only its owner can read it."""
        return self._seen is not None and stat.S_IMODE(self.path.lstat().st_mode) == MODE

    def write(self, text: str) -> None:
        """Put a text in the place of what was there, for the owner alone.

        :raises PrivateFileError: when it cannot be written, or has changed since it was first
            looked at; then all is as it was.
        """
        with self.staged(text):
            pass

    @contextmanager
    def staged(self, text: str) -> Iterator[None]:
        """Write a text beside the file, and put it into its place when the block ends well.

        So whatever cannot be written is known before the block begins, and a block that fails
        leaves the file as it was.

        :raises PrivateFileError: as :meth:`write` does.
        """
        made = self._write_beside(text)
        try:
            self._require_unchanged()
            yield
            self._require_unchanged()
            self._move(made)
        except BaseException:
            made.unlink()
            raise

    def _write_beside(self, text: str) -> Path:
        try:
            # In the same folder, since a rename is atomic within one file system; such a file has
            # MODE from the beginning.
            handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
            try:
                with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
            except BaseException:
                Path(name).unlink()
                raise
        except OSError as error:
            raise self._unwritten(error) from error
        return Path(name)

    def _require_unchanged(self) -> None:
        try:
            now = self._look()
        except OSError as error:
            raise self._unwritten(error) from error
        if now != self._seen:
            raise PrivateFileError(f"{self.path} has been changed meanwhile: try again.")

    def _move(self, made: Path) -> None:
        try:
            # A link that takes the place now would be replaced itself, not followed.
            made.replace(self.path)
        except OSError as error:
            raise self._unwritten(error) from error

    def _unwritten(self, error: OSError) -> PrivateFileError:
        return PrivateFileError(f"{self.path} cannot be written: {error.strerror}.")
