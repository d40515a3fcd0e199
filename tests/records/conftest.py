# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Fixtures: an instance with records, somebody who edits one, and what they do with its files."""

from __future__ import annotations

import pytest

from . import stack
from .editor import Editor


@pytest.fixture(scope="module")
def file_service(app):
    """The file service of the records."""
    return stack.mount(app)


@pytest.fixture
def new_editor(file_service, location, store, person):
    """Make a record and somebody who may edit it."""

    def make(**limits):
        someone = person()
        return Editor(someone, stack.new_record(editors=[someone], **limits), store)

    return make


@pytest.fixture
def editor(new_editor):
    """Somebody who may edit a record of their own."""
    return new_editor()
