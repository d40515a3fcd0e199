# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A browser is asked what it makes of the origins that people write."""

from __future__ import annotations

import pytest

from ..unit.test_origins import SENT

pytestmark = pytest.mark.browser


def test_a_browser_says_origins_as_the_rule_has_them(chromium):
    with chromium.new_context() as context:
        page = context.new_page()
        said = page.evaluate("written => written.map(each => new URL(each).origin)", list(SENT))
    assert dict(zip(SENT, said, strict=True)) == SENT
