# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A soak: uploads, aborts, killed processes and broken connections, and then all is compared.

``python -m tests.soak [--seconds N] [--seed N]`` from the top of the checkout. PostgreSQL, Ceph, a
server of the redis protocol, web processes, Celery workers and beat are real and on loopback; all
of them end with the script.
"""
