# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Create the table of uploads."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy_utils.types import UUIDType

revision = "9b3e6d84c0f2"
down_revision = "5c1f0a7d2e41"
branch_labels = ()
depends_on = None

TABLE = "oarepo_s3_upload"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", UUIDType(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("bucket_id", UUIDType(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("file_id", UUIDType(), nullable=False),
        sa.Column("version_id", UUIDType(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("part_size", sa.BigInteger(), nullable=False),
        sa.Column("num_parts", sa.Integer(), nullable=False),
        sa.Column("content_type", sa.String(255), nullable=True),
        sa.Column("declared_checksum", sa.String(255), nullable=True),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("store_upload_id", sa.Text(), nullable=True),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("etag", sa.String(255), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oarepo_s3_upload")),
    )
    op.create_index(op.f("ix_oarepo_s3_upload_bucket_id"), TABLE, ["bucket_id"])
    op.create_index(op.f("ix_oarepo_s3_upload_file_id"), TABLE, ["file_id"])
    op.create_index("ix_oarepo_s3_upload_state_expires_at", TABLE, ["state", "expires_at"])
    op.create_index("ix_oarepo_s3_upload_user_id_created_at", TABLE, ["user_id", "created_at"])


def downgrade() -> None:
    op.drop_table(TABLE)
