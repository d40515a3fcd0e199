# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""After one call has waited in vain, the others do not wait."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from oarepo_s3.backends.breaker import Breaker
from oarepo_s3.core.errors import StoreUnavailable


class Silence(Exception):
    """A call that timed out."""


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock) -> Breaker:
    return Breaker(10, (Silence,), clock)


def fall_silent(breaker):
    with pytest.raises(Silence), breaker.guard():
        raise Silence


def is_refused(breaker) -> bool:
    called = []
    try:
        with breaker.guard():
            called.append(True)
    except StoreUnavailable:
        return not called
    return False


def test_calls_pass_while_the_store_answers(breaker):
    assert not any(is_refused(breaker) for _ in range(5))


def test_after_silence_calls_are_refused_at_once_until_the_pause_ends(breaker, clock):
    fall_silent(breaker)
    assert is_refused(breaker)
    clock.now += 9.9
    assert is_refused(breaker)
    clock.now += 0.2
    assert not is_refused(breaker)
    assert not is_refused(breaker), "it has answered: all may call"


def test_an_error_that_comes_at_once_refuses_nobody(breaker):
    with pytest.raises(ValueError), breaker.guard():
        raise ValueError
    assert not is_refused(breaker)


def test_after_the_pause_one_tries_and_the_others_are_refused_meanwhile(breaker, clock):
    fall_silent(breaker)
    clock.now += 11
    waiting, go_on = threading.Event(), threading.Event()

    def try_it():
        with breaker.guard():
            waiting.set()
            assert go_on.wait(10)

    with ThreadPoolExecutor(1) as pool:
        trial = pool.submit(try_it)
        assert waiting.wait(10)
        refused = [is_refused(breaker) for _ in range(3)]
        go_on.set()
        trial.result()
    assert refused == [True] * 3
    assert not is_refused(breaker)


def test_a_trial_in_vain_begins_the_pause_anew(breaker, clock):
    fall_silent(breaker)
    clock.now += 11
    fall_silent(breaker)
    clock.now += 9
    assert is_refused(breaker)


def test_a_call_may_say_what_is_silence_for_it(breaker):
    with pytest.raises(Silence), breaker.guard(KeyError):
        raise Silence
    assert not is_refused(breaker)
    with pytest.raises(KeyError), breaker.guard(KeyError):
        raise KeyError
    assert is_refused(breaker)


def test_without_a_pause_nothing_is_refused(clock):
    breaker = Breaker(0, (Silence,), clock)
    fall_silent(breaker)
    assert not is_refused(breaker)
