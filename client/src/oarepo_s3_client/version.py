# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The version, in one place."""

__version__ = "0.1.0"
