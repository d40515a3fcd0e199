# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Signals around the end of an upload.

Sender is the Flask application; the keyword ``upload`` is the
:class:`~oarepo_s3.models.Upload`. A ``before_`` signal comes before the store is asked, and may
raise to stop it. An ``after_`` signal comes after the commit, so what a receiver reads is true.
"""

from __future__ import annotations

from blinker import Namespace

_signals = Namespace()

before_upload_complete = _signals.signal("before-upload-complete")
"""The parts were verified; the store is about to be asked to assemble them."""

after_upload_complete = _signals.signal("after-upload-complete")
"""The file is readable."""

before_upload_abort = _signals.signal("before-upload-abort")
"""The upload is about to be dropped, by a client or by the sweep."""

after_upload_abort = _signals.signal("after-upload-abort")
"""The parts are gone and the quota was given back."""

after_upload_fail = _signals.signal("after-upload-fail")
"""The upload cannot be completed any more; ``upload.reason`` says why. Its file is gone, and the
quota was given back, as after an abort."""

after_checksum_check = _signals.signal("after-checksum-check")
"""The file was read, and ``upload.checksum_status`` says whether it is what the client declared."""
