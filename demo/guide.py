# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What is printed while the demo serves: where everything is, and commands to paste."""

from __future__ import annotations

from pathlib import Path

from .servers import Repository

_TEXT = """
Page         {api}/uploader
REST API     {api}
bucket       {bucket}
S3 server    {store}
logs         {logs}/*/log

All of it listens on this machine only (loopback). In exchange nobody logs in: the demo's
FILES_REST_PERMISSION_FACTORY lets whoever reaches it do everything. Nothing is kept at the end.

Open the page in a browser, and drop files on it.

Or paste this into another terminal; it needs curl and python3.

# A file of 12 MB, in a new folder.
cd "$(mktemp -d)"
head -c 12000000 /dev/urandom > sample.bin

# 1. Open an upload. The answer has a URL for each part, signed for the store.
curl -sS -f {api}/multipart-uploads -o upload.json -H 'Content-Type: application/json' \\
  -d '{{"bucket": "{bucket}", "key": "sample.bin", "size": 12000000, "part_size": 5242880}}'
python3 -m json.tool upload.json

# 2. Send the parts straight to the store.
split -b 5242880 sample.bin part.
python3 -c 'import json; [print(u["url"]) for u in json.load(open("upload.json"))["urls"]]' > urls
for part in part.*; do read -r url; curl -sS -f -T "$part" "$url"; done < urls

# 3. Complete: the parts are checked, and become one file.
curl -sS -f -X POST "$(python3 -c '
import json; print(json.load(open("upload.json"))["links"]["complete"])')"

# 4. Download: the API redirects to the store.
curl -sS -f -L -o copy.bin {api}/files/{bucket}/sample.bin
cmp sample.bin copy.bin && echo the same

Ctrl-C ends the demo.
"""


def guide(repository: Repository, logs: Path) -> str:
    """Return the text for a running repository."""
    return _TEXT.format(
        api=repository.api, bucket=repository.made["bucket"], store=repository.store, logs=logs
    )
