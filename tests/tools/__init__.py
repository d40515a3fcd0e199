# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The S3 tools of others, with the keys and the configuration that they get from us."""
