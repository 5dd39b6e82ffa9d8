"""Steps made ahead: order, errors and endings cross the thread."""

import threading
import time

import pytest
from scripted import FPS, film

from foleyspace.steps import made_ahead, steps


def test_steps_are_thinned_and_start_again_at_a_cut():
    found = list(steps(film([], 3, pan=1.0, cuts=(1.0,)), FPS, 12.0))
    times = [step.time for step in found]
    assert times[:3] == [0.0, 0.08, 0.16]
    assert [step.time for step in found if step.starts] == [0.0, 1.0]
    assert all(step.field.valid != step.starts for step in found)
    assert 30 <= len(found) <= 38


def numbers(n, ended=None, fails_at=None):
    try:
        for k in range(n):
            if k == fails_at:
                raise ValueError("broken")
            yield k
    finally:
        if ended is not None:
            ended.append(threading.current_thread().name)


def test_items_come_in_order():
    ended = []
    assert list(made_ahead(numbers(100, ended), 3)) == list(range(100))
    assert len(ended) == 1


def test_an_error_comes_after_what_was_made():
    made = made_ahead(numbers(10, fails_at=4), 3)
    assert [next(made) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="broken"):
        next(made)


def test_no_more_than_asked_is_made_ahead():
    made = []

    def source():
        for k in range(50):
            made.append(k)
            yield k

    ahead = made_ahead(source(), 3)
    next(ahead)
    time.sleep(0.2)
    assert len(made) <= 6
    ahead.close()


def test_left_early_the_source_is_closed_and_the_thread_ends():
    ended = []
    before = threading.active_count()
    ahead = made_ahead(numbers(1000, ended), 2)
    assert next(ahead) == 0
    ahead.close()
    assert len(ended) == 1
    assert threading.active_count() == before
