# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Downloads as a client sees them that knows an address and follows redirects."""
