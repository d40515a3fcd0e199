# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Create the table of upload tokens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy_utils.types import UUIDType

revision = "a61d3c95e8f4"
down_revision = "e4c61f08a7d5"
branch_labels = ()
depends_on = None

TABLE = "oarepo_s3_uploadtoken"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", UUIDType(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("bucket_id", UUIDType(), nullable=True),
        sa.Column("record_service", sa.String(255), nullable=True),
        sa.Column("record_pid", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oarepo_s3_uploadtoken")),
    )
    op.create_index(op.f("ix_oarepo_s3_uploadtoken_expires_at"), TABLE, ["expires_at"])


def downgrade() -> None:
    op.drop_table(TABLE)
