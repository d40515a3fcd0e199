# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Real servers for tests, on loopback and on free ports, started in seconds.

A stand-in checks no signature and forgets the corner cases in which stores differ; these are
the programs that run in production. Only the standard library is needed to start them. What is
not installed raises :class:`Missing`, which a fixture turns into a skip.
"""

from __future__ import annotations

from .answers import Answer, AnswerProxy, Exchange
from .ceph import CephRGW
from .faults import Faults
from .postgres import Postgres
from .process import Missing, ServiceError, free_port, wait_for_port
from .proxy import FaultProxy
from .rclone import RcloneS3
from .service import Service
from .valkey import Valkey

__all__ = [
    "Answer",
    "AnswerProxy",
    "CephRGW",
    "Exchange",
    "FaultProxy",
    "Faults",
    "Missing",
    "Postgres",
    "RcloneS3",
    "Service",
    "ServiceError",
    "Valkey",
    "free_port",
    "wait_for_port",
]
