"""One identity an object, a row for every step: drawn films with exact truth, and a detector that fails."""

import numpy as np
import pytest
from scripted import FPS, Scripted, Thing, clip_of, film, place_error

from foleyspace.stitch import stitch
from foleyspace.vision import STEP_HZ, observe

CROSSES = Thing(lambda t: (50 + 55 * t, 90))


def watch(frames, sees, detect_hz=None):
    seen = observe(clip_of(frames), frames, sees, detect_hz=detect_hz)
    return seen, [t for t in seen.tracks if t.found_by == "detector"]


@pytest.mark.parametrize("pan", [0.0, 2.0, -3.0])
def test_a_row_for_every_step_though_the_detector_looks_seldom(pan):
    frames = film([CROSSES], 4, pan)
    sees = Scripted(frames, [CROSSES])
    seen, (track,) = watch(frames, sees)
    assert len(track.times) == seen.steps == 50  # every second frame
    assert len(sees.asked) == seen.looks < 0.55 * seen.steps
    assert np.array_equal(track.times[track.seen], sees.asked)
    assert place_error(track, CROSSES).max() < 4  # px of 320; a quarter of what it moves between two looks
    # carried boxes are about as good as seen ones, whose noise is 1.6 px
    assert place_error(track, CROSSES, ~track.seen).mean() < 2


def test_a_miss_of_a_second_is_filled_and_the_identity_stays():
    frames = film([CROSSES], 4)
    sees = Scripted(frames, [CROSSES], score=lambda _, t: 0.8 * (not 1.5 < t < 2.6))
    _, (track,) = watch(frames, sees)
    assert np.diff(track.times).max() < 0.1
    filled = (track.times > 1.6) & (track.times < 2.5)
    assert not track.seen[filled].any()
    # the thing moves 60 px meanwhile; put right in hindsight by where it came up again
    assert place_error(track, CROSSES, filled).max() < 6
    assert (np.diff(track.score[filled]) <= 0).all()
    assert track.score[filled][-1] < 0.5
    assert track.score[track.seen].min() > 0.7


def test_a_still_thing_that_is_missed_stays_where_it_is_but_not_for_ever():
    still = Thing(lambda t: (120, 80))
    frames = film([still], 6)
    _, (track,) = watch(frames, Scripted(frames, [still], score=lambda _, t: 0.8 * (t < 2)))
    assert 3.0 < track.times[-1] < 4.2  # 1 to 2 s after it was last seen
    assert place_error(track, still).max() < 3


def test_a_thing_that_is_gone_is_not_carried_on():
    there = Thing(lambda t: (120, 80) if t < 2 else (-500, -500))
    frames = film([there], 4)
    _, (track,) = watch(frames, Scripted(frames, [there]))
    assert track.times[-1] < 2.1 + 1 / 2.5


def test_a_thing_leaves_at_the_edge():
    leaves = Thing(lambda t: (200 + 80 * t, 90))
    frames = film([leaves], 4)
    _, (track,) = watch(frames, Scripted(frames, [leaves]))
    assert track.times[-1] < (320 + 28 - 200) / 80 + 0.3
    assert track.xyxy.max() <= 1


def test_a_thing_comes_in_at_the_edge():
    comes = Thing(lambda t: (-60 + 60 * t, 90))
    frames = film([comes], 4)
    _, (track,) = watch(frames, Scripted(frames, [comes], noise=0.0))
    truth = np.clip([comes.box(t) for t in track.times], 0, 1)
    assert np.abs(track.xyxy - truth)[:, [0, 2]].max() < 0.03


def test_weak_detections_continue_a_track_but_start_none():
    other = Thing(lambda t: (250, 40), (40, 30), (0.4, 0.6, 1.5), "dog", 7)
    frames = film([CROSSES, other], 4)
    sees = Scripted(
        frames, [CROSSES, other], score=lambda thing, t: 0.08 if thing is other or 1 < t < 3.5 else 0.7
    )
    _, (track,) = watch(frames, sees)
    assert track.label == "car"
    weak = (track.times > 1.1) & (track.times < 3.4) & track.seen
    assert weak.sum() >= 5
    assert place_error(track, CROSSES).max() < 5


def test_renamed_now_and_then_it_is_one_thing_with_its_most_frequent_name():
    frames = film([CROSSES], 4)
    sees = Scripted(frames, [CROSSES], name=lambda _, t: "truck" if 1.5 < t < 2.5 else "car")
    _, tracks = watch(frames, sees)
    assert [t.label for t in tracks] == ["car"]


def test_two_that_pass_each_other_are_not_swapped():
    right = Thing(lambda t: (40 + 60 * t, 70), colour=(1.6, 0.4, 0.4), seed=3)
    left = Thing(lambda t: (280 - 60 * t, 105), colour=(0.4, 0.5, 1.6), seed=4)
    frames = film([right, left], 4)
    _, tracks = watch(frames, Scripted(frames, [right, left]))
    assert len(tracks) == 2
    for track in tracks:
        thing = right if track.xyxy[0, 0] < 0.5 else left
        assert np.median(place_error(track, thing)) < 3
        assert place_error(track, thing)[-1] < 8


def test_hidden_for_three_seconds_it_is_taken_up_again_under_a_panning_camera():
    """It stands in the world, the camera pans: where it will be is known from the camera's motion."""
    stands = Thing(lambda t: (280 - 1.0 * FPS * t, 90))
    frames = film([stands], 7, pan=1.0)
    bare = film([], 7, pan=1.0)
    hidden = [b if 2 < b[1] < 5.2 else f for f, b in zip(frames, bare, strict=True)]
    _, tracks = watch(hidden, Scripted(hidden, [stands], score=lambda _, t: 0.8 * (not 2 < t < 5.2)))
    (track,) = tracks
    assert not ((track.times > 2.6) & (track.times < 5.1)).any()
    assert place_error(track, stands).max() < 5


def test_what_grows_is_carried_with_its_size():
    grows = Thing(lambda t: (160, 90), (50, 40), grows=1.35)
    frames = film([grows], 3)
    sees = Scripted(frames, [grows], score=lambda _, t: 0.8 * (not 1.0 < t < 2.0))
    _, (track,) = watch(frames, sees)
    truth = np.array([grows.box(t) for t in track.times])
    size = (track.xyxy[:, 2] - track.xyxy[:, 0]) / (truth[:, 2] - truth[:, 0])
    assert np.abs(np.log(size)).max() < np.log(1.12)


def test_a_cut_ends_every_track():
    still = Thing(lambda t: (120, 80))
    frames = film([still], 4, cuts=(2.0,))
    seen, tracks = watch(frames, Scripted(frames, [still]))
    assert seen.clip.cuts == (2.0,)
    assert sorted(float(t.times[0]) for t in tracks) == [0.0, 2.0]
    assert len(stitch(tracks, seen.clip)) == 2


def test_a_passing_thing_does_not_carry_a_missed_one_away():
    still = Thing(lambda t: (160, 90), (60, 60), (0.5, 1.5, 0.5), "dog", 5)
    passes = Thing(lambda t: (10 + 90 * t, 100), (40, 40))
    frames = film([still, passes], 3.5)
    sees = Scripted(
        frames, [still, passes], score=lambda thing, t: 0.8 * (thing is passes or not 1.2 < t < 2.4)
    )
    _, tracks = watch(frames, sees)
    (dog,) = [t for t in tracks if t.label == "dog"]
    assert place_error(dog, still).max() < 20
    assert place_error(dog, still)[-1] < 5


def test_keypoints_are_kept_where_seen():
    frames = film([CROSSES], 2)
    _, (track,) = watch(frames, Scripted(frames, [CROSSES], keypoints=True))
    assert track.keypoints.shape == (len(track.times), 17, 3)
    assert (track.keypoints[track.seen, :, 2] > 0.5).all()
    assert (track.keypoints[~track.seen, :, 2] == 0).all()


def test_what_moves_and_is_no_class_is_found_too_and_what_is_detected_is_not_found_twice():
    kettle = Thing(lambda t: (270 - 40 * t, 35), (48, 38), (0.4, 0.5, 1.6), seed=8)
    crosses = Thing(lambda t: (50 + 55 * t, 140))
    frames = film([crosses, kettle], 4)
    seen = observe(clip_of(frames), frames, Scripted(frames, [crosses]))
    moving = [t for t in seen.tracks if t.found_by == "motion"]
    longest = max(moving, key=lambda t: len(t.times))
    assert longest.label == "moving object"
    assert len(longest.times) > 30
    assert np.median(place_error(longest, kettle)) < 8
    for track in moving:
        assert np.median(place_error(track, crosses)) > 20


def test_asked_for_a_rate_it_is_kept_to():
    frames = film([CROSSES], 4)
    for hz, expected in ((1, 4), (6.25, 25), (25, 100)):
        sees = Scripted(frames, [CROSSES])
        seen = observe(clip_of(frames), frames, sees, detect_hz=hz)
        assert len(sees.asked) == pytest.approx(expected, abs=1)
        assert seen.steps == (100 if hz > STEP_HZ else 50)
