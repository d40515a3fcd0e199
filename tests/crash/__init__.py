# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Processes that die in the middle of the work, and what is left of it."""
