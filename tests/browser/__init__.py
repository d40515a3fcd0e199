# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The uploader in a real browser: Debian's Chromium, driven by Playwright."""
