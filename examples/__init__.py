# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Examples of instances, to be copied from. Not part of the installed package."""
