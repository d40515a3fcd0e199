# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Remember where a form sends a file, and how long it may."""

import sqlalchemy as sa
from alembic import op

revision = "a85d3f17c2e9"
down_revision = "a61d3c95e8f4"
branch_labels = ()
depends_on = None

TABLE = "oarepo_s3_upload"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("form_uri", sa.Text(), nullable=True))
    op.add_column(TABLE, sa.Column("form_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_oarepo_s3_upload_form_until", TABLE, ["form_until"])


def downgrade() -> None:
    op.drop_index("ix_oarepo_s3_upload_form_until", TABLE)
    for column in ("form_until", "form_uri"):
        op.drop_column(TABLE, column)
