# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The demo of ``run-demo.sh``: a small repository on this machine alone.

What is around the application (:mod:`demo.show`, the servers) serves ``run-example.sh`` as well.

Not part of the installed package. The parent process (``python -m demo``) imports neither Invenio
nor the package: it starts servers, and talks to them over HTTP like any client. The REST API and
the worker are processes of their own (:mod:`demo.web`, :mod:`demo.worker`).
"""
