# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Tests of the back ends against real stores, and against servers that are none."""
