# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What callers see while the store or the database is in trouble, and that all ends well."""
