# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Pure rules: no Flask, no database, no store. Everything here is a function or a frozen value."""
