# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Create the tables of store profiles, scopes, grants and runs of tasks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy_utils.types import UUIDType

revision = "c3f7e91b5a08"
down_revision = "a85d3f17c2e9"
branch_labels = ()
depends_on = None

UPLOAD, PROFILE, SCOPE, GRANT, RUN = (
    f"oarepo_s3_{name}" for name in ("upload", "storeprofile", "scope", "grant", "taskrun")
)

OLD_INDEX = "ix_oarepo_s3_upload_state_expires_at"
NEW_INDEX = f"{OLD_INDEX}_size"


def upgrade() -> None:
    op.add_column(UPLOAD, sa.Column("staged_etag", sa.String(255), nullable=True))
    op.create_table(
        PROFILE,
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("abilities", sa.JSON(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_oarepo_s3_storeprofile")),
    )
    op.create_table(
        SCOPE,
        sa.Column("id", UUIDType(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("location_name", sa.String(20), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("bucket_id", UUIDType(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oarepo_s3_scope")),
        sa.UniqueConstraint("name", name=op.f("uq_oarepo_s3_scope_name")),
    )
    op.create_index(op.f("ix_oarepo_s3_scope_bucket_id"), SCOPE, ["bucket_id"])
    op.create_table(
        GRANT,
        sa.Column("id", UUIDType(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("upload_id", UUIDType(), nullable=True),
        sa.Column("scope_id", UUIDType(), nullable=True),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("access_key", sa.String(255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oarepo_s3_grant")),
    )
    for column in ("user_id", "upload_id", "scope_id", "expires_at"):
        op.create_index(op.f(f"ix_oarepo_s3_grant_{column}"), GRANT, [column])
    op.create_table(
        RUN,
        sa.Column("task", sa.String(32), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_oarepo_s3_taskrun")),
    )
    op.drop_index(OLD_INDEX, UPLOAD)
    op.create_index(NEW_INDEX, UPLOAD, ["state", "expires_at", "size"])


def downgrade() -> None:
    op.drop_index(NEW_INDEX, UPLOAD)
    op.create_index(OLD_INDEX, UPLOAD, ["state", "expires_at"])
    for table in (RUN, GRANT, SCOPE, PROFILE):
        op.drop_table(table)
    op.drop_column(UPLOAD, "staged_etag")
