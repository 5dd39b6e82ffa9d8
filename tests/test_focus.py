"""Where on the object: each cue moves the point the right way, and none moves it by chance."""

from dataclasses import replace

import numpy as np
import pytest

from foleyspace.envelope import envelope
from foleyspace.focus import BOX_STD, focus_point
from foleyspace.observed import CELLS, ObservedTrack

RATE = 48000
TIMES = np.arange(0, 8, 0.12)
N = len(TIMES)
BOX = np.array([0.4, 0.1, 0.6, 0.9])


def seen(label, inner=None):
    cells = np.full((N, CELLS, CELLS), 0.01, np.float16) if inner is None else inner.astype(np.float16)
    return ObservedTrack(
        id=label, label=label, times=TIMES, xyxy=np.tile(BOX, (N, 1)), score=np.ones(N),
        moving=cells, inner=cells, depth_m=np.full(N, np.nan),
    )  # fmt: skip


def sound(gain):
    rng = np.random.default_rng(0)
    t = np.arange(8 * RATE) / RATE
    return envelope([(gain(t) * rng.normal(0, 0.1, len(t))).astype(np.float32)], RATE)


def bursts(t):
    return 0.02 + np.isin(np.floor(t / 0.4).astype(int), [1, 2, 5, 6, 7, 10, 13, 15, 16, 18])


def holding(x, y, weight):
    return replace(seen("person"), held=np.tile([x, y, weight], (N, 1)))


def test_what_is_held_draws_the_point_and_makes_it_surer():
    alone, _ = focus_point(seen("person"))
    focus, std = focus_point(holding(0.5, -0.3, 0.05))
    assert alone[:, 0] == pytest.approx(0.5)
    assert 0.57 < focus[0, 0] <= 0.6 and 0.2 < focus[0, 1] < 0.35
    assert std[0, 0] < 0.5 * BOX_STD * 0.2
    faint, _ = focus_point(holding(0.5, -0.3, 1e-4))
    assert faint[0, 0] < 0.51


def test_a_voice_comes_from_the_speaker_whatever_he_holds():
    focus, _ = focus_point(holding(0.5, -0.3, 0.05), voice=np.ones(N))
    assert focus[:, 0] == pytest.approx(0.5)
    held = replace(seen("car"), held=np.tile([0.5, 0.0, 1.0], (N, 1)))
    assert focus_point(held)[0][:, 0] == pytest.approx(0.5)  # cars hold nothing


def test_with_a_pose_a_voice_is_at_the_mouth_and_all_else_at_the_hands():
    points = np.zeros((N, 17, 3), np.float32)
    points[:, 0] = [0.45, 0.2, 0.9]
    points[:, 9], points[:, 10] = [0.58, 0.5, 0.9], [0.56, 0.6, 0.9]
    person = replace(seen("person"), keypoints=points)
    voice, _ = focus_point(person, voice=np.ones(N))
    hands, _ = focus_point(person, voice=np.zeros(N))
    assert voice[0] == pytest.approx([0.453, 0.21], abs=0.02)
    assert hands[0] == pytest.approx([0.56, 0.52], abs=0.03)
    unsure = replace(person, keypoints=points * np.array([1, 1, 0.3], np.float32))
    assert focus_point(unsure, voice=np.ones(N))[0][0, 0] == pytest.approx(0.5)


def in_step(rng, gain):
    inner = rng.gamma(2, 0.01, (N, CELLS, CELLS))
    inner[:, 4:6, 6] += 0.2 * gain[:, None]  # a part on the right
    return seen("machine", inner)


def test_a_part_in_step_with_the_sound_draws_the_point():
    rng = np.random.default_rng(0)
    focus, _ = focus_point(in_step(rng, bursts(TIMES)), sound(bursts))
    assert focus[0, 0] > 0.53
    assert focus_point(in_step(rng, bursts(TIMES)))[0][:, 0] == pytest.approx(0.5)  # nothing heard


def test_motion_that_has_nothing_to_do_with_the_sound_does_not():
    heard = sound(bursts)
    moved = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        steps = np.repeat(rng.uniform(size=N // 3 + 1) < 0.5, 3)[:N].astype(float)
        moved += abs(focus_point(in_step(rng, steps), heard)[0][0, 0] - 0.5) > 0.01
    assert moved <= 2


def test_the_point_stays_in_the_picture():
    edge = replace(holding(0.5, 0.0, 1.0), xyxy=np.tile([0.9, 0.2, 1.0, 0.8], (N, 1)))
    focus, std = focus_point(edge)
    assert (focus <= 1).all() and (std > 0).all()
