# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Let tasks share the uploads, and say what became of a declared checksum."""

import sqlalchemy as sa
from alembic import op

revision = "d27a90c4b613"
down_revision = "9b3e6d84c0f2"
branch_labels = ()
depends_on = None

TABLE = "oarepo_s3_upload"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(TABLE, sa.Column("checksum_status", sa.String(16), nullable=True))
    op.add_column(TABLE, sa.Column("store_checksum", sa.String(16), nullable=True))
    # A digest of any algorithm could be declared until now; what cannot be verified stays declared.
    op.execute(
        f"UPDATE {TABLE} SET checksum_status = 'declared' WHERE declared_checksum IS NOT NULL"
    )


def downgrade() -> None:
    for column in ("store_checksum", "checksum_status", "rests_until"):
        op.drop_column(TABLE, column)
