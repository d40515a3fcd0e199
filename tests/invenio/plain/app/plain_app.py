# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The plain application; ``docs/howto/records-files.md`` prints what follows."""

from flask import Blueprint, abort, jsonify, url_for
from flask_login import current_user
from invenio_access.models import ActionUsers
from invenio_db import db
from invenio_files_rest.permissions import BucketRead, BucketUpdate, ObjectRead
from invenio_files_rest.proxies import current_permission_factory
from invenio_files_rest.views import check_permission
from invenio_records.models import RecordMetadata
from invenio_records_files.api import Record
from invenio_records_files.models import RecordsBuckets
from webargs import fields
from webargs.flaskparser import use_kwargs

from oarepo_s3.api import MultipartUpload
from oarepo_s3.signals import (
    after_checksum_check,
    after_upload_abort,
    after_upload_complete,
    after_upload_fail,
)
from oarepo_s3.views import multipart_actions


class DataRecord(Record):
    """A record with files. Who creates it may upload and read them."""

    @classmethod
    def create(cls, data, id_=None, **kwargs):
        record = super().create(data, id_=id_, **kwargs)
        if record.bucket is not None and current_user.is_authenticated:
            for action in (BucketRead, BucketUpdate, ObjectRead):
                need = action(str(record.bucket_id))
                db.session.add(ActionUsers.allow(need, user_id=current_user.id))
        return record

    @classmethod
    def lock(cls, id_):
        """Return the record as it is now, and let others wait until the commit.

        Several of its files may begin, or be completed, at the same time. Each writes the record,
        and with an older one in hand that would be a StaleDataError.
        """
        query = RecordMetadata.query.filter_by(id=id_, is_deleted=False)
        model = query.populate_existing().with_for_update().one()
        return cls(model.data, model=model)


@use_kwargs(
    {
        "size": fields.Integer(required=True),
        "content_type": fields.String(),
        "checksum": fields.String(),
    }
)
def begin_multipart(pid_value, key, **wanted):
    """Begin an upload: assign it to the record's files, and say where the parts go."""
    pid, record = pid_value.data
    if record.files is None:
        abort(404, "The record has no files.")
    check_permission(current_permission_factory(record.files.bucket, "bucket-update"), hidden=False)

    def address(view):
        return url_for(f".recid_{view}", pid_value=pid.pid_value, key=key, _external=True)

    upload = MultipartUpload(
        key,
        **wanted,
        complete_url=address("complete_multipart"),
        abort_url=address("abort_multipart"),
    )
    record = DataRecord.lock(record.id)
    record.files[key] = upload
    record.commit()
    db.session.commit()
    answer = jsonify(upload.session.to_dict())
    answer.headers["Cache-Control"] = "no-store"  # it has presigned URLs
    return answer, 201


def create_blueprint(app):
    """Mount the view above, and those of oarepo-s3, below the records."""
    blueprint = Blueprint("plain", __name__)
    item = app.config["RECORDS_REST_ENDPOINTS"]["recid"]["item_route"]
    blueprint.add_url_rule(
        f"{item}/files/<key>/begin-multipart", view_func=begin_multipart, methods=["POST"]
    )
    for rule, view in multipart_actions("recid").items():
        blueprint.add_url_rule(f"{item}/{rule}", view_func=view)
    # Where a pid redirects, invenio-records-rest looks in this blueprint for the record's address.
    blueprint.add_url_rule(item, "recid_item", build_only=True)
    return blueprint


def refresh_files(app, upload):
    """Write what became of a file into the JSON of its records."""
    for link in RecordsBuckets.query.filter_by(bucket_id=upload.bucket_id):
        if not link.record.is_deleted:
            record = DataRecord.lock(link.record_id)
            record.files.flush()
            record.commit()
    db.session.commit()


def connect(app):
    """Keep ``record["_files"]`` true when an upload ends, or its file gets another checksum."""
    after_upload_complete.connect(refresh_files, sender=app)
    after_upload_abort.connect(refresh_files, sender=app)
    after_upload_fail.connect(refresh_files, sender=app)
    after_checksum_check.connect(refresh_files, sender=app)
