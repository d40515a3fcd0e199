# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Where invenio-files-rest meets the store.

Set ``FILES_REST_STORAGE_FACTORY = 'oarepo_s3.storage.s3_storage_factory'``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, current_app, g
from invenio_files_rest.errors import FileSizeError, StorageError
from invenio_files_rest.models import FileInstance
from invenio_files_rest.storage import PyFSFileStorage, pyfs_storage_factory
from invenio_s3.storage import S3FSFileStorage

from .api import MultipartUpload
from .backends import ObjectInfo, PresignsDownloads
from .backends.s3_clients import accept_tenants
from .core.checksums import ETAG, MultipartChecksum, composite_etag
from .core.digests import LENGTHS, computable, compute
from .core.errors import FileTooLarge, InvalidLocation, QuotaExceeded
from .core.names import fit_name
from .core.reading import READ_SIZE, Progress, chunks, part_digests
from .core.uris import ObjectURI
from .downloads import Download, failing_clearly, send
from .proxies import current_s3
from .services import NewUpload, open_for_version

NOT_THERE = "The object is not there."


class S3FileStorage(S3FSFileStorage):
    """invenio-s3's storage, which also takes a :class:`~oarepo_s3.api.MultipartUpload`.

    :param fileurl: URI of the object.
    :param file: the file instance that the storage works for.
    """

    def __init__(self, fileurl: str, *, file: FileInstance | None = None, **kwargs: Any) -> None:
        self._file = file
        super().__init__(fileurl, **kwargs)

    def save(self, incoming_stream: Any, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Save a stream, or open an upload whose bytes go straight to the store.

        :returns: ``(uri, size, checksum)`` for a stream; for an upload also ``readable=False`` and
            ``writable=True``: it cannot be read yet, and can be deleted.
        :raises FileSizeError: when there is no room for the file.
        """
        if not isinstance(incoming_stream, MultipartUpload):
            return tuple(super().save(incoming_stream, *args, **kwargs))
        try:
            return self._open_upload(incoming_stream)
        except (QuotaExceeded, FileTooLarge) as error:
            # The error that callers of files-rest know for this.
            raise FileSizeError(description=str(error)) from error

    def checksum(
        self,
        chunk_size: int | None = None,
        progress_callback: Progress | None = None,
        **kwargs: Any,
    ) -> str:
        """Compute the checksum again, in the form that the file was stored with.

        The content is read, in flat memory: a digest is computed in its own algorithm, a multipart
        checksum from the digests of the parts. Where the store encrypts in a way that makes ETags
        opaque, the ETag that it reports is all there is. So it is for an object that others have
        put there (``etag:``), which is not read. In any other form, and before there is a checksum,
        it is what files-rest computes.

        :param chunk_size: bytes to read at a time.
        :param progress_callback: gets the size of the file and the bytes read so far.
        :raises StorageError: when the object is not there, or the algorithm cannot be computed.
        """
        stored = (self._file.checksum if self._file else None) or ""
        if multipart := MultipartChecksum.parse(stored):
            return self._multipart_checksum(multipart, progress_callback)
        if stored.startswith(ETAG):
            return f"{ETAG}{self._head().etag}"
        algorithm = stored.partition(":")[0]
        if algorithm in LENGTHS:
            return self._digest(algorithm, chunk_size or READ_SIZE, progress_callback)
        return str(
            super().checksum(chunk_size=chunk_size, progress_callback=progress_callback, **kwargs)
        )

    def send_file(
        self,
        filename: str,
        mimetype: str | None = None,
        restricted: bool = True,
        checksum: str | None = None,
        trusted: bool = False,
        chunk_size: int | None = None,
        as_attachment: bool = False,
    ) -> Response:
        """Answer with a redirect to the store, or a HEAD with what is known of the file.

        :raises StorageError: when no URL can be signed, with a code of the catalogue of errors
            where it has one.
        """
        store = self._downloads()
        if store is None:
            # A name that files-rest took by another way than ours may have what no header carries.
            return super().send_file(
                fit_name(filename),
                mimetype=mimetype,
                restricted=restricted,
                checksum=checksum,
                trusted=trusted,
                chunk_size=chunk_size,
                as_attachment=as_attachment,
            )
        download = Download(
            filename,
            mimetype,
            restricted=restricted,
            trusted=trusted,
            as_attachment=as_attachment,
            size=self._size,
            etag=self._known_etag,
        )
        try:
            return send(store, ObjectURI.parse(self.fileurl).key, download)
        except StorageError:
            raise
        except Exception as error:
            # The error that callers of invenio-s3 know for this.
            raise StorageError(description=f"Could not send file: {error}") from error

    def _downloads(self) -> PresignsDownloads | None:
        """Return the store if clients can be sent to it."""
        if not self._is_s3:
            return None
        with failing_clearly():
            store = current_s3.store(self.fileurl)
        return store if isinstance(store, PresignsDownloads) else None

    @property
    def _known_etag(self) -> str | None:
        """The object's ETag as the store says it, where the checksum was made of it."""
        checksum = (self._file.checksum if self._file else None) or ""
        if checksum.startswith(ETAG):
            return str(checksum.removeprefix(ETAG))
        stored = MultipartChecksum.parse(checksum)
        known = stored is not None and (stored.is_composite or stored.is_md5)
        return stored.etag if stored and known else None

    @property
    def _is_s3(self) -> bool:
        return bool(self.fileurl.startswith("s3://"))

    def _get_fs(self, *args: Any, **kwargs: Any) -> tuple[Any, str]:
        fs, path = super()._get_fs(*args, **kwargs)
        tenant = current_app.config["OAREPO_S3_TENANT"]
        if not (self._is_s3 and tenant):
            return fs, path
        fs.connect()
        accept_tenants(fs.s3)
        uri = ObjectURI.parse(path)
        return fs, f"s3://{tenant}:{uri.bucket}/{uri.key}"

    def _open_upload(self, wanted: MultipartUpload) -> tuple[str, int, None, bool, bool]:
        versions = self._file.objects if self._file is not None else []
        if len(versions) != 1:
            raise StorageError(
                errors="A MultipartUpload needs an object version to belong to. Assign it with"
                " files[key] = upload, or ObjectVersion.create(bucket, key, stream=upload)."
            )
        version = versions[0]
        upload = open_for_version(
            NewUpload(
                bucket_id=version.bucket_id,
                key=version.key,
                size=wanted.size,
                content_type=wanted.content_type,
                part_size=wanted.part_size,
                num_parts=wanted.num_parts,
                checksum=wanted.checksum,
                lifetime=wanted.lifetime,
                user_id=_user_id() if wanted.user_id is None else wanted.user_id,
            ),
            version,
        )
        if wanted.content_type:
            version.mimetype = wanted.content_type
        wanted.opened(upload)
        self._size = upload.size
        return upload.uri, upload.size, None, False, True

    def _digest(
        self,
        algorithm: str,
        chunk_size: int,
        progress_callback: Progress | None,
    ) -> str:
        if algorithm not in computable():
            raise StorageError(
                description=f"A checksum in {algorithm} cannot be computed here:"
                " install oarepo-s3[checksums]."
            )
        try:
            stream = self.open(mode="rb")
        except FileNotFoundError as error:
            raise StorageError(description=NOT_THERE) from error
        with stream:
            content = chunks(stream, chunk_size, self._size or 0, progress_callback)
            return str(compute(algorithm, content))

    def _multipart_checksum(
        self,
        stored: MultipartChecksum,
        progress_callback: Progress | None,
    ) -> str:
        info = self._head()
        etag = self._content_etag(stored, info, progress_callback)
        return str(MultipartChecksum(etag, stored.part_size))

    def _head(self) -> ObjectInfo:
        info = current_s3.store(self.fileurl).head(ObjectURI.parse(self.fileurl).key)
        if info is None:
            raise StorageError(description=NOT_THERE)
        return info

    def _content_etag(
        self,
        stored: MultipartChecksum,
        info: ObjectInfo,
        progress_callback: Progress | None,
    ) -> str:
        if not info.etag_is_digest or not (stored.is_composite or stored.is_md5):
            return info.etag
        part_size = stored.part_size if stored.is_composite else None
        with self.open(mode="rb") as stream:
            digests = list(part_digests(stream, part_size, info.size, progress_callback))
        return composite_etag(digests) if stored.is_composite else digests[0].hex()


class LocalFileStorage(PyFSFileStorage):
    """Files-rest's storage in a directory, where no client can send parts."""

    def save(self, incoming_stream: Any, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Save a stream.

        :raises InvalidLocation: for a :class:`~oarepo_s3.api.MultipartUpload`.
        """
        if isinstance(incoming_stream, MultipartUpload):
            raise InvalidLocation(uri=self.fileurl)
        return tuple(super().save(incoming_stream, *args, **kwargs))


def _user_id() -> int | None:
    identity_id = getattr(g.get("identity"), "id", None)
    return identity_id if isinstance(identity_id, int) else None


def s3_storage_factory(fileinstance: FileInstance | None = None, **kwargs: Any) -> PyFSFileStorage:
    """Return the storage of a file; for ``FILES_REST_STORAGE_FACTORY``.

    A location that is a directory keeps files-rest's own storage: invenio-s3's can neither send nor
    delete the files there.
    """
    return pyfs_storage_factory(
        fileinstance=fileinstance,
        filestorage_class=partial(_storage_at, file=fileinstance),
        **kwargs,
    )


def _storage_at(fileurl: str, *, file: FileInstance | None, **kwargs: Any) -> PyFSFileStorage:
    if "://" in fileurl and not fileurl.startswith("file://"):
        return S3FileStorage(fileurl, file=file, **kwargs)
    return LocalFileStorage(fileurl, **kwargs)
