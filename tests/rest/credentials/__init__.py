# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Temporary keys over REST, at a gateway that hands them out."""
