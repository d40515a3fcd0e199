# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A thread that uploads as people do: most to the end, some not, some wrong, some give up."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from .client import Answer, Client
from .ledger import Ledger, Told
from .settings import LARGEST_FILE, PART_SIZE
from .threads import Stoppable
from .world import STORE_BUCKET, World

ENOUGH = 1200 * 2**20
"""Bytes after which only small files are sent: all of it lies in the store's memory."""
_SMALL = 2**16
_SHARED_KEYS = 4
_STORIES = {
    "whole": 40,
    "mended": 8,
    "aborted": 12,
    "complete against abort": 8,
    "given up": 8,
    "over time": 8,
    "lost by the store": 4,
    "removed while open": 4,
    "rolled back": 6,
}


class Uploader(Stoppable):
    """Does one story after the other."""

    def __init__(self, number: int, seed: int, world: World, ledger: Ledger) -> None:
        super().__init__(f"uploader{number}")
        self._seed = f"{seed} {number}"
        self._rng = random.Random(self._seed)
        # What the pauses take must not change what is chosen next.
        self._noise = random.Random(f"{self._seed} noise")
        self._world = world
        self._ledger = ledger
        user = world.users[number % len(world.users)]
        self._client = Client(list(world.ports.values()), user, self._noise, ledger)
        self._done: list[Told] = []
        self._number = number
        self._count = 0

    def work(self) -> None:
        """Tell stories, each with its own choices, whatever became of those before."""
        while not self.stop.wait(self._noise.uniform(0, 0.2)):
            self._count += 1
            self._rng = random.Random(f"{self._seed} {self._count}")
            self._tell(self._rng.choices(list(_STORIES), list(_STORIES.values()))[0])

    def _tell(self, story: str) -> None:
        content = self._content()
        bucket = self._rng.choice(self._world.buckets)
        door = self._rng.choices(["rest", "assignment"], [4, 1])[0]
        if story == "removed while open":
            door = "assignment"
        # What is removed while it is open is found by its key.
        own = story == "removed while open" or self._rng.random() < 0.6
        key = (
            f"own-{self._number}-{self._count}"
            if own
            else f"shared-{self._rng.randrange(_SHARED_KEYS)}"
        )
        if story == "rolled back":
            self._roll_back(bucket, key, content)
            return
        begun = self._begin(door, bucket, key, len(content))
        if begun is None:
            return
        digest = hashlib.sha256(content).hexdigest()
        told = Told(begun["id"], story, bucket, key, len(content), digest)
        self._ledger.add(told)
        self._ledger.count(f"begun by {door}")
        self._ledger.count("bytes wanted", len(content))
        self._go_on(told, begun["parts"], content)
        self._look_back(told)

    def _content(self) -> bytes:
        kinds = {0: 8, _SMALL: 62, PART_SIZE: 12, LARGEST_FILE: 18}
        most = self._rng.choices(list(kinds), list(kinds.values()))[0]
        if self._ledger.get("bytes sent") > ENOUGH:
            most = min(most, _SMALL)
        return self._rng.randbytes(self._rng.randint(min(1, most), most))

    def _begin(self, door: str, bucket: str, key: str, size: int) -> dict[str, Any] | None:
        """Open an upload; a refusal for want of room is followed by making some."""
        body = {"bucket": bucket, "key": key, "size": size}
        for _ in range(5):
            answer = self._open(door, body)
            if answer is None or answer.status >= 500:
                self.stop.wait(self._noise.uniform(0.2, 1))
                continue
            if answer.status in (200, 201):
                found = answer.json
                urls = [url if isinstance(url, str) else url["url"] for url in _urls(found)]
                return {"id": found["id"], "parts": urls}
            self._ledger.count(f"refused: {answer.json.get('code', answer.status)}")
            self._make_room(bucket)
            return None
        self._ledger.count("given up: create")
        return None

    def _open(self, door: str, body: dict[str, Any]) -> Answer | None:
        if door == "rest":
            return self._client.call("create", "POST", "/multipart-uploads", json=body)
        body = {**body, "rollback": False}
        return self._client.call("assign (test door)", "POST", "/soak/assign", json=body)

    def _roll_back(self, bucket: str, key: str, content: bytes) -> None:
        body = {"bucket": bucket, "key": key, "size": len(content), "rollback": True}
        answer = self._client.call("assign (test door)", "POST", "/soak/assign", json=body)
        if answer is None or answer.status != 200:
            return
        self._ledger.count("assignments rolled back")
        # The part arrives all the same: the store knows nothing of transactions.
        self._client.put(answer.json["id"], 1, answer.json["part_urls"][0], content[:PART_SIZE])

    def _go_on(self, told: Told, urls: list[str], content: bytes) -> None:
        work: dict[str, Callable[[Told, list[str], bytes], None]] = {
            "whole": self._whole,
            "mended": self._mended,
            "aborted": self._aborted,
            "complete against abort": self._both,
            "given up": self._given_up,
            "over time": self._over_time,
            "lost by the store": self._lost,
            "removed while open": self._removed,
        }
        work[told.story](told, urls, content)

    def _whole(self, told: Told, urls: list[str], content: bytes) -> None:
        if self._send(told, urls, content):
            self._complete(told)

    def _mended(self, told: Told, urls: list[str], content: bytes) -> None:
        """Send the last part one byte too long, be refused, mend it."""
        if self._send(told, urls, content + b"x"):
            answer = self._complete(told)
            if answer is not None and answer.status == 200:
                told.notes.append("a part of the wrong size was taken")
            last = len(urls)
            rest = content[(last - 1) * PART_SIZE :]
            if self._client.put(told.id, last, urls[-1], rest):
                self._complete(told)

    def _aborted(self, told: Told, urls: list[str], content: bytes) -> None:
        self._send(told, urls[: self._rng.randint(0, len(urls))], content)
        self._abort(told)

    def _both(self, told: Told, urls: list[str], content: bytes) -> None:
        """Two tabs of one browser."""
        if not self._send(told, urls, content):
            return
        with ThreadPoolExecutor(2) as pool:
            for job in [pool.submit(self._complete, told), pool.submit(self._abort, told)]:
                job.result()

    def _given_up(self, told: Told, urls: list[str], content: bytes) -> None:
        self._send(told, urls[: self._rng.randint(0, len(urls))], content)

    def _over_time(self, told: Told, urls: list[str], content: bytes) -> None:
        """Its time is over; now and then the client comes just then to complete it."""
        sent = self._send(told, urls[: self._rng.randint(0, len(urls))], content)
        told.may_end = "its time was over"
        self._world.sql(
            "UPDATE oarepo_s3_upload SET expires_at = now() AT TIME ZONE 'UTC'"
            " WHERE id = cast(:id AS uuid)",
            id=told.id,
        )
        if sent and self._rng.random() < 0.3:
            self._complete(told)

    def _lost(self, told: Told, urls: list[str], content: bytes) -> None:
        """A lifecycle rule removes it; half of the clients try to complete it all the same.

        Now and then another tool has put something of the same size in its place.
        """
        self._send(told, urls, content)
        told.may_end, told.may_be_lost = "the store lost it", True
        row = self._world.sql(
            "SELECT uri, store_upload_id FROM oarepo_s3_upload WHERE id = cast(:id AS uuid)",
            id=told.id,
        )[0]
        key = row["uri"].removeprefix(f"s3://{STORE_BUCKET}/")
        self._world.s3.abort_multipart_upload(
            Bucket=STORE_BUCKET, Key=key, UploadId=row["store_upload_id"]
        )
        foreign = self._rng.random() < 0.3
        if foreign:
            self._world.s3.put_object(Bucket=STORE_BUCKET, Key=key, Body=bytes(told.size))
        if foreign or self._rng.random() < 0.5:
            self._complete(told)
        if foreign and not told.completed:
            self._world.s3.delete_object(Bucket=STORE_BUCKET, Key=key)

    def _removed(self, told: Told, urls: list[str], content: bytes) -> None:
        """Its version is removed from the bucket before it is complete."""
        self._send(told, urls, content)
        version = self._world.sql(
            "SELECT version_id::text FROM oarepo_s3_upload WHERE id = cast(:id AS uuid)", id=told.id
        )[0]["version_id"]
        told.may_end, told.may_be_lost = "its file was removed", True
        self._remove(told, version)
        self._rng.choice([self._complete, self._abort])(told)

    def _send(self, told: Told, urls: list[str], content: bytes) -> bool:
        for part, url in enumerate(urls, start=1):
            body = content[(part - 1) * PART_SIZE :]
            # What is too long stays at the end of the last part.
            body = body if part * PART_SIZE >= told.size else body[:PART_SIZE]
            if not self._client.put(told.id, part, url, body):
                self._ledger.count("given up: sending parts")
                return False
            self._ledger.count("bytes sent", len(body))
        return True

    def _complete(self, told: Told) -> Answer | None:
        path = f"/multipart-uploads/{told.id}/complete"
        answer = self._client.insist("complete", "POST", path, self._patience())
        if answer is not None and answer.status == 200:
            told.completed = True
            told.version = answer.json["file"]["version_id"]
            self._done.append(told)
        elif answer is not None:
            self._ledger.count(f"complete refused: {answer.json.get('code', answer.status)}")
        return answer

    def _abort(self, told: Told) -> None:
        told.may_end = told.may_end or "its client aborted it"
        path = f"/multipart-uploads/{told.id}"
        answer = self._client.insist("abort", "DELETE", path, self._patience())
        told.aborted = answer is not None and answer.status == 204

    def _patience(self) -> float:
        """Return seconds; those who have none leave to the tasks what they have begun."""
        return self._rng.choice([30, 30, 0])

    def _remove(self, told: Told, version: str) -> bool:
        told.deleted = True
        path = f"/files/{told.bucket}/{quote(told.key)}?versionId={version}"
        answer = self._client.insist("delete (files-rest)", "DELETE", path)
        return answer is not None

    def _make_room(self, bucket: str) -> None:
        for told in [told for told in self._done if told.bucket == bucket]:
            self._remove_file(told)

    def _remove_file(self, told: Told) -> None:
        self._done.remove(told)
        if told.version is not None:
            self._ledger.count("files removed", self._remove(told, told.version))

    def _look_back(self, told: Told) -> None:
        """Now and then look at an older file of one's own, cover it, or remove it."""
        if not self._done or self._rng.random() > 0.4:
            return
        older = self._rng.choice(self._done)
        what = self._rng.random()
        if what < 0.5 and older.version is not None:
            found = self._client.download(older.bucket, older.key, older.version)
            if found not in (None, older.sha256):
                older.notes.append(f"the download gave {found}")
        elif what < 0.8:
            self._remove_file(older)
        elif older.key.startswith("own-"):
            # A delete marker over it; the version stays, and counts no more.
            self._done.remove(older)
            self._client.insist(
                "delete (files-rest)", "DELETE", f"/files/{older.bucket}/{quote(older.key)}"
            )
            self._ledger.count("delete markers")


def _urls(found: dict[str, Any]) -> list[Any]:
    return list(found["urls"] if "urls" in found else found["part_urls"])
