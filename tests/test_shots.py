"""Hard cuts: exact lists for real videos, and changes that are none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from foleyspace.shots import CutDetector, find_cuts

FPS = 25.0
KNOWN = {
    # hand-checked; the ones near the end jump back to the first frame
    "1": (), "3": (), "5": (), "Walter_Woodman": (), "bird": (7.92,), "fTfRh0_RQ4_000030": (2.68,),
    "f2cefffb-1e73-4854-aa7d-a437c5a8436d": (7.84,), "gm453192028-44957136": (),
    "gm595781138-103274473": (7.92,), "gm636596908-114293075": (), "moving1": (), "moving2": (),
    "moving5": (7.92,), "static1": (),
}  # fmt: skip


def scenery(seed: int, wide: int = 640) -> np.ndarray:
    """A random landscape (180, wide, 3) uint8 with structure at all sizes."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((180, wide, 3))
    for size in (4, 8, 16, 32, 64):
        coarse = rng.standard_normal((180 // size + 2, wide // size + 2, 3))
        picture += size**0.7 * cv2.resize(coarse, (wide, 180), interpolation=cv2.INTER_CUBIC)
    picture += 60 * rng.standard_normal(3)
    return np.clip(110 + 5 * picture, 0, 255).astype(np.uint8)


def pan(picture: np.ndarray, frames: int, step: float = 1.0, start: float = 0.0) -> list[np.ndarray]:
    return [
        cv2.getRectSubPix(picture, (320, 180), (160 + start + step * k, 90)).astype(np.uint8)
        for k in range(frames)
    ]


def cuts(frames: list[np.ndarray]) -> list[int]:
    return [round(cut * FPS) for cut in find_cuts((k / FPS, frame) for k, frame in enumerate(frames))]


def test_cuts_between_moving_pictures() -> None:
    frames = pan(scenery(1), 30) + pan(scenery(2), 12, 3) + pan(scenery(3), 40, -1, 200)
    assert cuts(frames) == [30, 42]


def test_a_cut_just_after_the_start_and_just_before_the_end() -> None:
    assert cuts(pan(scenery(1), 2) + pan(scenery(2), 30) + pan(scenery(1), 2)) == [2, 32]


@pytest.mark.parametrize("step", [1, 8, 20])
def test_pans_are_no_cuts(step: float) -> None:
    still = pan(scenery(4), 15, 0)
    moving = pan(scenery(4), round(300 / step), step)
    assert cuts(still + moving) == []


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_flashes_are_no_cuts(length: int) -> None:
    frames = pan(scenery(5), 50)
    for k in range(20, 20 + length):
        frames[k] = np.clip(frames[k] * 2.0 + 80, 0, 255).astype(np.uint8)
    assert cuts(frames) == []


def test_broken_frames_are_no_cuts() -> None:
    frames = pan(scenery(6), 50)
    frames[25] = pan(scenery(7), 1)[0]
    assert cuts(frames) == []


def test_lost_frames_are_no_cuts() -> None:
    frames = pan(scenery(8), 60, 2)
    frames[20:28] = [frames[20]] * 8
    assert cuts(frames) == []


def test_dissolves_and_fades_are_no_hard_cuts() -> None:
    a, b = pan(scenery(9), 50), pan(scenery(10), 50)
    mix = np.clip((np.arange(50) - 15) / 15, 0, 1)
    assert cuts([((1 - m) * x + m * y).astype(np.uint8) for m, x, y in zip(mix, a, b, strict=True)]) == []
    fade = np.abs(np.linspace(-1, 1, 50))
    assert cuts([(f * x).astype(np.uint8) for f, x in zip(fade, a, strict=True)]) == []


def test_noise_black_and_single_frames() -> None:
    rng = np.random.default_rng(0)
    assert cuts([rng.integers(0, 256, (36, 64, 3)).astype(np.uint8) for _ in range(30)]) == []
    assert cuts([np.zeros((36, 64, 3), np.uint8)] * 30) == []
    assert cuts(pan(scenery(1), 1)) == []
    assert cuts([]) == []


def test_cut_to_black_and_back() -> None:
    black = [np.zeros((180, 320, 3), np.uint8)] * 15
    assert cuts(pan(scenery(1), 15) + black + pan(scenery(2), 15)) == [15, 30]


def test_fed_one_by_one_gives_the_same_and_holds_little() -> None:
    frames = pan(scenery(1), 300) + pan(scenery(2), 300)
    detector = CutDetector()
    found = []
    for k, frame in enumerate(frames):
        found += [(k, cut) for cut in detector.feed(k / FPS, frame)]
        assert len(detector._held) <= 17
    assert [cut for _, cut in found] == [300 / FPS]
    assert found[0][0] == 308  # known 8 frames later
    assert detector.finish() == []


def test_real_videos_exactly(shared: Path) -> None:
    for name in ("bird", "fTfRh0_RQ4_000030", "gm595781138-103274473"):
        assert find_cuts(shared / "videos" / f"{name}.mp4") == pytest.approx(KNOWN[name]), name


@pytest.mark.slow
def test_all_real_videos_exactly(shared: Path) -> None:
    for name, expected in KNOWN.items():
        assert find_cuts(shared / "videos" / f"{name}.mp4") == pytest.approx(expected), name
    for name in ("train_passing.mp4", "sheep_pan.mp4", "dogs.mp4", "hammer_anvil.mp4", "pancake.mkv"):
        assert find_cuts(shared / "videos_native" / name) == (), name
