# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""All who know where forms make their objects mean the same place."""

from __future__ import annotations

import pytest
from invenio_db import db
from invenio_files_rest.models import Location

from oarepo_s3.core.errors import ScopeTaken
from oarepo_s3.core.uris import ObjectURI
from oarepo_s3.provisioning import documents
from oarepo_s3.services import NewScope, create_scope
from oarepo_s3.services.forms import form_uri
from oarepo_s3.services.scopes import is_invenios


@pytest.mark.parametrize("prefix", ["", "some/folder/"])
def test_the_lifecycle_rule_is_for_what_forms_make(begin, bucket, prefix):
    location = db.session.get(Location, bucket.default_location)
    uri, location.uri = location.uri, f"memory://rules/{prefix}"
    try:
        made = ObjectURI.parse(form_uri(begin()))
    finally:
        location.uri = uri
        db.session.commit()
    _, rule = documents.lifecycle(prefix, 7)["Rules"]
    assert made.key.startswith(rule["Filter"]["Prefix"])
    assert is_invenios(made.key, [prefix])


def test_no_scope_lies_where_forms_make_their_objects(begin):
    folder, _, _ = ObjectURI.parse(form_uri(begin())).key.rpartition("/")
    with pytest.raises(ScopeTaken):
        create_scope(NewScope("user:forms", "default", f"{folder}/mine"))
