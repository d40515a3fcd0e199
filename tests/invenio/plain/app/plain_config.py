# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Settings of the plain application; ``docs/howto/records-files.md`` prints what follows."""

from invenio_access import Permission, authenticated_user
from invenio_records_rest.utils import allow_all

RECORDS_REST_ENDPOINTS = {
    "recid": {
        "pid_type": "recid",
        "pid_minter": "recid",
        "pid_fetcher": "recid",
        "record_class": "plain_app:DataRecord",
        "list_route": "/records/",
        "item_route": '/records/<pid(recid,record_class="plain_app:DataRecord"):pid_value>',
        "default_media_type": "application/json",
        "record_serializers": {
            "application/json": "invenio_records_rest.serializers:json_v1_response",
        },
        "search_serializers": {
            "application/json": "invenio_records_rest.serializers:json_v1_search",
        },
        # Whoever is logged in may create a record.
        "create_permission_factory_imp": lambda record: Permission(authenticated_user),
        # Without a search server: the default permission to read a record asks the index, and
        # the default indexer writes to it.
        "read_permission_factory_imp": allow_all,
        "indexer_class": None,
    }
}

# The list of a record's files, and their downloads, at /records/<pid_value>/files.
RECORDS_FILES_REST_ENDPOINTS = {"RECORDS_REST_ENDPOINTS": {"recid": "/files"}}
