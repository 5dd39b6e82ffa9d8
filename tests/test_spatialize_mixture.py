"""Mixtures taken apart and sent to their places. What must hold whatever the network has learned is shown with
nets that stand in for it; what it must have learned, with the weights that ship and recordings kept aside."""

from __future__ import annotations

import json
import logging
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from media import heard, plain_clip

torch = pytest.importorskip("torch")
from foleyspace import spatialize_file  # noqa: E402
from foleyspace.camera import angles_to_xyz  # noqa: E402
from foleyspace.errors import FoleyspaceError, InputError  # noqa: E402
from foleyspace.hrir import load_hrirs, minimum_phase_hrirs, onset_samples  # noqa: E402
from foleyspace.metrics.interaural import ild_error_db  # noqa: E402
from foleyspace.propagation import audible_span, gain  # noqa: E402
from foleyspace.renderer import render, render_blocks  # noqa: E402
from foleyspace.spatializer import inference  # noqa: E402
from foleyspace.spatializer.bands import BANDS, HOP, RATE, band_of_bin  # noqa: E402
from foleyspace.spatializer.conditioning import (  # noqa: E402
    activity,
    gains_are_shares,
    label_vectors,
    vectors_by_label,
    without_shares,
)
from foleyspace.spatializer.inference import (  # noqa: E402
    EDGE,
    FADE,
    MOST,
    ROUNDS,
    WINDOW,
    SeparatorOptions,
    busiest,
    placed,
    rows_of,
    separate,
    separated_blocks,
    spatialize_mixture,
)
from foleyspace.spatializer.model import NetConfig  # noqa: E402
from foleyspace.types import Audio, Hrirs, Scene, Source  # noqa: E402

KEPT = (WINDOW - 2 * EDGE - FADE) * HOP  # from one join of windows to the next, samples


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def kemar() -> Hrirs:
    return load_hrirs("mit_kemar", RATE)


def source(id: str, azimuth_deg: float = 0.0, label: str = "", gain_db=None, times=None) -> Source:
    times = [0.0] if times is None else times
    angles = np.tile([azimuth_deg, 0.0], (len(times), 1))
    xyz = angles_to_xyz(angles, np.full(len(times), 2.0))
    return Source(id, label or id, times, xyz, gain_db=None if gain_db is None else np.array(gain_db, float))


def scene(*sources: Source, seconds: float = 2.0) -> Scene:
    return Scene(sources, seconds)


PAIR = (source("dog", 60), source("car", -50))


def noise(seconds: float, seed: int = 0) -> Audio:
    return Audio(0.1 * np.random.default_rng(seed).standard_normal((1, round(seconds * RATE))), RATE)


def tone(seconds: float, hz: float = 1000.0) -> Audio:
    return Audio(0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)[None], RATE)


def db(part, whole) -> float:
    return float(20 * np.log10(np.linalg.norm(part) / np.linalg.norm(whole) + 1e-12))


class Says:
    """Stands in for the network: what part each slot gets, by band or not, and window by window or not."""

    config = NetConfig()

    def __init__(self, *parts) -> None:
        self.parts, self.asked = parts, []

    def __call__(self, features, labels, activity, share, time, prompt=None):
        frames = features.shape[-1]
        part = torch.as_tensor(np.asarray(self.parts[len(self.asked) % len(self.parts)], np.float32))
        self.asked.append(frames)
        part = part.reshape(len(part), -1, 1).expand(-1, BANDS, frames)
        logits = torch.log(part.clamp(min=1e-9))[None]
        return logits + torch.log(activity.clamp(min=1e-6))[:, :, None]


@pytest.fixture
def stands_in(monkeypatch):
    """A network whose masks are taken as they are."""

    def use(net):
        monkeypatch.setattr("foleyspace.spatializer.sampling.consistent", lambda masks, *_: masks)
        monkeypatch.setattr("foleyspace.spatializer.weights.load_separator", lambda *_, **__: net)
        return net

    return use


def below(hz: float):
    """Everything under a frequency to the first of two slots, all above to the second."""
    band = round(hz / RATE * 2048)
    low = (np.arange(BANDS) < band_of_bin()[band]).astype(float)
    return np.stack([low, 1 - low])


# --- stems: they add up, at any length, without seams


def test_stems_add_up_to_the_mixture(stands_in):
    stands_in(Says([0.7, 0.2, 0.1], [0.1, 0.1, 0.8]))
    mono = noise(11.3)
    stems = separate(mono, scene(*PAIR, source("rain")))
    assert stems.shape == (3, mono.samples.shape[1])
    assert stems.dtype == np.float32
    assert db(stems.sum(axis=0) - mono.samples[0], mono.samples[0]) < -100


@pytest.mark.parametrize(("options", "asked"), [({}, ROUNDS), ({"rounds": 3}, 3), ({"rounds": 0}, None)])
def test_masks_are_made_consistent_in_so_many_rounds(stands_in, monkeypatch, options, asked):
    stands_in(Says([0.7, 0.3]))
    seen = []

    def turned(masks, power, activity, rounds):
        seen.append(rounds)
        return masks.flip(1)

    monkeypatch.setattr("foleyspace.spatializer.sampling.consistent", turned)
    mono = noise(2.0)
    stems = separate(mono, scene(*PAIR), SeparatorOptions(**options))
    assert set(seen) == ({asked} if asked else set())
    assert db(stems[0] - (0.3 if asked else 0.7) * mono.samples[0], mono.samples[0]) < -60


@pytest.mark.parametrize("samples", [0, 1, 2, HOP - 1, 12_345, KEPT, KEPT + 1, 2 * KEPT - 1])
def test_any_length(stands_in, kemar, samples):
    stands_in(Says([0.7, 0.3]))
    mono = Audio(noise(9).samples[:, :samples], RATE)
    stems = separate(mono, scene(*PAIR))
    assert stems.shape == (2, samples)
    np.testing.assert_allclose(stems.sum(axis=0), mono.samples[0], atol=1e-6)
    stereo = spatialize_mixture(mono, scene(*PAIR), kemar)
    assert stereo.samples.shape == (2, samples)
    assert np.isfinite(stereo.samples).all()


@pytest.mark.parametrize("size", [1000, 70_000, 10**6])
def test_blocks_of_any_size_give_the_same(stands_in, size):
    mono = noise(9.5).samples

    def stems(size: int):
        stands_in(Says([0.9, 0.1], [0.3, 0.7]))
        blocks = (mono[:, at : at + size] for at in range(0, mono.shape[1], size))
        return np.concatenate(list(separated_blocks(blocks, PAIR, SeparatorOptions())), axis=1)

    assert np.array_equal(stems(size), stems(96_000))


def test_a_steady_tone_with_steady_masks_has_no_seams(stands_in):
    stands_in(Says([0.8, 0.2]))
    mono = tone(4.5 * KEPT / RATE)
    stems = separate(mono, scene(*PAIR))
    assert db(stems[0] - 0.8 * mono.samples[0], mono.samples[0]) < -90


def splatter_db(stem, hz: float = 1000.0) -> float:
    """Energy further than 60 Hz from a tone, re all of it; the ends, where the sound begins, left out."""
    inner = stem[RATE // 2 : -RATE // 2]
    power = np.abs(np.fft.rfft(inner * np.blackman(len(inner)))) ** 2
    far = np.abs(np.fft.rfftfreq(len(inner), 1 / RATE) - hz) > 60
    return float(10 * np.log10(power[far].sum() / power.sum() + 1e-15))


def test_windows_that_disagree_are_faded_into_each_other(stands_in):
    stands_in(Says([0.9, 0.1], [0.1, 0.9]))
    mono = tone(4.5 * KEPT / RATE)
    stems = separate(mono, scene(*PAIR))
    for stem in stems:
        assert splatter_db(stem) < -80
    envelope = np.abs(stems[0, : 4 * KEPT // 480 * 480]).reshape(-1, 480).max(axis=1) / 0.3
    assert envelope.max() > 0.88 and envelope.min() < 0.12
    assert np.abs(np.diff(envelope)).max() < 0.02  # 0.8 within FADE frames, not at once
    hard = np.where(np.arange(mono.samples.shape[1]) // KEPT % 2 == 0, 0.9, 0.1) * mono.samples[0]
    assert splatter_db(hard) > -60  # what the measure says to a join without a fade


def test_order_of_the_sources_changes_nothing():
    """The whole way with a real network, untrained: labels, activity, windows."""
    three = (*PAIR, source("rain", times=[0.0, 0.5, 0.6], gain_db=[0, 0, -96]))
    mono = noise(1.0)
    stems = separate(mono, scene(*three))
    turned = separate(mono, scene(three[2], three[0], three[1]))
    assert db(turned[[1, 2, 0]] - stems, mono.samples) < -80
    assert db(stems[0] - stems[1], mono.samples) > -60


# --- who sounds when


def test_a_silent_source_gets_nothing(stands_in):
    stands_in(Says([0.5, 0.5], [0.2, 0.8]))
    mono = noise(1.0)
    stems = separate(mono, scene(*PAIR, source("rain", gain_db=[-96.0])))
    assert np.abs(stems[2]).max() == 0
    assert db(stems[:2].sum(axis=0) - mono.samples[0], mono.samples[0]) < -100


def test_where_one_source_is_silent_the_other_has_it_all(stands_in):
    stands_in(Says([0.5, 0.5]))
    first = source("dog", times=[0.0, 1.0, 1.01, 3.0], gain_db=[0, 0, -96, -96])
    mono = noise(3.0)
    stems = separate(mono, scene(first, source("car"), seconds=3))
    late = slice(round(1.1 * RATE), None)
    assert np.abs(stems[0][late]).max() == 0
    assert db(stems[1][late] - mono.samples[0, late], mono.samples[0, late]) < -100
    early = slice(0, round(0.9 * RATE))
    assert db(stems[0][early] - mono.samples[0, early] / 2, mono.samples[0, early]) < -80


def shared_out(at: float = 1.0, over: float = 0.8) -> tuple[Source, Source]:
    """As `foleyspace track` says who sounds: shares that add up to one, here with a slow hand-over."""
    times = np.array([0.0, at, *np.linspace(at, at + over, 9)[1:], 3.0])
    first = np.interp(times, [at, at + over], [1, 0])
    gains = [20 * np.log10(np.maximum(each, 1e-6)) for each in (first, 1 - first)]
    return source("dog", 0, times=times, gain_db=gains[0]), source("car", 0, times=times, gain_db=gains[1])


def test_shares_are_told_from_levels():
    assert gains_are_shares(shared_out())
    assert not gains_are_shares(PAIR)
    assert not gains_are_shares((PAIR[0], source("car", gain_db=[-6.0])))
    assert not gains_are_shares(PAIR[:1])


def test_shares_are_not_counted_twice(stands_in, kemar):
    """Both at one place: all of the sound comes from there, at its own level, all along the hand-over."""
    stands_in(Says([0.5, 0.5]))
    mono = noise(3.0)
    both = shared_out()
    stereo = spatialize_mixture(mono, scene(*both, seconds=3), kemar).samples
    whole = render(mono, scene(source("all")), kemar).samples
    assert db(stereo - whole, whole) < -60


def test_shares_of_sources_that_take_turns_are_not_counted_twice(stands_in, kemar):
    stands_in(pytest.fail)
    cut = [0.0, 1.0, 1.01, 3.0]
    turns = (
        source("dog", times=cut, gain_db=[0, 0, -96, -96]),
        source("car", times=cut, gain_db=[-96, -96, 0, 0]),
    )
    stands_in(Says([0.5, 0.5]))  # the hand-over itself
    mono = noise(3.0)
    assert gains_are_shares(turns)
    stereo = spatialize_mixture(mono, scene(*turns, seconds=3), kemar).samples
    whole = render(mono, scene(source("all")), kemar).samples
    assert db(stereo - whole, whole) < -60


def test_levels_are_levels(stands_in, kemar):
    """A gain that is no share changes the level of the source's part."""
    stands_in(Says([0.5, 0.5]))
    mono = noise(1.0)
    louder = PAIR[0], source("car", -50, gain_db=[6.0206])
    stereo = spatialize_mixture(mono, scene(*louder), kemar).samples
    parts = [Audio(0.5 * mono.samples, RATE), Audio(mono.samples, RATE)]
    expected = render(parts, scene(*PAIR), kemar).samples
    assert db(stereo - expected, expected) < -80


def test_activity_is_relative_to_the_largest_share():
    known = activity(shared_out(), np.array([0.0, 1.2, 1.4, 2.5]), True)
    np.testing.assert_allclose(known, [[1, 1, 1, 0], [0, 1 / 3, 1, 1]], atol=1e-3)
    assert (activity(PAIR, np.zeros(3), False) == 1).all()


def test_who_sounds_together():
    times = [0.0, 1.0, 1.1, 2.0]
    first, second = (
        source(i, times=times, gain_db=g) for i, g in (("a", [0, -96, -96, -96]), ("b", [-96, -96, 0, 0]))
    )
    assert busiest((first, second)) == 1
    assert busiest((first, second, PAIR[0])) == 2
    assert busiest((PAIR[0], source("c", gain_db=[-96.0]))) == 1


def test_a_label_that_is_no_known_word_is_withheld(caplog):
    vectors = label_vectors((source("a", label="dog"), source("b", label="?!")), offline=True)
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-3)
    assert np.isnan(vectors[1]).all()
    by_label = vectors_by_label(["?!", "dog", "?!"], offline=True)
    assert list(by_label) == ["?!", "dog"]
    np.testing.assert_array_equal(by_label["dog"], vectors[0])
    assert np.isnan(by_label["?!"]).all()
    stems = separate(noise(0.5), scene(PAIR[0], source("b", label="?!")), SeparatorOptions(offline=True))
    assert np.isfinite(stems).all()


# --- places


def test_one_source_is_the_renderers_to_the_bit(stands_in, kemar):
    stands_in(pytest.fail)
    moving = Source("dog", "dog", [0.0, 2.0], [[1, 2, 0], [2, -1, 0.5]], gain_db=[0, -5])
    mono = noise(2.0)
    expected = render(mono, scene(moving), kemar).samples
    assert np.array_equal(spatialize_mixture(mono, scene(moving), kemar).samples, expected)
    silent = scene(moving, source("car", gain_db=[-96.0]))
    assert np.array_equal(spatialize_mixture(mono, silent, kemar).samples, expected)


def mirrored(*sources: Source) -> Scene:
    return scene(*(replace(s, xyz=s.xyz * [1, -1, 1]) for s in sources))


def test_a_mirrored_scene_gives_mirrored_sound(stands_in, kemar):
    """As nearly as the measured head is symmetric: no worse than the renderer does with the very stems."""
    stands_in(Says(below(1500.0)))
    mono = noise(1.0)
    straight = spatialize_mixture(mono, scene(*PAIR), kemar).samples
    turned = spatialize_mixture(mono, mirrored(*PAIR), kemar).samples[::-1]
    stems = [Audio(stem, RATE) for stem in separate(mono, scene(*PAIR))]
    by_renderer = render(stems, scene(*PAIR), kemar).samples
    of_the_head = db(render(stems, mirrored(*PAIR), kemar).samples[::-1] - by_renderer, by_renderer)
    assert db(turned - straight, straight) < of_the_head + 0.5
    assert of_the_head < -6
    assert db(straight[::-1] - straight, straight) > -3  # not the same on both sides


def low_and_high(mono: Audio, hz: float):
    spectrum = np.fft.rfft(mono.samples[0])
    low = np.fft.rfftfreq(mono.samples.shape[1], 1 / RATE) < hz
    n = mono.samples.shape[1]
    return [np.fft.irfft(np.where(which, spectrum, 0), n) for which in (low, ~low)]


def ild_db(stereo, hz: tuple[float, float]) -> float:
    power = np.abs(np.fft.rfft(stereo)) ** 2
    f = np.fft.rfftfreq(stereo.shape[1], 1 / RATE)
    left, right = power[:, (f > hz[0]) & (f < hz[1])].sum(axis=1)
    return float(10 * np.log10(right / left))


@pytest.mark.parametrize("name", ["CIPIC_*", "FHK_*"])
def test_another_hrir_set_gives_its_own_cues(stands_in, kemar, shared, name):
    """Low noise from the left and high noise from the right, which the stand-in tells apart: each band has the
    level difference of that set at that place, not of another."""
    stands_in(Says(below(2000.0)))
    other = load_hrirs(min((shared / "hrir").glob(name)), RATE)
    mono = noise(2.0)
    got = spatialize_mixture(mono, scene(*PAIR), other).samples
    differ = 0.0
    for part, place, band in zip(low_and_high(mono, 2000.0), PAIR, [(300, 1500), (3000, 12000)], strict=True):
        alone = Audio(part.astype(np.float32), RATE)
        expected = ild_db(render(alone, scene(place), other).samples, band)
        assert ild_db(got, band) == pytest.approx(expected, abs=0.3)
        differ += abs(expected - ild_db(render(alone, scene(place), kemar).samples, band))
    assert differ > 0.5  # else it would show nothing


def test_mono_compatible_keeps_the_sum(stands_in, kemar):
    stands_in(Says(below(1500.0)))
    mono = noise(1.5)
    stereo = spatialize_mixture(mono, scene(*PAIR), kemar, mono_compatible=True).samples
    assert db(stereo.sum(axis=0) - mono.samples[0], mono.samples[0]) < -120
    free = spatialize_mixture(mono, scene(*PAIR), kemar).samples
    assert ild_error_db(stereo, free, RATE) < 1


def test_minimum_phase_keeps_magnitudes_and_delays(kemar):
    least = minimum_phase_hrirs(kemar)
    assert np.array_equal(least.delay, kemar.delay)
    loud, quiet = (np.abs(np.fft.rfft(h.ir, 4096))[..., 20:1400] for h in (kemar, least))
    assert np.median(np.abs(20 * np.log10(loud / quiet))) < 0.1
    moved = onset_samples(least.ir, RATE) - onset_samples(kemar.ir, RATE)
    assert np.median(np.abs(moved)) < 1  # as late as it was
    assert np.median(np.abs(moved[:, 0] - moved[:, 1])) < 1


# --- what is refused, and what is got over


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": 0}, "`steps` is 0 but must be between 1 and 50"),
        ({"steps": 51}, "`steps` is 51"),
        ({"guidance": -1.0}, "`guidance` is -1.0 but must be between 0 and 10"),
        ({"guidance": np.nan}, "`guidance` is nan"),
        ({"rounds": -1}, "`rounds` is -1 but must be between 0 and 50"),
    ],
)
def test_options_out_of_range_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        SeparatorOptions(**options)


@pytest.mark.parametrize(
    ("mono", "said"),
    [
        (Audio(np.zeros((2, 100)), RATE), "2 channels but must have 1"),
        (Audio(np.zeros((1, 100)), 44100), "at 44100 Hz but must be at 48000 Hz"),
        (Audio(np.array([[0, np.nan, 1]]), RATE), "NaN or infinite"),
        (Audio(np.array([[0, -np.inf, 1]]), RATE), "NaN or infinite"),
    ],
)
def test_other_audio_is_refused(mono, said):
    with pytest.raises(InputError, match=said):
        separate(mono, scene(*PAIR))


def test_no_source_and_too_many_at_once_are_refused(stands_in, monkeypatch):
    MOST = 4
    monkeypatch.setattr(inference, "MOST", MOST)
    stands_in(Says(np.ones(MOST)))
    with pytest.raises(InputError, match="must hold at least one source"):
        separate(noise(0.1), Scene((), 1.0))
    many = [source(f"s{i}", label="dog") for i in range(MOST + 1)]
    assert separate(noise(0.1), scene(*many[:-1])).shape[0] == MOST
    with pytest.raises(
        InputError, match=rf"{MOST + 1} sources that sound at once at 0\.0 s but at most {MOST}"
    ):
        separate(noise(0.1), scene(*many))


def test_many_sources_one_after_another_are_fine(stands_in):
    """A film: hundreds of sources, two at a time; also more of them within a window than may sound at once."""
    stands_in(Says(*(np.ones(k) for k in (1,))))
    sources = []
    for i in range(24):
        begin = 0.1 * i
        times = [begin, begin + 0.01, begin + 0.09, begin + 0.1]
        sources.append(source(f"s{i}", label="dog", times=times, gain_db=[-96, 0, 0, -96]))
    mono = noise(2.4)
    stems = separate(mono, scene(*sources))
    active = np.abs(stems) > 0
    assert active.any(axis=1).all()
    assert active.sum(axis=0).max() <= 2


def test_the_scene_may_be_longer_or_shorter_than_the_sound(stands_in, kemar):
    stands_in(Says(below(1500.0)))
    mono = noise(1.0)
    path = np.array([[1, 1, 0], [1, -1, 0]])
    for seconds in (0.2, 30.0):
        moving = Source("dog", "dog", [0.0, seconds], path)
        stereo = spatialize_mixture(mono, scene(moving, PAIR[1], seconds=seconds), kemar)
        assert stereo.samples.shape == (2, RATE)
        assert np.isfinite(stereo.samples).all()


def test_any_seed_is_taken(stands_in):
    stands_in(Says([0.5, 0.5]))
    for seed in (-1, 2**80):
        assert separate(noise(0.2), scene(*PAIR), SeparatorOptions(seed=seed, steps=2)).shape[0] == 2


class Short(Says):
    """A machine whose memory holds `frames` frames."""

    def __init__(self, frames: int, error: type[BaseException]) -> None:
        super().__init__([0.8, 0.2])
        self.frames, self.error = frames, error

    def __call__(self, features, *rest, **named):
        if features.shape[-1] > self.frames:
            raise self.error("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return super().__call__(features, *rest, **named)


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, torch.cuda.OutOfMemoryError])
def test_short_of_memory_smaller_windows_are_tried(stands_in, caplog, error):
    net = stands_in(Short(WINDOW // 2, error))
    mono = tone(9.0)
    with caplog.at_level(logging.WARNING, "foleyspace"):
        stems = separate(mono, scene(*PAIR))
    assert set(net.asked) == {WINDOW // 2}
    assert [record.getMessage() for record in caplog.records] == ["memory is short: windows of 3 s are tried"]
    assert stems.shape == (2, mono.samples.shape[1])
    assert db(stems[0] - 0.8 * mono.samples[0], mono.samples[0]) < -90


def test_out_of_memory_is_one_line(stands_in):
    stands_in(Short(0, RuntimeError))
    with pytest.raises(FoleyspaceError, match=r"out of memory on .* even in windows of 3 s") as caught:
        separate(noise(1.0), scene(*PAIR))
    assert not isinstance(caught.value, InputError)


def test_out_of_memory_without_the_network_is_one_line(monkeypatch):
    """Sources that take turns need no network, and so no device; memory may be short all the same."""

    def short(*_):
        raise MemoryError

    monkeypatch.setattr(inference, "_taking_turns", short)
    times = [0.0, 0.5, 0.6, 1.0]
    gains = ("a", [0, -96, -96, -96]), ("b", [-96, -96, 0, 0])
    turns = [source(name, times=times, gain_db=gain_db) for name, gain_db in gains]
    assert busiest(turns) == 1
    with pytest.raises(FoleyspaceError, match="out of memory on cpu even in windows of 3 s"):
        separate(noise(1.0), scene(*turns))


def test_another_error_is_not_taken_for_it(stands_in):
    def broken(*_, **__):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    stands_in(broken)
    with pytest.raises(RuntimeError, match="mat1"):
        separate(noise(1.0), scene(*PAIR))


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is there")
def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="`device` is 'cuda' but torch cannot use it"):
        separate(noise(0.1), scene(*PAIR), SeparatorOptions(device="cuda"))


def test_memory_does_not_grow_with_the_length(stands_in, kemar):
    """Of numpy's arrays, peak over 20 s and 60 s of the whole stream."""
    stands_in(Says([0.8, 0.2]))

    def stream(seconds: int) -> Iterator[np.ndarray]:
        rng = np.random.default_rng(0)
        for _ in range(seconds):
            yield rng.standard_normal((1, RATE), np.float32)

    def peak(seconds: int) -> int:
        tracemalloc.start()
        stems = separated_blocks(stream(seconds), PAIR, SeparatorOptions())
        for _ in render_blocks(stems, PAIR, kemar):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(5)
    assert peak(60) < 1.1 * peak(20)


@pytest.mark.slow
def test_memory_is_flat_over_an_hour(stands_in):
    psutil = pytest.importorskip("psutil")
    stands_in(Says([0.8, 0.2]))
    block = noise(2.0).samples
    process, at = psutil.Process(), []
    stems = separated_blocks((block for _ in range(1800)), PAIR, SeparatorOptions())
    given = 0
    for part in stems:
        given += part.shape[1]
        at.append(process.memory_info().rss)
    assert given == 3600 * RATE
    early = max(at[: len(at) // 10])
    assert max(at) < early + 32 * 2**20


# --- what the weights that ship have learned

KEPT_ASIDE = [  # by the hash of their names: no training on `sounds` sees them
    ("speech_09", "speech", "train_00", "train"),
    ("dog_07", "dog", "flute_01", "flute"),
    ("rooster_05", "rooster", "shower_00", "shower"),
    ("engine_01", "engine", "speech_20", "speech"),
    ("footsteps_00", "footsteps", "flute_03", "flute"),
    ("birds_02", "birds", "digeridoo_02", "digeridoo"),
    ("male-voice_08", "male voice", "birds_03", "birds"),
    ("helicopter_07", "helicopter", "castanets_01", "castanets"),
]
ABSENT = "church bell"


@pytest.fixture(scope="module")
def pairs(shared):
    """[(signals (2, n), labels)]: two recordings each, equally loud."""
    from foleyspace.spatializer.sounds import HELD_PERCENT
    from foleyspace.tagger_data import held_aside

    def recording(name: str) -> np.ndarray:
        path = shared / "sounds" / f"{name}.ogg"
        if not path.is_file():
            pytest.skip(f"no recording {path}")
        assert held_aside(path.name, HELD_PERCENT)
        sound = np.resize(soundfile.read(path, dtype="float32")[0], KEPT)  # one window
        return 0.05 * sound / np.sqrt(np.mean(sound**2))

    return [(np.stack([recording(a), recording(b)]), (one, two)) for a, one, b, two in KEPT_ASIDE]


@pytest.fixture(scope="module")
def taken_apart(pairs):
    """For each pair the stems with its labels, and with those and a label of what is not there."""
    torch.set_num_threads(1)
    results = []
    for signals, labels in pairs:
        named = tuple(source(f"s{i}", 60 - 120 * i, label) for i, label in enumerate(labels))
        mono = Audio(signals.sum(axis=0, keepdims=True), RATE)
        results.append((separate(mono, scene(*named)), separate(mono, scene(*named, source("x", 0, ABSENT)))))
    return results


def si_sdr_db(estimate, truth) -> float:
    part = truth * (estimate @ truth) / (truth @ truth)
    return float(10 * np.log10(part @ part / np.sum((estimate - part) ** 2)))


def test_labels_decide_which_sound_goes_where(pairs, taken_apart, kemar):
    """Labels swapped between two places swap the sounds. By how much a stem is nearer to the sound of its own
    name than to the other: 0 without labels, negative where they are mixed up."""
    nearer = np.array(
        [
            [si_sdr_db(stems[i], signals[i]) - si_sdr_db(stems[i], signals[1 - i]) for i in (0, 1)]
            for (signals, _), (stems, _) in zip(pairs, taken_apart, strict=True)
        ]
    )
    assert np.median(nearer) > 3, nearer.round(1)
    assert np.mean(nearer.sum(axis=1) > 0) >= 0.75, nearer.round(1)  # of the pairs
    signals, labels = pairs[0]
    mono = Audio(signals.sum(axis=0, keepdims=True), RATE)
    places = PAIR[0].xyz, PAIR[1].xyz
    straight, swapped = (
        spatialize_mixture(
            mono,
            scene(*(Source(lab, lab, [0.0], xyz) for lab, xyz in zip(order, places, strict=True))),
            kemar,
        ).samples
        for order in (labels, labels[::-1])
    )
    stems = taken_apart[0][0]
    for order, got in (([0, 1], straight), ([1, 0], swapped)):
        expected = render([Audio(stems[i], RATE) for i in order], scene(*PAIR), kemar).samples
        assert db(got - expected, expected) < -60
    assert db(straight - swapped, straight) > -15


def test_what_is_named_but_does_not_sound_gets_almost_nothing(pairs, taken_apart):
    """A third of the sound would be -4.8 dB, a third of its amplitude -9.5 dB."""
    got = [
        db(stems[2], signals.sum(axis=0)) for (signals, _), (_, stems) in zip(pairs, taken_apart, strict=True)
    ]
    assert np.mean(got) < -12


def test_shipped_weights_join_windows_without_seams():
    """A steady tone between two names: whichever gets how much of it, that changes slowly, and nothing clicks."""
    mono = tone(3.4 * KEPT / RATE)
    stems = separate(mono, scene(source("a", label="alarm"), source("b", label="thunder")))
    inner = slice(RATE // 2, -RATE // 2)  # who gets the clicks of its begin and end is no matter of seams
    whole = np.linalg.norm(mono.samples[0, inner])
    for stem in stems:
        assert splatter_db(stem) + 20 * np.log10(np.linalg.norm(stem[inner]) / whole) < -50
    frames = stems[:, : stems.shape[1] // 480 * 480].reshape(2, -1, 480)
    envelope = np.abs(frames).max(axis=2)[:, 50:-50] / 0.3
    assert np.abs(np.diff(envelope, axis=1)).max() < 0.05


# --- files and commands


@pytest.fixture
def run(run):
    """The command line in this process: (exit code, stdout, the last line of stderr); `run.err` is all of it."""

    def call(*arguments) -> tuple[int, str, str]:
        code, out, call.err = run(*arguments)
        assert "Traceback" not in call.err
        return code or 0, out, (call.err.strip().splitlines() or [""])[-1]

    return call


@pytest.fixture
def job(tmp_path):
    """A mono file of 1.5 s and a scene of two."""
    soundfile.write(tmp_path / "mono.wav", noise(1.5).samples[0], RATE, subtype="FLOAT")
    scene(*PAIR).save(tmp_path / "scene.json")
    return tmp_path


def spatialize(folder, *more):
    return (
        "spatialize",
        folder / "mono.wav",
        "--scene",
        folder / "scene.json",
        "-o",
        folder / "out.wav",
        *more,
    )


def test_spatialize_two_sources_with_stems(job, run, kemar):
    code, _, said = run(*spatialize(job, "--stems", job / "stems"))
    assert code == 0, said
    stereo, rate = soundfile.read(job / "out.wav", dtype="float32")
    assert (stereo.shape, rate) == ((72_000, 2), RATE)
    files = sorted((job / "stems").iterdir())
    assert [f.name for f in files] == ["00-dog.wav", "01-car.wav"]
    stems = np.stack([soundfile.read(f, dtype="float32")[0] for f in files])
    mono = soundfile.read(job / "mono.wav", dtype="float32")[0]
    assert db(stems.sum(axis=0) - mono, mono) < -100
    parts = [Audio(stem, RATE) for stem in stems]
    expected = render(parts, scene(*PAIR), minimum_phase_hrirs(kemar)).samples
    assert db(stereo.T - expected, expected) < -90


def test_the_same_seed_gives_the_same_file(job, run):
    for name in ("a.wav", "b.wav"):
        code, _, said = run(*spatialize(job)[:-1], job / name, "--steps", 2, "--seed", 5, "--guidance", 1.5)
        assert code == 0, said
    assert (job / "a.wav").read_bytes() == (job / "b.wav").read_bytes()


def test_hrir_still_sends_the_whole_sound_everywhere(job, run, kemar, stands_in):
    stands_in(pytest.fail)
    assert run(*spatialize(job, "--spatializer", "hrir"))[0] == 0
    expected = render(Audio(soundfile.read(job / "mono.wav", dtype="float32")[0], RATE), scene(*PAIR), kemar)
    got = soundfile.read(job / "out.wav", dtype="float32")[0].T
    assert db(got - expected.samples, expected.samples) < -90


def test_one_source_needs_no_network(job, run, kemar, stands_in):
    stands_in(pytest.fail)
    scene(PAIR[0]).save(job / "scene.json")
    assert run(*spatialize(job, "--spatializer", "diffusion", "--stems", job / "stems"))[0] == 0
    mono = soundfile.read(job / "mono.wav", dtype="float32")[0]
    expected = render(Audio(mono, RATE), scene(PAIR[0]), kemar).samples
    got = soundfile.read(job / "out.wav", dtype="float32")[0].T
    assert np.abs(got - expected).max() < 2**-22  # 24 bit
    assert db(soundfile.read(job / "stems" / "00-dog.wav")[0] - mono, mono) < -100


def test_mono_compatible_file_keeps_the_sum(job, run, stands_in):
    stands_in(Says(below(1500.0)))
    assert run(*spatialize(job, "--mono-compatible"))[0] == 0
    got = soundfile.read(job / "out.wav", dtype="float32")[0]
    mono = soundfile.read(job / "mono.wav", dtype="float32")[0]
    assert np.abs(got.sum(axis=1) - mono).max() < 2**-21
    assert db(got[:, 0] - got[:, 1], mono) > -30
    minimum = minimum_phase_hrirs(load_hrirs("mit_kemar", RATE))
    expected = spatialize_mixture(
        Audio(mono[None], RATE), Scene.load(job / "scene.json"), minimum, mono_compatible=True
    ).samples
    assert db(got.T - expected, expected) < -60


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--steps", "0"), 2, "`steps` is 0 but must be between 1 and 50"),
        (("--guidance", "-1"), 2, "`guidance` is -1.0 but must be between 0 and 10"),
        (("--weights", "nothing.safetensors"), 2, "`weights` is 'nothing.safetensors' but must be"),
        (("--weights", "WAV"), 2, "must be a separator's weights"),
        (("--stems", "FULL"), 2, "is not empty"),
        (("--stems", "WAV"), 2, "is a file"),
        (("--stems", "nowhere/stems"), 2, "does not exist"),
        (("--stems", "STEMS", "--spatializer", "hrir"), 2, "`stems` needs the separator"),
        (("--spatializer", "magic"), 2, "magic"),
        *([] if torch.cuda.is_available() else [(("--device", "cuda"), 2, "`device` is 'cuda'")]),
    ],
)
def test_bad_options_leave_nothing_behind(job, run, options, code, said):
    (job / "full").mkdir()
    (job / "full" / "kept.txt").write_text("kept")
    before = sorted(job.rglob("*"))
    names = {"WAV": job / "mono.wav", "FULL": job / "full", "STEMS": job / "stems"}
    got = run(*spatialize(job, *(names.get(option, option) for option in options)))
    assert got[0] == code
    assert said in got[2]
    assert sorted(job.rglob("*")) == before


@pytest.mark.parametrize(("shared", "options"), [(PAIR, ()), (PAIR[:1], ("--phase", "minimum"))])
def test_sounds_of_their_own_are_added_to_what_shares_the_track(job, run, stands_in, shared, options):
    """Each part as if it were alone, heard with the same responses: they are late by the same."""
    stands_in(Says(below(1500.0)))
    soundfile.write(job / "voice.wav", 0.5 * noise(1.5, 1).samples[0], RATE, subtype="FLOAT")
    own = replace(source("bird", 100), audio=str(job / "voice.wav"))
    got = {}
    for name, sources in {"all": (*shared, own), "shared": shared, "own": (own,)}.items():
        scene(*sources).save(job / "scene.json")
        phase = ("--phase", "minimum") if name == "own" else options
        code, _, said = run(*spatialize(job, "--overwrite", *phase))
        assert code == 0, said
        got[name] = soundfile.read(job / "out.wav")[0]
    assert np.linalg.norm(got["own"]) > 0.1 * np.linalg.norm(got["shared"])
    assert db(got["all"] - got["shared"] - got["own"], got["all"]) < -90


def test_blocks_cut_otherwise_are_put_side_by_side():
    sound = noise(0.01).samples
    for cuts, others in (([100, 250], [30, 31, 400]), ([1], []), ([], [1, 2, 3])):
        pairs = list(
            spatialize_file._alongside(
                iter(np.split(sound, cuts, axis=1)), np.split(np.tile(sound, (2, 1)), others, axis=1)
            )
        )
        assert all(a.shape[1] == b.shape[1] for a, b in pairs)
        assert np.array_equal(np.concatenate([a for a, _ in pairs], axis=1), sound)


def test_stems_of_a_loud_sound_still_add_up(job, run, stands_in):
    """The first partial of a square wave is larger than the wave."""
    stands_in(Says(below(1500.0)))
    loud = 0.98 * np.sign(tone(1.5, 500.0).samples[0])
    soundfile.write(job / "mono.wav", loud, RATE, subtype="FLOAT")
    assert run(*spatialize(job, "--stems", job / "stems"))[0] == 0
    stems = [soundfile.read(f)[0] for f in sorted((job / "stems").iterdir())]
    assert np.abs(stems).max() > 1.1
    assert db(np.sum(stems, axis=0) - loud, loud) < -100


def test_stems_never_replace_what_is_read_nor_the_output(job, run, stands_in):
    stands_in(pytest.fail)
    (job / "stems").mkdir()
    kept = (job / "mono.wav").rename(job / "stems" / "00-dog.wav").read_bytes()
    (job / "mono.wav").symlink_to(job / "stems" / "00-dog.wav")
    more = ("--stems", job / "stems", "--overwrite")
    code, _, said = run(*spatialize(job, *more))
    assert code == 2 and "00-dog.wav is the input" in said
    assert (job / "stems" / "00-dog.wav").read_bytes() == kept
    code, _, said = run(*spatialize(job, *more, "-o", job / "stems" / "01-car.wav"))
    assert code == 2
    (job / "mono.wav").unlink()
    (job / "stems" / "00-dog.wav").rename(job / "mono.wav")
    code, _, said = run(*spatialize(job, *more, "-o", job / "stems" / "01-car.wav"))
    assert code == 2 and "is the name of one of the stems" in said
    assert not list((job / "stems").iterdir())


def test_a_wav_that_its_header_could_not_count_is_rf64(job, run, monkeypatch):
    scene(PAIR[0]).save(job / "scene.json")
    for limit, form in ((72_000 * 2 * 3, "WAV"), (72_000 * 2 * 3 - 1, "RF64")):
        monkeypatch.setattr("foleyspace.soundtrack.RF64_BYTES", limit)
        assert run(*spatialize(job, "--overwrite"))[0] == 0
        info = soundfile.info(job / "out.wav")
        assert (info.format, info.subtype, info.frames) == (form, "PCM_24", 72_000)


def test_stems_go_into_a_full_folder_only_when_allowed(job, run, stands_in):
    stands_in(Says([0.5, 0.5]))
    (job / "full").mkdir()
    (job / "full" / "kept.txt").write_text("kept")
    assert run(*spatialize(job, "--stems", job / "full", "--overwrite"))[0] == 0
    assert sorted(f.name for f in (job / "full").iterdir()) == ["00-dog.wav", "01-car.wav", "kept.txt"]


def test_stems_of_sources_with_sounds_of_their_own_are_refused(job, run):
    own = [replace(each, audio=str(job / "mono.wav")) for each in PAIR]
    scene(*own).save(job / "scene.json")
    code, _, said = run(*spatialize(job, "--stems", job / "stems"))
    assert (code, "`stems` needs sources that share" in said) == (2, True)
    assert not (job / "stems").exists()


def test_out_of_memory_on_the_command_line(job, run, stands_in):
    stands_in(Short(0, MemoryError))
    code, _, said = run(*spatialize(job))
    assert (code, "out of memory" in said) == (1, True)
    assert not (job / "out.wav").exists()


def test_too_many_sources_on_the_command_line(job, run):
    """Asked for, they are refused; left to itself, it gives each its share and says so."""
    scene(*(source(f"s{i}", label="dog") for i in range(MOST + 1))).save(job / "scene.json")
    code, _, said = run(*spatialize(job, "--spatializer", "diffusion"))
    assert (code, f"at most {MOST}" in said) == (2, True)
    assert run(*spatialize(job))[0] == 0
    assert "too many to take apart" in run.err


def between(id: str, start: float, end: float, **more) -> Source:
    """A source that sounds from `start` to `end` s."""
    times = [start - 0.1, start, end, end + 0.1]
    return source(id, times=times, gain_db=[-96.0, 0.0, 0.0, -96.0], **more)


def test_sources_far_apart_in_time_share_a_row():
    """A film has thousands of sources: what is held grows with those that sound together."""
    film = [between(f"s{i}", 5.0 * i, 5.0 * i + 6) for i in range(40)]
    rows = rows_of(film)
    assert rows.max() == 1
    for row in (0, 1):
        spans = sorted(audible_span(s) for s, r in zip(film, rows, strict=True) if r == row)
        assert all(a[1] < b[0] for a, b in pairwise(spans))
    assert list(rows_of(PAIR)) == [0, 1]


def test_shared_rows_sound_as_rows_of_their_own(stands_in, kemar):
    stands_in(
        lambda features, labels, activity, share, *_, **__: 3 * share + torch.log(activity + 1e-6)[:, :, None]
    )
    sources = [between("a", 0.2, 2.0, azimuth_deg=60), between("b", 1.0, 3.0, azimuth_deg=-60)]
    sources += [between("c", 4.0, 6.0, azimuth_deg=30), between("d", 5.0, 6.5, azimuth_deg=-90)]
    mono, options = noise(7.0), SeparatorOptions(device="cpu")
    rows = rows_of(sources)
    assert rows.max() == 1

    def rendered(rows):
        blocks = separated_blocks([mono.samples], sources, options, rows)
        return np.concatenate(
            list(render_blocks(blocks, placed(sources), kemar, channels=rows.tolist())), axis=1
        )

    alone, shared = rendered(np.arange(4)), rendered(rows)
    assert db(shared - alone, alone) < -100


def test_what_has_its_row_from_another_sounds_at_its_own_place_only():
    """However far apart the points of shared gains are: a hand-made scene has few."""
    half, ends = 20 * np.log10(0.5), (0.0, 8.0)
    first = Source("a", "dog", [0, 4, 4.01, 8], on_circle(80, 4), gain_db=[half, half, -96, -96])
    second = Source("b", "bird", [0, 4.6, 4.61, 8], on_circle(-80, 4), gain_db=[-96, -96, half, half])
    always = Source("c", "car", [*ends], on_circle(0, 2), gain_db=[half, half])
    assert list(rows_of([first, second, always])) == [0, 0, 1]
    before, after = without_shares(first), without_shares(second)
    times = np.linspace(*ends, 801)
    assert (gain(before, times[times <= 4]) == 1).all()
    assert not gain(before, times[times > 4.25]).any()
    assert (gain(after, times[times >= 4.61]) == 1).all()
    assert not gain(after, times[times < 4.35]).any()
    assert np.allclose(np.linalg.norm(before.xyz, axis=1), 2)


def on_circle(azimuth_deg: float, points: int) -> np.ndarray:
    return np.tile(angles_to_xyz(np.array([azimuth_deg, 0.0]), np.array(2.0)), (points, 1))


def test_the_end_of_a_sound_is_judged_with_what_came_before_it(stands_in):
    """The last window looks back as far as the others, not at the silence beyond the end."""
    net = stands_in(Says(below(1500.0)))
    separate(noise(5.0), scene(*PAIR))
    assert net.asked == [5 * RATE // HOP + 1 + 2 * EDGE]
    net.asked.clear()
    separate(noise(9.0), scene(*PAIR))
    assert net.asked == [WINDOW, WINDOW]


def test_render_takes_a_shared_track_apart(tmp_path, run, stands_in):
    """Low sound to the left, high sound to the right of the video's own track."""
    net = stands_in(Says(below(1500.0)))
    clip = plain_clip(tmp_path)
    scene(source("dog", 80), source("car", -80), seconds=2).save(tmp_path / "scene.json")
    out = tmp_path / "out.mkv"
    code, printed, said = run(
        "render", clip, "-o", out, "--scene", tmp_path / "scene.json", "--audio-codec", "flac", "--json"
    )
    assert code == 0, said
    assert net.asked
    assert any("takes it apart" in line for line in json.loads(printed)["decisions"])
    assert len(heard(out)[1]) > RATE
    stereo = _both(out)
    assert ild_db(stereo, (3000, 12000)) > 6
    assert ild_db(stereo, (100, 1000)) < -3
    stands_in(pytest.fail)
    other = tmp_path / "hrir.mkv"
    code, *_ = run(
        *("render", clip, "-o", other, "--scene", tmp_path / "scene.json", "--audio-codec", "flac"),
        *("--spatializer", "hrir"),
    )
    assert code == 0
    assert abs(ild_db(_both(other), (3000, 12000))) < 3


def _both(path):
    from media import ffmpeg

    data = ffmpeg("-i", path, "-map", "0:a:0", "-f", "f32le", "-")
    return np.frombuffer(data, np.float32).reshape(-1, 2).T


def test_the_module_costs_no_torch_to_import():
    import subprocess

    code = "import sys; import foleyspace.spatializer.inference; print([m for m in ('torch', 'scipy.signal') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_defaults_are_the_same_everywhere():
    from foleyspace.pipelines.spatialize import SoundConfig

    options, config = SeparatorOptions(), SoundConfig()
    for name in ("weights", "device", "steps", "guidance", "seed", "offline"):
        assert getattr(options, name) == getattr(config, name), name
    assert inference.SMALLEST * 2 <= WINDOW
