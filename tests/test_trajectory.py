"""From tracks to trajectories: the whole sound is always somewhere, and nothing jumps but at cuts."""

import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from foleyspace.camera import xyz_to_angles
from foleyspace.trajectory import CENTRE, MIN_SHARE, sounding_shares, tracks_to_sources
from foleyspace.types import Clip, Track


def clip(duration=8.0, cuts=()):
    return Clip(
        path=Path("x.mp4"), fps=Fraction(25), times=np.arange(0, duration, 0.04), size_wh=(1280, 720),
        duration=duration, audio=None, cuts=cuts,
    )  # fmt: skip


def track(times, x, *, name="a", width=0.1, sounding=1.0, distance=None):
    times, x = np.asarray(times, float), np.broadcast_to(np.asarray(x, float), np.shape(times))
    box = np.stack([x - width / 2, np.full_like(x, 0.4), x + width / 2, np.full_like(x, 0.6)], 1)
    n = len(times)
    return Track(
        id=name, label="car", times=times, xyxy=np.clip(box, 0, 1), focus_xy=np.stack([x, np.full_like(x, 0.5)], 1),
        score=np.full(n, 0.9), sounding=np.broadcast_to(np.asarray(sounding, float), (n,)), distance_m=distance,
    )  # fmt: skip


def azimuth_at(source, times):
    xyz = np.stack([np.interp(times, source.times, column) for column in source.xyz.T], 1)
    return xyz_to_angles(xyz)[0]


def amplitude_at(source, times):
    # as the renderer does: linear in amplitude between the points
    return np.interp(times, source.times, np.where(source.gain_db <= -96, 0, 10 ** (source.gain_db / 20)))


EVERY = np.arange(0, 8, 0.1)


def test_a_crossing_object_crosses_from_left_to_right():
    (source,) = tracks_to_sources([track(EVERY, np.linspace(0.1, 0.9, 80))], clip(), 70)
    azimuth = azimuth_at(source, EVERY)
    assert azimuth[0] == pytest.approx(29.3, abs=1) and azimuth[-1] == pytest.approx(-29.3, abs=1)
    assert (np.diff(azimuth) < 0).all()


def test_a_gap_is_bridged_smoothly():
    times = EVERY[(EVERY < 3) | (EVERY > 4.5)]
    (source,) = tracks_to_sources([track(times, 0.1 + times / 10)], clip(), 70)
    expected = np.degrees(np.arctan((0.5 - (0.1 + EVERY / 10)) * 2 * np.tan(np.radians(35))))
    assert np.abs(azimuth_at(source, EVERY) - expected)[5:-5].max() < 1.0


def test_an_object_that_leaves_goes_on_off_screen_and_slows():
    times = np.arange(0, 4, 0.1)
    x = 0.5 - times * 0.12  # at the left edge after 4 s
    (source,) = tracks_to_sources([track(times, x)], clip(), 70)
    after = azimuth_at(source, np.array([3.9, 4.4, 5.4, 7.9]))
    steps = np.diff(after) / [0.5, 1.0, 2.5]
    assert (steps > 0).all() and (np.diff(steps) < 0).all()
    assert 36 < after[-1] < 90
    assert not source.visible[-1] and source.visible[0]


def test_an_object_that_is_lost_inside_the_picture_stays_there():
    times = np.arange(0, 4, 0.1)
    (source,) = tracks_to_sources([track(times, 0.3 + times * 0.05)], clip(), 70)
    assert np.ptp(azimuth_at(source, np.arange(4.2, 8, 0.1))) < 0.01


def test_an_object_comes_in_from_off_screen():
    times = np.arange(4, 8, 0.1)
    (source,) = tracks_to_sources([track(times, 0.98 - (times - 4) * 0.1, width=0.1)], clip(), 70)
    before = azimuth_at(source, np.array([0.5, 3.9, 4.1]))
    assert before[0] < before[1] < before[2] < 0 and before[0] > -90


@pytest.mark.parametrize("cuts", [(), (3.0,), (3.0, 5.02)])
def test_the_whole_sound_is_always_somewhere(cuts):
    tracks = [
        track(np.arange(0, 2.9, 0.1), 0.2, name="a", sounding=0.9),
        track(np.arange(0.5, 2.9, 0.1), 0.8, name="b", sounding=0.5),
        track(np.arange(5.1, 8, 0.1), 0.6, name="c"),
    ]
    sources = tracks_to_sources(tracks, clip(cuts=cuts), 70)
    fine = np.arange(0, 8, 0.003)
    total = sum(amplitude_at(source, fine) for source in sources)
    assert np.abs(total - 1).max() < 0.02
    assert max(np.abs(np.diff(amplitude_at(s, fine))).max() for s in sources) < 0.003 / 0.018


def test_nothing_is_carried_across_a_cut():
    tracks = [track(np.arange(0, 4, 0.1), 0.1, name="a"), track(np.arange(4, 8, 0.1), 0.9, name="b")]
    a, b = tracks_to_sources(tracks, clip(cuts=(4.0,)), 70)
    assert (
        amplitude_at(a, np.array([3.9]))[0] == pytest.approx(1) and amplitude_at(a, np.array([4.05]))[0] == 0
    )
    assert amplitude_at(b, np.array([3.95]))[0] == 0 and amplitude_at(b, np.array([4.05]))[
        0
    ] == pytest.approx(1)
    assert np.ptp(azimuth_at(b, np.arange(4, 8, 0.1))) < 0.1


def test_no_sounding_object_keeps_the_sound_in_the_centre():
    for tracks in ([], [track(EVERY, 0.2, sounding=0.0)]):
        (source,) = tracks_to_sources(tracks, clip(), 70)
        assert source.id == CENTRE
        np.testing.assert_allclose(azimuth_at(source, EVERY), 0)
        np.testing.assert_allclose(amplitude_at(source, EVERY), 1)


def test_mirrored_tracks_give_mirrored_sources():
    x = 0.3 + 0.2 * np.sin(EVERY)
    (a,) = tracks_to_sources([track(EVERY, x)], clip(), 70)
    (b,) = tracks_to_sources([track(EVERY, 1 - x)], clip(), 70)
    np.testing.assert_allclose(azimuth_at(a, EVERY), -azimuth_at(b, EVERY), atol=1e-6)


def test_equirectangular_goes_round_the_back():
    x = np.linspace(0.9, 1.1, 80) % 1.0
    (source,) = tracks_to_sources([track(EVERY, x, width=0.01)], clip(), 70, "equirectangular")
    azimuth = np.unwrap(azimuth_at(source, EVERY), period=360)
    assert np.abs(np.diff(azimuth)).max() < 5
    assert abs(azimuth[-1] - azimuth[0]) == pytest.approx(72, abs=3)


def test_distance_follows_the_track():
    distance = np.linspace(20, 5, 80)
    (source,) = tracks_to_sources([track(EVERY, 0.5, distance=distance)], clip(), 70)
    d = np.linalg.norm(source.xyz, axis=1)
    assert d[0] == pytest.approx(20, rel=0.1) and d[-1] == pytest.approx(5, rel=0.1)


def test_one_frame():
    short = Clip(Path("x"), Fraction(25), np.array([0.0]), (64, 64), 0.04, None)
    (source,) = tracks_to_sources([track([0.0], [0.2])], short, 70)
    assert azimuth_at(source, np.array([0.0]))[0] > 10


def test_while_nobody_sounds_the_shares_stay_as_they_were():
    # the left one until 3 s, the right one from 5 s, silence between and at both ends
    left = track(EVERY, 0.2, name="left", sounding=((EVERY > 1) & (EVERY < 3)).astype(float))
    right = track(EVERY, 0.8, name="right", sounding=((EVERY > 5) & (EVERY < 7)).astype(float))
    by_id = {s.id: s for s in tracks_to_sources([left, right], clip(), 70)}
    times = np.array([0.2, 2.0, 4.0, 4.7, 5.5, 7.8])
    assert amplitude_at(by_id["left"], times) == pytest.approx([1, 1, 1, 1, 0, 0], abs=1e-3)
    assert amplitude_at(by_id["right"], times) == pytest.approx([0, 0, 0, 0, 1, 1], abs=1e-3)


def test_a_source_has_points_only_where_it_sounds():
    left = track(EVERY, 0.2, name="left", sounding=(EVERY < 4).astype(float))
    right = track(EVERY, 0.8, name="right", sounding=(EVERY >= 4).astype(float))
    by_id = {s.id: s for s in tracks_to_sources([left, right], clip(), 70)}
    assert by_id["left"].times[0] == 0 and 4 < by_id["left"].times[-1] < 4.5
    assert 3.5 < by_id["right"].times[0] < 4 and by_id["right"].times[-1] == 8
    assert by_id["left"].gain_db[-1] <= -96 and by_id["right"].gain_db[0] <= -96
    total = sum(amplitude_at(s, np.arange(0, 8, 0.01)) for s in by_id.values())
    assert total == pytest.approx(1.0, abs=1e-6)


def dense_shares(tracks, grid):
    """`sounding_shares` worked out for every track at every moment, as it was before it was sparse."""
    logs = np.empty((len(grid), len(tracks)))
    for k, each in enumerate(tracks):
        inside = np.interp(grid, each.times, each.sounding)
        away = np.maximum(0, np.maximum(each.times[0] - grid, grid - each.times[-1]))
        with np.errstate(divide="ignore"):
            logs[:, k] = np.log(inside) - away / 0.5
    sounding = np.flatnonzero(np.isfinite(logs).any(axis=1))
    logs = logs[sounding[np.clip(np.searchsorted(sounding, np.arange(len(grid)), "right") - 1, 0, None)]]
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares = weights / weights.sum(axis=1, keepdims=True)
    shares[shares < MIN_SHARE] = 0
    padded = np.pad(shares, ((2, 2), (0, 0)), mode="edge")
    shares = np.stack([np.convolve(column, np.ones(5) / 5, "valid") for column in padded.T], axis=1)
    return shares / shares.sum(axis=1, keepdims=True)


def visible_at(source, times):
    return np.array([source.visible[np.argmin(np.abs(source.times - time))] for time in times])


def test_while_an_object_is_away_it_is_not_visible():
    """Gone at 3 s, back at 6 s, one track; the bridge over the gap stays."""
    times = EVERY[(EVERY < 3) | (EVERY > 5.95)]
    (source,) = tracks_to_sources([track(times, 0.1 + times / 10)], clip(), 70)
    assert not visible_at(source, [3.1, 3.5, 4.5, 5.5, 5.9]).any()
    assert visible_at(source, [0.0, 1.0, 2.9, 6.0, 7.0, 7.9]).all()
    assert amplitude_at(source, EVERY) == pytest.approx(1)


@pytest.mark.parametrize("step", [0.04, 0.5, 1.0, 3.0])
def test_few_frames_a_second_and_a_short_miss_are_no_absence(step):
    times = np.arange(0, 60, step)
    times = times[times != times[10]]
    (source,) = tracks_to_sources([track(times, 0.5)], clip(60.0), 70)
    assert visible_at(source, np.arange(0, times[-1], 0.1)).all()


def linear_shares(tracks, grid):
    """What `dense_shares` says where no weight is too small for a number, before small ones go: (G, K)."""
    weights = np.empty((len(grid), len(tracks)))
    for k, each in enumerate(tracks):
        away = np.maximum(0, np.maximum(each.times[0] - grid, grid - each.times[-1]))
        weights[:, k] = np.interp(grid, each.times, each.sounding) * np.exp(-away / 0.5)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_long_gap_belongs_to_the_one_next_to_it_alone(backwards):
    """One is there from 1 to 4 s, one from 7 to 10 s, nobody for the 50 s after; and all of it mirrored."""
    spans = [(1, 4), (7, 10)] if not backwards else [(56, 59), (50, 53)]
    tracks = [track(np.arange(a, b, 0.1), 0.5, name=str(a), sounding=0.8) for a, b in spans]
    grid = np.arange(0, 60, 1 / 25)
    shares = sounding_shares(tracks, grid).toarray()
    gap = grid < 49 if backwards else grid > 11
    np.testing.assert_allclose(shares[gap], [[0.0, 1.0]] * int(gap.sum()), atol=1e-12)
    # half way between the two they pass it on as before
    near = np.flatnonzero((linear_shares(tracks, grid) > 0.2).all(axis=1))
    np.testing.assert_allclose(shares[near], linear_shares(tracks, grid[near]), atol=0.01)
    assert len(near) > 10


def test_two_that_left_at_once_keep_their_shares_for_good():
    tracks = [
        track(np.arange(0, 2, 0.1), x, name=str(x), sounding=weight) for x, weight in ((0.2, 0.9), (0.8, 0.3))
    ]
    grid = np.arange(0, 300, 1 / 25)
    shares = sounding_shares(tracks, grid).toarray()
    np.testing.assert_allclose(shares, [[0.75, 0.25]] * len(grid), atol=1e-9)


def film(rng, minutes, tracks, most=60):
    """Objects that come and go at any time of a film without cuts."""
    found = []
    for k in range(tracks):
        times = rng.uniform(0, 60 * minutes) + np.cumsum(rng.uniform(0.02, 0.2, rng.integers(1, most)))
        sounding = np.clip(rng.normal(0.4, 0.5, len(times)), 0, 1)
        found.append(track(times, 0.5, name=str(k), sounding=sounding))
    return found, np.arange(0, 60 * minutes, 1 / 25)


@pytest.mark.parametrize("minutes", [0.02, 0.3, 4])
def test_sparse_shares_are_the_dense_ones(minutes):
    """At most 12 tracks: of more, none may have the least share that counts, and the dense ones are NaN."""
    rng = np.random.default_rng(0)
    for _ in range(12):
        tracks, grid = film(rng, minutes, rng.integers(1, 13))
        np.testing.assert_allclose(
            sounding_shares(tracks, grid).toarray(), dense_shares(tracks, grid), rtol=0, atol=1e-12
        )


def test_memory_grows_with_the_length_of_a_film_without_cuts_not_its_square():
    """Twice the length is four times as many values, but twice as many that are not 0."""
    held, most = [], []
    for minutes in (10, 20):
        tracks, grid = film(np.random.default_rng(1), minutes, 15 * minutes)
        tracemalloc.start()
        held.append(sounding_shares(tracks, grid).nnz)
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert held[1] < 2.3 * held[0]
    assert most[1] < 2.3 * most[0] < 20e6


@pytest.mark.parametrize("count", [13, 40])
def test_so_many_at_once_that_none_has_the_least_share(count):
    few = EVERY[:20]
    tracks = [track(EVERY if k == 4 else few, 0.5, name=str(k)) for k in range(count)]
    shares = sounding_shares(tracks, EVERY).toarray()
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(shares[:10], 1 / count)
    assert [source.id for source in tracks_to_sources(tracks, clip(), 70)] == ["4"]


def test_after_ten_minutes_of_nothing_it_is_still_the_last_one():
    """Nothing that is far away gets a part of the sound because all are far away."""
    tracks = [track([0.0, 1.0], 0.2, name="a"), track([2000.0, 2001.0], 0.5, name="b")]
    grid = np.arange(0, 2001, 1 / 25)
    shares = sounding_shares(tracks, grid).toarray()
    np.testing.assert_allclose(shares[grid < 900], [[1.0, 0.0]] * (900 * 25), atol=1e-12)
