# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Remember the record that an upload belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "e4c61f08a7d5"
down_revision = "d27a90c4b613"
branch_labels = ()
depends_on = None

TABLE = "oarepo_s3_upload"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("record_service", sa.String(255), nullable=True))
    op.add_column(TABLE, sa.Column("record_pid", sa.Text(), nullable=True))


def downgrade() -> None:
    for column in ("record_pid", "record_service"):
        op.drop_column(TABLE, column)
