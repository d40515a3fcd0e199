# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The application of the soak: Invenio's REST API with users, and a door for assignments."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request
from invenio_access.models import ActionUsers
from invenio_accounts.models import User
from invenio_app.factory import create_api
from invenio_db import db
from invenio_files_rest import permissions
from invenio_files_rest.models import Bucket, Location, ObjectVersion

from oarepo_s3.api import MultipartUpload
from oarepo_s3.services import batches, complete, recover
from oarepo_s3.services.buckets import lock_bucket
from oarepo_s3.views.errors import Resource

from . import settings as times
from .settings import USER_HEADER, Settings

_ACTIONS = (
    permissions.BucketRead,
    permissions.BucketUpdate,
    permissions.ObjectRead,
    permissions.ObjectReadVersion,
    permissions.ObjectDelete,
    permissions.ObjectDeleteVersion,
)


def create_app(settings: Settings) -> Flask:
    """Return the application; web processes, workers and beat are forks that have it already."""
    _shorten_times()
    app: Flask = create_api(
        SECRET_KEY="soak",
        SQLALCHEMY_DATABASE_URI=settings.database,
        # A connection that a restart of the other side has cut is not handed out.
        SQLALCHEMY_ENGINE_OPTIONS={"pool_pre_ping": True, "pool_size": 10},
        FILES_REST_STORAGE_FACTORY="oarepo_s3.storage.s3_storage_factory",
        FILES_REST_STORAGE_CLASS_LIST={"S": "Standard"},
        FILES_REST_DEFAULT_STORAGE_CLASS="S",
        REST_CSRF_ENABLED=False,
        APP_ENABLE_SECURE_HEADERS=False,
        RATELIMIT_ENABLED=False,
        CACHE_TYPE="SimpleCache",
        S3_ENDPOINT_URL=settings.store,
        S3_ACCESS_KEY_ID=settings.access_key,
        S3_SECRET_ACCESS_KEY=settings.secret_key,
        S3_REGION_NAME="us-east-1",
        OAREPO_S3_PUBLIC_ENDPOINT_URL=settings.public,
        OAREPO_S3_UPLOAD_LIFETIME=times.UPLOAD_LIFETIME,
        OAREPO_S3_PART_SIZE=times.PART_SIZE,
        OAREPO_S3_CONNECT_TIMEOUT=times.CONNECT_TIMEOUT,
        OAREPO_S3_READ_TIMEOUT=times.READ_TIMEOUT,
        OAREPO_S3_CHECK_INTERVAL=times.CHECK_INTERVAL,
        OAREPO_S3_ORPHAN_GRACE=times.ORPHAN_GRACE,
        OAREPO_S3_SWEEP_BATCH=10,
        ACCOUNTS_SESSION_REDIS_URL=settings.broker,
        BROKER_URL=settings.broker,
        CELERY_BROKER_URL=settings.broker,
        CELERY_RESULT_BACKEND=settings.broker,
        CELERY_TASK_IGNORE_RESULT=True,
        CELERY_BEAT_SCHEDULE={task: _entry(task, every) for task, every in times.BEAT.items()},
    )
    app.login_manager.request_loader(_load_user)
    app.before_request(_lock_for_files_rest)
    door = Blueprint("soak", __name__)
    door.add_url_rule("/soak/assign", view_func=Assign.as_view("assign"))
    app.register_blueprint(door)
    return app


def _shorten_times() -> None:
    complete.ASSEMBLY_TIME = recover.ASSEMBLY_TIME = times.ASSEMBLY_TIME
    batches.LEASE = times.LEASE


def _entry(task: str, every: int) -> dict[str, Any]:
    sweeps_orphans = task.endswith("sweep_orphaned_multipart_uploads")
    return {
        "task": task,
        "schedule": timedelta(seconds=every),
        "kwargs": {"dry_run": False} if sweeps_orphans else {},
        # What waited while no worker was alive is not done many times over.
        "options": {"expires": 3 * every},
    }


def _load_user(message: Any) -> User | None:
    """Believe a header; how people log in is Invenio's affair, and not what is tested."""
    name = message.headers.get(USER_HEADER)
    return db.session.get(User, int(name)) if name else None


def _lock_for_files_rest() -> None:
    """Let files-rest delete with its bucket's row locked.

    files-rest decides which version is the newest from what it has read, without a lock: of two
    that change a key at the same time, one forgets the other. That is so without this package as
    well, and would drown what is to be found here.
    """
    bucket = (request.view_args or {}).get("bucket_id")
    if request.method == "DELETE" and bucket is not None:
        lock_bucket(uuid.UUID(str(bucket)))


class Assign(Resource):
    """``/soak/assign``: what a deposit does, with a rollback on demand."""

    def post(self) -> Response:
        """Assign an upload to a key, and say where its parts go."""
        body = request.get_json()
        bucket = db.session.get(Bucket, uuid.UUID(body["bucket"]))
        upload = MultipartUpload(body["key"], size=body["size"])
        ObjectVersion.create(bucket, body["key"], stream=upload)
        answer = jsonify(upload.session.to_dict())
        if body["rollback"]:
            db.session.rollback()
        else:
            db.session.commit()
        return answer


def make_database(settings: Settings) -> dict[str, Any]:
    """Make tables, users and buckets; to be called in the application's context."""
    db.create_all()
    location = Location(name="soak", uri=f"s3://{settings.store_bucket}", default=True)
    db.session.add(location)
    db.session.flush()
    buckets = [Bucket.create(location=location) for _ in range(times.BUCKETS)]
    users = [User(email=f"{n}@example.org", active=True) for n in range(times.USERS)]
    db.session.add_all(users)
    db.session.flush()
    for bucket in buckets:
        bucket.quota_size = times.QUOTA
        for user in users:
            for action in _ACTIONS:
                db.session.add(ActionUsers.allow(action(str(bucket.id)), user_id=user.id))
    db.session.commit()
    return {"buckets": [str(bucket.id) for bucket in buckets], "users": [u.id for u in users]}
