#!/usr/bin/env bash
# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
#
# The example of examples/records, on this machine alone: records with drafts and files, whose files
# go straight to an S3 server. All servers on loopback, all gone at the end.
#
#   run-example.sh           serve until Ctrl-C, and print the address and a token for each user
#   run-example.sh --once    run the commands of examples/records/README.md, and end
#   run-example.sh --help    the same in other words
#
# Works from any folder. The first run makes a virtual environment, .venv-example beside this script;
# later runs take it as it is while setup.cfg stays the same.
#
# Environment:
#   PYTHON                 the Python (3.11 to 3.13) to make the environment with
#   PORT                   port of the REST API; otherwise a free one is taken
#   OAREPO_S3_DEMO_PYTHON  a Python that has '.[example]' installed: no environment is made
set -euo pipefail

root=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=demo/venv.sh
source "$root/demo/venv.sh"
show "$root" example examples.records "$@"
