# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A records-resources model with drafts and files, whose files go straight to the store.

To copy: :mod:`.tables`, :mod:`.records`, :mod:`.permissions`, :mod:`.services`, :mod:`.resources`
and :mod:`.app`. The rest runs it on this machine, with the servers of the demo.
"""
