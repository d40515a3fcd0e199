# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What may happen to a bucket with uploads, in any order; the model says what comes of it."""

from __future__ import annotations

import contextlib
import io
import uuid
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from invenio_db import db
from invenio_files_rest.errors import BucketLockedError, FileSizeError
from invenio_files_rest.models import Bucket, FileInstance, ObjectVersion
from invenio_files_rest.tasks import clear_orphaned_files, remove_file_data

from oarepo_s3 import services
from oarepo_s3.api import MultipartUpload
from oarepo_s3.backends.memory import MemoryStore, forget
from oarepo_s3.core import errors
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import get_upload

from .model import PART, Model, ModelUpload
from .reality import Reality, object_key
from .steps import COMPLETE_FAULTS, CREATE_FAULTS, DOWN, KEYS, QUOTA, SIZES, STEPS, faults


class BucketMachine(RuleBasedStateMachine):
    """All that uploads and invenio-files-rest do to a bucket.

    Not among it, because files-rest itself counts wrongly then: removing a delete marker for good
    (the size of the version that appears again is not added), and removing a version below one (its
    size is taken off a second time).
    """

    def __init__(self, location, directory) -> None:
        super().__init__()
        self.location = location
        self.directory = directory
        self.leaked: set[str] = set()

    @initialize()
    def begin(self) -> None:
        for model in (Upload, ObjectVersion, FileInstance, Bucket):
            db.session.execute(db.delete(model))
        forget()
        self.memory = MemoryStore("rules")
        draft = Bucket.create(location=self.location, quota_size=QUOTA)
        other = Bucket.create(location=self.location)
        db.session.commit()
        self.buckets = {"draft": draft.id, "other": other.id}
        self.model = Model(QUOTA)

    def teardown(self) -> None:
        db.session.rollback()

    @rule(data=st.data())
    def step(self, data) -> None:
        model = self.model
        needs = {
            "complete": model.alive(),
            "abort": model.alive(),
            "neglect": model.alive(),
            "sweep": model.over(),
            "recover": model.interrupted(),
            "copy": model.with_file(),
            "delete": model.shown(),
            "remove": model.removable(),
            "clear_orphans": model.orphans(),
        }
        possible = [name for name in STEPS if needs.get(name, True)]
        name = data.draw(st.sampled_from([n for n in possible for _ in range(STEPS[n])]))
        getattr(self, name)(data)

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        Reality(self.memory, self.buckets).check(self.model, self.leaked)

    # What uploaders do

    def begin_by_rest(self, data) -> None:
        key, content = data.draw(KEYS), self.draw_content(data)
        fault = data.draw(faults(*CREATE_FAULTS))
        error, after = CREATE_FAULTS.get(fault, (None, False))
        if error:
            self.memory.fail("create_upload", error, after=after)
        refused = None if self.model.has_room(len(content)) else errors.QuotaExceeded
        refused = errors.BucketLocked if self.model.locked else refused
        with self.refusal(refused or (type(error) if error else None)):
            services.create_upload(
                services.NewUpload(self.buckets["draft"], key, len(content), part_size=PART)
            )
        if not refused:
            self.model.begin(self.new_row(), key, content, fault)

    def begin_by_assignment(self, data) -> None:
        key, content = data.draw(KEYS), self.draw_content(data)
        end = data.draw(faults("down", "rollback"))
        if end == "down":
            self.memory.fail("create_upload", DOWN)
        refused = None if self.model.has_room(len(content)) else FileSizeError
        refused = BucketLockedError if self.model.locked else refused
        wanted = MultipartUpload(key, self.location.uri, 3600, len(content), part_size=PART)
        with self.refusal(refused or (errors.StoreUnavailable if end == "down" else None)):
            version = ObjectVersion.create(self.draft, key, stream=wanted)
            if end == "rollback":
                self.leaked.add(get_upload(self.new_row()).store_upload_id)
                db.session.rollback()
        if not (refused or end):
            self.model.assign(self.new_row(), key, content, version.version_id)

    def complete(self, data) -> None:
        """Send parts, all of them or some, and complete."""
        upload = self.draw_upload(data)
        if upload.state == "pending" and upload.at_store and not upload.over_time:
            some = st.sets(st.sampled_from(sorted(upload.parts)))
            self.send(upload, data.draw(st.just(upload.parts) | some))
        fault = data.draw(faults(*COMPLETE_FAULTS))
        if fault:
            call, error, after = COMPLETE_FAULTS[fault]
            self.memory.fail(call, error, after=after)
        row = get_upload(upload.upload_id)
        with self.refusal(self.model.complete(upload, fault)):
            services.complete_upload(row)
        self.learn_version(upload)

    def send(self, upload, parts) -> None:
        for signed in services.sign_parts(get_upload(upload.upload_id), sorted(parts)):
            start = (signed.part - 1) * PART
            self.memory.put_part(signed.url, upload.content[start : start + PART])
        upload.sent |= parts

    def abort(self, data) -> None:
        upload = self.draw_upload(data)
        fault = data.draw(faults("abort_upload", "head"))
        if fault:
            self.memory.fail(fault, DOWN)
        row = get_upload(upload.upload_id)
        with self.refusal(self.model.abort(upload, fault)):
            services.abort_upload(row)

    def neglect(self, data) -> None:
        """Let the time of an upload run out, or let a lifecycle rule of the store drop it."""
        upload = data.draw(st.sampled_from(self.model.alive()))
        if data.draw(st.sampled_from(["time", "time", "store"])) == "time":
            upload.over_time = True
            self.change(upload, expires_at=utcnow() - timedelta(seconds=1))
        elif upload.has_id and upload.at_store:
            row = get_upload(upload.upload_id)
            self.memory.abort_upload(object_key(row.uri), row.store_upload_id)
            upload.at_store = False

    # What the tasks do

    def sweep(self, data) -> None:
        fault = data.draw(faults("head"))
        if fault:
            self.memory.fail(fault, DOWN)
        with self.refusal(None):
            counts = services.sweep_expired()
        done = self.model.sweep(fault)
        assert (counts.aborted, counts.failed) == (done.count(None), len(done) - done.count(None))

    def recover(self, data) -> None:
        for upload in self.model.interrupted():
            upload.rested = True
            self.change(upload, updated_at=utcnow() - timedelta(minutes=6))
        with self.refusal(None):
            services.recover_interrupted()
        self.model.recover()
        for upload in self.model.uploads:
            self.learn_version(upload)

    def clear_orphans(self, data) -> None:
        with self.refusal(None):
            clear_orphaned_files()
        self.model.drop(self.model.orphans())

    # What files-rest and its callers do

    def write(self, data) -> None:
        """Save a stream on disk: files-rest cannot write to the store in memory."""
        key, content = data.draw(KEYS), self.draw_content(data)
        if not self.model.has_room(len(content)):
            return  # invenio-s3 cannot refuse a stream on disk
        with self.refusal(self.locked_error):
            file = FileInstance.create()
            file.set_contents(io.BytesIO(content), default_location=str(self.directory))
            version = ObjectVersion.create(self.draft, key, _file_id=file)
        if not self.model.locked:
            self.model.write(version.version_id, key, content)

    def copy(self, data) -> None:
        """Link a file once more, as a snapshot of a bucket does, whether it is readable or not."""
        source = data.draw(st.sampled_from(self.model.with_file()))
        bucket, key = data.draw(st.sampled_from(["draft", "other"])), data.draw(KEYS)
        if bucket == "draft" and not self.model.has_room(len(source.file.content)):
            return  # files-rest does not check the quota here
        refused = self.locked_error if bucket == "draft" else None
        with self.refusal(refused):
            version = db.session.get(ObjectVersion, source.version_id)
            made = version.copy(bucket=db.session.get(Bucket, self.buckets[bucket]), key=key)
        if not refused:
            self.model.add_version(made.version_id, bucket, key, source.file)

    def delete(self, data) -> None:
        """Put a delete marker over a key."""
        key = data.draw(st.sampled_from(self.model.shown()))
        with self.refusal(self.locked_error):
            marker = ObjectVersion.delete(self.draft, key)
        if not self.model.locked:
            self.model.cover(marker.version_id, key)

    def remove(self, data) -> None:
        """Remove a version for good, as the REST API of files-rest does."""
        version = data.draw(st.sampled_from(self.model.removable()))
        with self.refusal(self.locked_error):
            row = db.session.get(ObjectVersion, version.version_id)
            file_id, was_head = row.file_id, row.is_head
            row.remove()
            latest = ObjectVersion.get_versions(row.bucket, version.key, desc=True).first()
            if was_head and latest:
                latest.is_head = True
        if self.model.locked:
            return
        self.model.versions.remove(version)
        if data.draw(st.booleans()) and not self.model.is_shared(version.file):
            remove_file_data(str(file_id))
            self.model.drop([u for u in self.model.orphans() if u.file is version.file])

    def administer(self, data) -> None:
        """Lock the bucket or unlock it, and set the quota, never below what there is."""
        draft, left = self.draft, data.draw(st.sampled_from([2 * PART, QUOTA, QUOTA]))
        draft.locked = self.model.locked = data.draw(st.sampled_from([False, False, True]))
        draft.quota_size = self.model.quota = max(1, self.model.size() + left)
        db.session.commit()

    # Helpers

    @property
    def draft(self) -> Bucket:
        return db.session.get(Bucket, self.buckets["draft"], populate_existing=True)

    @property
    def locked_error(self):
        return BucketLockedError if self.model.locked else None

    @contextlib.contextmanager
    def refusal(self, error):
        """Expect an error, or none; whoever called ends the transaction."""
        with pytest.raises(error) if error else contextlib.nullcontext():
            yield
        if error:
            db.session.rollback()
        db.session.commit()
        self.memory._content.faults.clear()

    def draw_upload(self, data) -> ModelUpload:
        """Draw an upload, rather one that is not ended."""
        newest_first = self.model.uploads[::-1]
        return data.draw(st.sampled_from(self.model.alive()[::-1] * 3 + newest_first))

    def draw_content(self, data) -> bytes:
        """Draw a file; each has a letter of its own."""
        return bytes([65 + len(self.model.uploads) % 26]) * data.draw(SIZES)

    def new_row(self) -> uuid.UUID:
        """Return the id of the one row that the model does not know yet."""
        known = {upload.upload_id for upload in self.model.uploads}
        (new,) = set(db.session.scalars(db.select(Upload.id))) - known
        return new

    def learn_version(self, upload) -> None:
        """Learn the id of the version that a completed upload made."""
        if upload.version is not None and upload.version.version_id is None:
            upload.version.version_id = get_upload(upload.upload_id).version_id
            db.session.commit()

    def change(self, upload, **values) -> None:
        """Change a row, as time does."""
        db.session.execute(
            db.update(Upload)
            .where(Upload.id == upload.upload_id)
            .values(**{"updated_at": Upload.updated_at, **values})
        )
        db.session.commit()
