# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The check of a store: each finding appears, goes when its cause is mended, and nothing stays."""
