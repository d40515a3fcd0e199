# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The uploader for instances that build their own scripts with invenio-assets.

Only invenio-assets imports this, by its entry point. The modules in ``assets/`` are made from
``js/src`` by ``npm run build`` in ``js/``, and the versions are those of ``js/package.json``.
"""

from __future__ import annotations

from invenio_assets.webpack import WebpackThemeBundle

theme = WebpackThemeBundle(
    __name__,
    "assets",
    default="semantic-ui",
    themes={
        "semantic-ui": {
            "entry": {"oarepo-s3-uploader": "./js/oarepo_s3/page.js"},
            "dependencies": {
                "@transloadit/prettier-bytes": "^2.0.0",
                "@uppy/core": "^6.3.1",
                "@uppy/dashboard": "^6.0.3",
                "hash-wasm": "^4.12.0",
            },
            "aliases": {"@js/oarepo_s3": "js/oarepo_s3"},
        }
    },
)
