# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The documentation is part of the product: it builds, is complete, and its examples work."""
