# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Everything about the distribution stands in setup.cfg; this file lets old tools find it."""

from setuptools import setup

setup()
