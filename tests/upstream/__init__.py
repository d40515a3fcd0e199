# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The tests of invenio-s3 and of invenio-records-resources, with their classes and with ours."""
