# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How hypothesis runs: no example database in the tree, no time limit on a busy machine."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("oarepo-s3", database=None, deadline=None)
settings.load_profile("oarepo-s3")
