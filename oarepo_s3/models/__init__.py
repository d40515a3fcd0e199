# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The tables: what must outlive a request, a worker and a crash."""

from __future__ import annotations

from .grants import Grant
from .profiles import StoreProfile
from .runs import TaskRun
from .scopes import Scope
from .tokens import UploadToken
from .uploads import HiddenString, Upload

__all__ = ("Grant", "HiddenString", "Scope", "StoreProfile", "TaskRun", "Upload", "UploadToken")
