# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Create the oarepo_s3 branch."""

revision = "5c1f0a7d2e41"
down_revision = None
branch_labels = ("oarepo_s3",)
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
