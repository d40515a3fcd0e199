# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uploads at the endpoints of oarepo-records-draft, with the real package."""
