# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A server that somebody starts by hand."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import ExitStack
from itertools import takewhile
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).parents[2]
ROLE = "arn:aws:iam:::role/uploader"


def command(*arguments):
    return [sys.executable, "-m", "tests.services", *arguments]


@pytest.fixture
def described(ceph):
    """What is printed of a Ceph with STS; ``ceph`` skips where there is none."""
    with subprocess.Popen(
        command("ceph", "--sts"), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = takewhile(lambda line: " = " in line, process.stdout)
            yield dict(line.rstrip().split(" = ") for line in lines)
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 0


def policy(**statement):
    """A policy without spaces: RGW 16.2 takes no others."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    return json.dumps(document, separators=(",", ":"))


@pytest.fixture
def client(described):
    """Makes clients of the server with STS, which are closed in the end."""
    with ExitStack() as stack:

        def make(service, access_key=None, secret_key=None, token=None):
            made = boto3.client(
                service,
                endpoint_url=described["endpoint_url"],
                aws_access_key_id=access_key or described["access_key"],
                aws_secret_access_key=secret_key or described["secret_key"],
                aws_session_token=token,
                region_name="us-east-1",
            )
            stack.callback(made.close)
            return made

        yield make


@pytest.mark.ceph
def test_a_ceph_with_sts_gives_keys_of_a_role_that_open_what_they_say(described, client):
    s3, iam = client("s3"), client("iam")
    s3.create_bucket(Bucket="bucket")
    trust = policy(Principal={"AWS": [described["principal"]]}, Action=["sts:AssumeRole"])
    iam.create_role(RoleName="uploader", AssumeRolePolicyDocument=trust)
    rights = policy(Action=["s3:PutObject"], Resource=["arn:aws:s3:::bucket/*"])
    iam.put_role_policy(RoleName="uploader", PolicyName="write", PolicyDocument=rights)
    keys = client("sts").assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    temporary = (keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    client("s3", *temporary).put_object(Bucket="bucket", Key="a", Body=b"content")
    assert s3.get_object(Bucket="bucket", Key="a")["Body"].read() == b"content"


def test_the_other_servers_have_no_sts():
    done = subprocess.run(
        command("valkey", "--sts"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "--sts is for ceph alone" in done.stderr
