# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Where the package meets Invenio: storage, records, migrations, settings."""
