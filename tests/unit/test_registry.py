# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""One store per location and process, found by the scheme of its URI."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from oarepo_s3.backends import ObjectStore, StoreConfig, Stores
from oarepo_s3.backends.memory import MemoryStore
from oarepo_s3.backends.registry import find_factory
from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.errors import InvalidLocation
from oarepo_s3.core.uris import ObjectURI

CONFIG = StoreConfig("http://127.0.0.1:1", region="us-east-1", credentials=Credentials("a", "b"))


def uri(text: str) -> ObjectURI:
    return ObjectURI.parse(text)


@pytest.mark.parametrize(("scheme", "kind"), [("s3", S3Store), ("memory", MemoryStore)])
def test_the_scheme_names_the_back_end(scheme, kind):
    made = Stores(lambda _: CONFIG).get(uri(f"{scheme}://bucket/key"))
    assert type(made) is kind
    assert isinstance(made, ObjectStore)
    assert made.bucket == "bucket"


@pytest.mark.parametrize("scheme", ["ftp", "S3", "s3 ", "root"])
def test_an_unknown_scheme_is_no_location(scheme):
    with pytest.raises(InvalidLocation) as refused:
        find_factory(scheme)
    assert scheme in refused.value.context["uri"]
    with pytest.raises(InvalidLocation):
        Stores(lambda _: CONFIG).get(ObjectURI(scheme, "bucket", "key"))


def test_a_scheme_and_a_bucket_have_one_store_and_others_their_own():
    asked: list[str] = []

    def configure(place: ObjectURI) -> StoreConfig:
        asked.append(f"{place.scheme}://{place.bucket}")
        return CONFIG

    stores = Stores(configure)
    first = stores.get(uri("memory://a/key"))
    assert stores.get(uri("memory://a/other/key")) is first
    assert stores.get(uri("memory://b/key")) is not first
    assert stores.get(uri("s3://a/key")) is not first
    assert Stores(configure).get(uri("memory://a/key")) is not first
    assert asked == ["memory://a", "memory://b", "s3://a", "memory://a"]


def test_16_threads_at_once_get_one_store():
    made: list[str] = []

    def configure(place: ObjectURI) -> StoreConfig:
        time.sleep(0.05)
        made.append(place.bucket)
        return CONFIG

    stores = Stores(configure)
    barrier = Barrier(16)

    def ask(_: int) -> ObjectStore:
        barrier.wait(10)
        return stores.get(uri("s3://bucket/key"))

    with ThreadPoolExecutor(16) as threads:
        found = set(map(id, threads.map(ask, range(16))))
    assert len(found) == 1
    assert made == ["bucket"]


def test_a_failure_to_make_a_store_is_not_kept():
    answers: list[Callable[[], StoreConfig]] = [lambda: 1 / 0, lambda: CONFIG]
    stores = Stores(lambda _: answers.pop(0)())
    with pytest.raises(ZeroDivisionError):
        stores.get(uri("memory://a/key"))
    assert isinstance(stores.get(uri("memory://a/key")), MemoryStore)


FORKED = """
import os, sys, threading
from oarepo_s3.backends import StoreConfig, Stores
from oarepo_s3.core.uris import ObjectURI

parent, busy, go_on = os.getpid(), threading.Event(), threading.Event()
place = ObjectURI("memory", "bucket", "key")

def configure(uri):
    if os.getpid() == parent and busy_wanted:
        busy.set()
        go_on.wait(20)
    return StoreConfig()

stores = Stores(configure)
busy_wanted = False
ours = stores.get(place)
busy_wanted = True
thread = threading.Thread(target=stores.get, args=[ObjectURI("memory", "slow", "key")])
thread.start()
busy.wait(20)
child = os.fork()
if child == 0:
    import signal
    signal.alarm(5)
    own = stores.get(place)
    os._exit(10 if own is ours or stores.get(place) is not own else 0)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
go_on.set()
thread.join()
sys.exit(20 if stores.get(place) is not ours else abs(status))
"""


def test_a_forked_child_makes_its_own_even_while_a_thread_of_the_parent_was_making_one():
    """In a process of its own: the test process has threads that must not be forked."""
    done = subprocess.run(
        # Python 3.12 warns of a fork beside threads: this is one.
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
