# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``python -m oarepo_s3_client`` is the command ``oarepo-s3``."""

from __future__ import annotations

from .cli import main

main(prog_name="oarepo-s3")
