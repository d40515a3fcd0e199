# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Transfers of type "M": records with files, as invenio-records-resources makes them."""
