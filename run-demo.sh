#!/usr/bin/env bash
# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
#
# Direct multipart uploads, shown on this machine alone: an S3 server, a broker, an Invenio REST API
# and a Celery worker, all on loopback, all gone at the end.
#
#   run-demo.sh                serve until Ctrl-C, and print how to upload with curl
#   run-demo.sh --once [FILE]  upload FILE (without it, 200 MB that are made up), and compare
#   run-demo.sh --help         the other options
#
# Works from any folder. The first run makes a virtual environment, .venv-demo beside this script;
# later runs take it as it is while setup.cfg stays the same.
#
# Environment:
#   PYTHON                 the Python (3.11 to 3.13) to make the environment with
#   PORT                   port of the REST API; otherwise a free one is taken
#   OAREPO_S3_DEMO_PYTHON  a Python that has '.[demo]' installed: no environment is made
set -euo pipefail

root=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=demo/venv.sh
source "$root/demo/venv.sh"

show "$root" demo demo "$@"
