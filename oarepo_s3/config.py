# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Settings, each with its default and what it is for.

Sizes are in bytes, times in seconds. invenio-s3's ``S3_*`` settings say how to reach the store and
stay what they are; the four names ``INVENIO_S3_...`` below are set over them when they are given,
in the configuration file or in the environment (which wins).
"""

from __future__ import annotations

OAREPO_S3_URL_PREFIX = "/multipart-uploads"
"""Where the REST endpoints live in the API application."""

OAREPO_S3_UPLOAD_LIFETIME = 6 * 24 * 3600
"""How long an upload may take before the sweep drops it.

Keep it below the bucket's lifecycle rule for incomplete multipart uploads (7 days is usual), so
that the database knows of the end before the store forgets the parts.
"""

OAREPO_S3_PART_URL_LIFETIME = 24 * 3600
"""How long a part URL works: at most 7 days (604,800), and never longer than the upload or the
temporary credentials that signed it. A client can ask for fresh URLs at any time."""

OAREPO_S3_TOKEN_LIFETIME = 12 * 3600
"""How long an upload token works when the page has no wish.

Uppy cannot take another token in the middle of its uploads, so a token has to live as long as they
take: 12 hours are enough for 50 GB at 10 Mbit/s. It opens one bucket or one draft, and can be
revoked at any time.
"""

OAREPO_S3_TOKEN_MAX_LIFETIME = 6 * 24 * 3600
"""Longest life of an upload token, whatever the page wishes.

As long as an upload may take: a token that ends before could not complete it.
"""

OAREPO_S3_PART_SIZE = 16 * 2**20
"""Size of a part when the client has no wish. Large files get larger parts by themselves."""

OAREPO_S3_MIN_PART_SIZE = 5 * 2**20
"""Smallest part that the store takes, the last one of a file excepted."""

OAREPO_S3_MAX_PART_SIZE = 5 * 2**30
"""Largest part that the store takes."""

OAREPO_S3_MAX_PARTS = 10_000
"""Largest number of parts in one upload."""

OAREPO_S3_MAX_FILE_SIZE = 5 * 2**40
"""Largest file that the store takes.

AWS takes 10,000 x 5 GiB (48.8 TiB) since December 2025; other stores stop at 5 TiB. A bucket's own
``max_file_size`` and quota apply as well.
"""

OAREPO_S3_URL_WINDOW = 25
"""Number of part URLs in the answer to a new upload: more are asked for as they are needed, so
that the answer does not grow with the file."""

OAREPO_S3_MAX_URLS = 1000
"""Largest number of part URLs in one call."""

OAREPO_S3_PART_LINKS = 1000
"""Number of part links in an answer of invenio-records-resources about transfers of type "M".

A file with more parts shows its first ``OAREPO_S3_URL_WINDOW`` ones and links to the others.
"""

OAREPO_S3_READ_AFTER_COMMIT = True
"""Whether the commit of a transfer of type "M" has a task read the file: to prove the digest that
the client declared, or for want of one to compute the MD5, as invenio-records-resources does.

A digest that the store has proved already costs no reading. Without it the checksum of the file is
the one that the store made of the parts' own (``multipart:...``).
"""

OAREPO_S3_PAGE_SIZE = 25
"""Number of uploads on a page of the list of uploads."""

OAREPO_S3_SWEEP_BATCH = 100
"""How many uploads a task takes from the database at a time; nobody else works on them then."""

OAREPO_S3_SWEEP_THREADS = 8
"""How many uploads a task drops at the store at the same time."""

OAREPO_S3_CHECK_INTERVAL = 6 * 3600
"""How often the recovery asks the store whether it still has a pending upload.

A lifecycle rule, or somebody with other tools, may have removed it: the upload is then ended, so
that its owner learns of it and its room is given back.
"""

OAREPO_S3_ORPHAN_GRACE = 24 * 3600
"""How old a multipart upload that no session knows has to be before it counts as an orphan.

Longer than any transaction in which a file is assigned, and its upload opened, may stay open.
"""

OAREPO_S3_TENANT = None
"""Ceph tenant that owns the buckets.

Only for keys of *another* tenant: keys know their own, and older Ceph fails the browser's
preflight for addresses with a tenant in them. ``INVENIO_S3_TENANT`` sets it.
"""

OAREPO_S3_PROFILE = "other"
"""What the store can do beyond what all stores can: ``aws``, ``ceph`` (16 to 19), ``ceph-20``,
``minio`` or ``other``.

All but ``other`` are known to take forms, by which Uppy sends small files. What ``invenio s3
check`` has found at a location takes the place of this, in processes that start afterwards;
``invenio s3 check --forget-profile`` lets this setting speak again.

Where the store keeps checksums of whole objects, a client's digest in the same algorithm is
verified on completion, without reading the file. A store that ignores checksums answers just as one
that has verified them, so do not claim more than it can.
"""

OAREPO_S3_METRICS_TOKEN = None
"""What Prometheus sends as its Bearer token to read ``/multipart-uploads/metrics``: a long random
text, such as ``openssl rand -hex 32`` prints. None for no metrics: the address answers 404, and
nothing is counted. Needs ``oarepo-s3[metrics]``; see :doc:`/howto/watch`."""

OAREPO_S3_ORIGINS: list[str] = []
"""Origins of the pages that upload, such as ``https://repo.example.org``, for the bucket's CORS
rule and its check. Empty for the origin of ``SITE_UI_URL``. They may be written as people write
them, such as ``https://Příklad.cz:443``: the store gets what browsers send."""

OAREPO_S3_UPLOAD_ROLE = None
"""ARN of the role that temporary keys are made of, such as ``arn:aws:iam:::role/uploader``; None to
hand out none. ``invenio s3 policy role`` and ``policy trust`` print what it needs."""

OAREPO_S3_STS_ENDPOINT_URL = None
"""Address of the STS API, where that is another one than the store's (Ceph and MinIO have it at the
same address; AWS at one of its own, which the SDK knows)."""

OAREPO_S3_GRANT_LIFETIME = 3600
"""Seconds for which temporary keys work when nobody wishes otherwise: 900 (15 minutes) to 43,200
(12 hours), and no longer than the role allows."""

OAREPO_S3_GRANT_RETENTION = 90 * 24 * 3600
"""Seconds for which the database still says who had temporary keys, and to what, after they have
ended; then the sweep removes the row. The keys themselves are never kept."""

OAREPO_S3_PUBLIC_ENDPOINT_URL = None
"""Address of the store as clients see it, where that differs from ``S3_ENDPOINT_URL``, which the
server itself uses. Presigned URLs are made for it, and only work there."""

OAREPO_S3_CONNECT_TIMEOUT = 5
"""Seconds to wait for a connection to the store."""

OAREPO_S3_READ_TIMEOUT = 10
"""Seconds to wait for an answer of the store to anything but a complete call."""

OAREPO_S3_COMPLETE_TIMEOUT = 50
"""Seconds to wait for the store to assemble an object.

Below what a proxy in front of the web server waits (60 for nginx), so that the client gets a clear
answer. A store that takes longer goes on all the same, and the next call finds its object.
"""

OAREPO_S3_MAX_ATTEMPTS = 2
"""How often a control call is tried in all, with the SDK's ``standard`` retries.

A request waits at most this many times ``OAREPO_S3_READ_TIMEOUT`` for a store that keeps silent: a
complete call is tried once.
"""

OAREPO_S3_SILENCE_PAUSE = 10
"""Seconds for which a process does not ask a store again that has just kept silent.

Until then its requests are answered with 503 at once, so that they do not hold all workers; then
one of them tries again. 0 lets each request wait for itself.
"""

OAREPO_S3_POOL_SIZE = 20
"""Connections kept to a location by one process; at least the number of its threads."""

INVENIO_S3_NAMES = {
    "INVENIO_S3_TENANT": "OAREPO_S3_TENANT",
    "INVENIO_S3_ENDPOINT_URL": "S3_ENDPOINT_URL",
    "INVENIO_S3_ACCESS_KEY_ID": "S3_ACCESS_KEY_ID",
    "INVENIO_S3_SECRET_ACCESS_KEY": "S3_SECRET_ACCESS_KEY",
}
"""Other names for settings, honoured in the configuration file and in the environment."""

MULTIPART_TRANSFER = "oarepo_s3.transfers:MultipartTransfer"
"""Our class for invenio-records-resources' transfers of type "M"."""

STOCK_MULTIPART_TRANSFERS = (
    "invenio_records_resources.services.files.transfer.MultipartTransfer",
    "invenio_records_resources.services.files.transfer:MultipartTransfer",
)
"""What it takes the place of in ``RECORDS_RESOURCES_TRANSFERS``; a site's own class stays."""
