"""When the detector is asked: seldom where nothing happens, often where it helps, never without bound."""

import numpy as np
import pytest
from scripted import Scripted, Thing, clip_of, film

from foleyspace.density import BURST, LEAST_HZ, MEAN_HZ, Concern, Density
from foleyspace.following import CONFIRMED
from foleyspace.vision import observe


def looks(things, seconds, **script):
    frames = film(things, seconds, cuts=script.pop("cuts", ()))
    sees = Scripted(frames, things, **script)
    observe(clip_of(frames), frames, sees)
    return np.array(sees.asked)


def test_nothing_happens():
    times = looks([Thing(lambda t: (120, 80))], 6)
    # a new track is looked at until it is confirmed
    later = times[CONFIRMED:]
    assert len(later) / (6 - later[0]) < 1.25 * LEAST_HZ


def test_faster_things_are_looked_at_more_often():
    rates = []
    for speed in (0, 100, 250):
        # back and forth: it must not leave
        thing = Thing(lambda t, v=speed: (160 + 100 * np.sin(v / 100 * t), 90), (32, 26))
        rates.append(len(looks([thing], 6)))
    assert rates[0] < rates[1] < rates[2]


def test_right_after_a_cut():
    times = looks([Thing(lambda t: (120, 80))], 4, cuts=(1.0, 2.2))
    assert 1.0 in times
    assert 2.2 in times


def test_something_new_comes_up():
    comes = Thing(lambda t: (160, 90) if t < 3 else (160 + 70 * (t - 3), 90), (50, 40))
    times = looks([comes], 4.5, score=lambda _, t: 0.0 if t < 3 else 0.8)
    assert times[times > 3.1][0] < 3.45
    assert np.diff(times[times > 3.1])[: CONFIRMED - 1].max() < 0.2


def test_however_much_happens_there_is_a_bound():
    density, asked, field = Density(), 0, _still()
    concerns = [Concern(np.array([0.1, 0.1, 0.2, 0.2]), 9.0, True)]
    for time in np.arange(0, 20, 0.08):
        if density.due(time, field, concerns):
            density.looked(time, field, [])
            asked += 1
    assert asked <= MEAN_HZ * 20 + BURST + 1
    assert asked == pytest.approx(MEAN_HZ * 20 + BURST, abs=3)


def test_after_a_quiet_time_there_is_a_burst():
    density, field, times = Density(), _still(), []
    for time in np.arange(0, 6, 0.08):
        concerns = [Concern(np.array([0.1, 0.1, 0.2, 0.2]), 9.0 * (time > 5), False)]
        if density.due(time, field, concerns):
            density.looked(time, field, [])
            times.append(time)
    assert np.diff([t for t in times if t > 5])[:2].max() < 0.1


def _still():
    from foleyspace.camera_motion import motion_field

    return motion_field(None, np.zeros((180, 320), np.uint8), 0.1)
