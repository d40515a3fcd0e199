# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The package without its extras: only what needs one of them cannot be imported."""

from __future__ import annotations

import json
import subprocess
import sys

OPTIONAL = [
    "anycrc",
    "flask_admin",
    "invenio_admin",
    "invenio_app",
    "invenio_assets",
    "invenio_celery",
    "invenio_pidstore",
    "invenio_records",
    "invenio_records_files",
    "invenio_records_resources",
    "invenio_records_rest",
    "prometheus_client",
]

IMPORT_ALL = """
import importlib, json, pkgutil, sys

optional = json.loads(sys.argv[1])

class Absent:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in optional:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent)
import oarepo_s3

lacking = {}
for module in pkgutil.walk_packages(oarepo_s3.__path__, "oarepo_s3."):
    if ".alembic." in module.name:
        continue
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        lacking[module.name] = error.name
print(json.dumps(lacking))
"""


def test_only_the_transfers_and_the_bundle_for_webpack_need_an_extra():
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORT_ALL, json.dumps(OPTIONAL)],
        capture_output=True,
        text=True,
        check=True,
    )
    lacking = json.loads(run.stdout.splitlines()[-1])
    assert lacking.pop("oarepo_s3.webpack") == "invenio_assets"
    assert lacking.pop("oarepo_s3.admin") == "flask_admin"
    assert lacking.pop("oarepo_s3.metrics") == "prometheus_client"
    assert {name.partition(".transfers")[0] for name in lacking} == {"oarepo_s3"}
    assert all(name.startswith("oarepo_s3.transfers") for name in lacking)
    assert set(lacking.values()) == {"invenio_records_resources"}


def test_an_application_without_them_gets_our_settings():
    code = (
        "import json, sys; sys.modules['invenio_records_resources'] = None;"
        "from flask import Flask; from oarepo_s3 import OARepoS3; app = Flask('a'); OARepoS3(app);"
        "print('RECORDS_RESOURCES_TRANSFERS' in app.config, app.config['OAREPO_S3_URL_PREFIX'])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "/multipart-uploads"]


def test_without_the_package_of_metrics_none_are_served_and_the_log_says_why():
    code = (
        "import logging, sys; sys.modules['prometheus_client'] = None;"
        "logging.basicConfig(stream=sys.stdout, format='%(action)s');"
        "from flask import Flask; from oarepo_s3 import OARepoS3; app = Flask('a');"
        "app.config['OAREPO_S3_METRICS_TOKEN'] = 'a'; OARepoS3(app);"
        "from oarepo_s3.views import create_blueprint;"
        "app.register_blueprint(create_blueprint(app));"
        "answer = app.test_client().get('/multipart-uploads/metrics',"
        " headers={'Authorization': 'Bearer a'});"
        "print(answer.status_code, answer.get_json()['code'])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["metrics_missing", "404 metrics_not_served"]
