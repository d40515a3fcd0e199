# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The client, which is a distribution of its own: it is tested as its users have it."""
