"""Training data: batches that add up, scenes in balance, and truth that is what the renderer gives."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from soundfolder import FIVE, write_sounds

from foleyspace.camera import angles_to_xyz
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.hrir import load_hrirs
from foleyspace.hrtf import resolve_hrtf
from foleyspace.renderer import render
from foleyspace.spatializer.bands import HOP, RATE
from foleyspace.spatializer.conditioning import vectors_by_label
from foleyspace.spatializer.dataset import (
    KNOTS,
    MOST_DB,
    SOURCES,
    Batch,
    batches,
    draw_batch,
    draw_count,
    draw_mixture,
    with_truth,
)
from foleyspace.spatializer.hrtfs import find_sets, load_bank
from foleyspace.spatializer.rendering import render_batch
from foleyspace.spatializer.scenes import MOTIONS, draw_path
from foleyspace.spatializer.sounds import SoundSet, draw_weights, load_sounds, split_halves
from foleyspace.tagger_data import half_of
from foleyspace.types import Audio, Scene, Source

SETS = ("mit_kemar", "spherical_head")
FRAMES = 24
N = 2 * RATE + 77  # no whole number of blocks


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def bank():
    return load_bank([resolve_hrtf(name) for name in SETS])


@pytest.fixture(scope="module")
def hrirs():
    return {name: load_hrirs(name) for name in SETS}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    return load_sounds(write_sounds(tmp_path_factory.mktemp("sounds") / "s", FIVE))


def pink(seed: int = 0, n: int = N) -> np.ndarray:
    """Noise (1, n) of equal power an octave, as sounds roughly are."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 40)), n)
    return (0.1 * noise / noise.std()).astype(np.float32)[None]


def rendered(bank, signals: np.ndarray, xyz: np.ndarray, which: int = 0) -> np.ndarray:
    """One piece: signals (K, n), xyz (K, T, 3)."""
    placed = torch.from_numpy(xyz[None].astype(np.float32))
    return render_batch(torch.from_numpy(signals)[None], placed, bank, torch.tensor([which]))[0].numpy()


def exact(hrirs, signals: np.ndarray, xyz: np.ndarray) -> np.ndarray:
    seconds = signals.shape[1] / RATE
    times = np.linspace(0, seconds, xyz.shape[1])
    sources = tuple(Source(str(i), "x", times, path) for i, path in enumerate(xyz))
    return render([Audio(signal, RATE) for signal in signals], Scene(sources, seconds), hrirs).samples


def error_db(got: np.ndarray, true: np.ndarray) -> float:
    return float(10 * np.log10(np.square(got - true).sum() / np.square(true).sum() + 1e-15))


@pytest.mark.parametrize("name", SETS)
def test_at_rest_at_a_measured_direction_it_is_the_renderer(bank, hrirs, name):
    xyz = hrirs[name].xyz[:: len(hrirs[name].xyz) // 7]
    for point in xyz / np.linalg.norm(xyz, axis=1, keepdims=True) * 2:
        path = np.repeat(point[None, None], KNOTS, axis=1)
        got = rendered(bank, pink(), path, SETS.index(name))
        assert error_db(got, exact(hrirs[name], pink(), path)) < -50


@pytest.mark.parametrize("motion", [motion for motion in MOTIONS if motion != "static"])
@pytest.mark.parametrize(("name", "limit_db"), [("mit_kemar", -26), ("spherical_head", -22)])
def test_on_the_way_it_is_near_the_renderer(bank, hrirs, motion, name, limit_db):
    """Between directions the two interpolate differently: what is left is less than either's own error."""
    times = np.linspace(0, N / RATE, KNOTS)
    path = draw_path(motion, times, np.random.default_rng(2))[None]
    path *= np.maximum(1, 1 / np.linalg.norm(path, axis=-1, keepdims=True))
    got = rendered(bank, pink(), path, SETS.index(name))
    assert error_db(got, exact(hrirs[name], pink(), path)) < limit_db


def test_nearby_each_ear_has_its_own_direction(bank, hrirs):
    path = np.repeat(np.array([[[0.1, 0.3, 0.05]]]), KNOTS, axis=1)
    got, true = rendered(bank, pink(), path), exact(hrirs["mit_kemar"], pink(), path)
    assert error_db(got, true) < -20
    far = rendered(bank, pink(), 10 * path)
    assert ild_db(got) > ild_db(far) + 2  # the near ear is nearer by a head's width
    assert ild_db(got) == pytest.approx(ild_db(true), abs=0.5)


def ild_db(stereo: np.ndarray) -> float:
    """Left over right."""
    return float(20 * np.log10(stereo[0].std() / stereo[1].std()))


def test_many_sources_are_the_sum_of_each(bank):
    """Linear: to float32's rounding."""
    signals = np.concatenate([pink(i) for i in range(3)])
    times = np.linspace(0, N / RATE, KNOTS)
    paths = np.stack([draw_path("arc", times, np.random.default_rng(i)) for i in range(3)])
    together = rendered(bank, signals, paths)
    each = sum(rendered(bank, signals[i : i + 1], paths[i : i + 1]) for i in range(3))
    assert error_db(together, each) < -110
    assert error_db(rendered(bank, 0.5 * signals, paths), 0.5 * together) < -110
    assert not rendered(bank, 0 * signals, paths).any()


def test_halves_are_heard_by_who_has_not_learned_them(bank, sounds):
    """Twelve copies of the five sounds under other names: every batch is of one half, and names the tagger
    of the other; what was held aside from both may be in either."""
    many = tuple(
        replace(s, name=f"{n}-{s.name}", label=f"{s.label} {n}") for n in range(12) for s in sounds.sounds
    )
    halves = split_halves(SoundSet(many, draw_weights(list(many))))
    assert {half_of(s.name) for s in halves[0].sounds} == {0, None}
    assert {half_of(s.name) for s in halves[1].sounds} == {1, None}
    assert {s.name for half in halves for s in half.sounds} == {s.name for s in many}
    seen = set()
    made = batches(SoundSet(many, draw_weights(list(many))), bank, 2, FRAMES, 0, halves=True)
    known = [vectors_by_label(half.labels, offline=True) for half in halves]
    for _ in range(8):
        batch = next(made)
        unknown_to_it = known[1 - int(batch.stranger)]
        for vector in batch.labels.flatten(0, 1).numpy():
            assert any(np.array_equal(vector, other) for other in unknown_to_it.values())
        seen.add(int(batch.stranger))
    assert seen == {0, 1}


def test_a_mirrored_path_swaps_the_ears(bank):
    """The spherical head is symmetric; KEMAR's two ears were measured apart."""
    times = np.linspace(0, N / RATE, KNOTS)
    path = draw_path("arc", times, np.random.default_rng(1))[None]
    for which, limit in ((0, -12), (1, -40)):
        got = rendered(bank, pink(), path * [1, -1, 1], which)
        assert error_db(got[::-1], rendered(bank, pink(), path, which)) < limit


def test_each_piece_is_heard_with_its_own_set_and_alone(bank):
    signals = torch.from_numpy(np.stack([pink(i) for i in range(3)]))
    path = torch.from_numpy(np.repeat([[[[1.0, 2.0, 0.0]]]], 3, axis=0).astype(np.float32))
    which = torch.tensor([0, 1, 0])
    got = render_batch(signals, path, bank, which)
    assert got.shape == (3, 2, N)
    for i in range(3):
        assert torch.equal(
            got[i], render_batch(signals[i : i + 1], path[i : i + 1], bank, which[i : i + 1])[0]
        )
    other = render_batch(signals, path, bank, 1 - which)
    assert error_db(other.numpy(), got.numpy()) > -20


@pytest.mark.parametrize("n", [1, 500, 512, 1024, 5000])
def test_any_length(bank, hrirs, n):
    point = hrirs["mit_kemar"].xyz[100]
    path = np.repeat(point[None, None], 2, axis=1)
    got = rendered(bank, pink(n=max(n, 40))[:, :n].copy(), path)
    assert got.shape == (2, n)
    assert np.allclose(got, exact(hrirs["mit_kemar"], pink(n=max(n, 40))[:, :n].copy(), path), atol=1e-4)


def test_a_left_source_is_heard_left_and_first(bank):
    path = np.repeat(angles_to_xyz(np.array([[[60.0, 0.0]]]), np.array([[2.0]])), 2, axis=1)
    left, right = rendered(bank, pink(), path)
    assert left.std() > 2 * right.std()
    lag = np.fft.irfft(np.fft.rfft(left).conj() * np.fft.rfft(right), N)
    assert 10 < int(lag[:60].argmax()) < 40


def test_stems_add_up_and_absent_slots_are_silent(sounds, bank):
    drawn = batches(sounds, bank, 3, FRAMES, seed=1)
    absent = 0
    for _ in range(15):
        batch = next(drawn)
        slots = batch.stems.shape[1]
        assert torch.equal(batch.mixture, batch.stems.sum(dim=1))
        assert torch.equal(batch.present, batch.stems.abs().amax(dim=-1) > 0)
        assert batch.mixture.shape == (3, FRAMES * HOP)
        assert batch.labels.shape == (3, slots, 384)
        assert (batch.labels.norm(dim=-1) > 0.9).all()
        assert batch.xyz.shape == (3, slots, KNOTS, 3)
        assert batch.activity.shape == (3, slots, FRAMES)
        assert batch.activity.min() >= 0
        assert batch.activity.max() <= 1
        assert torch.isfinite(batch.stems).all()
        absent += int((~batch.present[:, -1]).all())
        assert batch.present[:, : max(slots - 1, 1)].float().mean() > 0.6
    assert absent > 0


def test_rows_and_sets_belong_together(sounds, bank):
    batch = next(batches(sounds, bank, 4, FRAMES, seed=3))
    for rows, which in zip(batch.rows, batch.which.tolist(), strict=True):
        assert bank.first[which] <= rows.min()
        assert rows.max() < bank.first[which + 1]


def same(first: Batch, second: Batch) -> bool:
    for name in (field.name for field in fields(Batch)):
        a, b = getattr(first, name), getattr(second, name)
        if (a is None) != (b is None) or (a is not None and not torch.equal(a, b)):
            return False
    return True


def test_the_same_number_is_the_same_batch(sounds, bank):
    first = batches(sounds, bank, 2, FRAMES, seed=5)
    known = [next(first) for _ in range(4)]
    assert same(next(batches(sounds, bank, 2, FRAMES, seed=5, first=3)), known[3])
    assert not same(known[0], known[1])
    assert not same(next(batches(sounds, bank, 2, FRAMES, seed=6)), known[0])


def test_processes_draw_other_pieces_of_as_many_slots(sounds, bank):
    first, second = (batches(sounds, bank, 2, FRAMES, seed=5, rank=rank) for rank in (0, 1))
    for _ in range(4):
        one, other = next(first), next(second)
        assert one.stems.shape == other.stems.shape
        assert not torch.equal(one.mixture, other.mixture)
    other = batches(sounds, bank, 2, FRAMES, seed=5, first=1, step=2)
    assert same(next(other), _nth(sounds, bank, 1))
    assert same(next(other), _nth(sounds, bank, 3))


def _nth(sounds, bank, number):
    return next(batches(sounds, bank, 2, FRAMES, seed=5, first=number))


def test_truth_is_every_stem_from_its_place(sounds, bank, hrirs):
    batch = next(batches(sounds, bank, 2, FRAMES, seed=8))
    assert batch.truth is None
    heard = with_truth(batch, bank)
    assert heard.truth.shape == (2, 2, FRAMES * HOP)
    assert same(with_truth(batch, bank), heard)
    for i in range(2):
        true = exact(hrirs[SETS[int(batch.which[i])]], batch.stems[i].numpy(), batch.xyz[i].double().numpy())
        assert error_db(heard.truth[i].numpy(), true) < -15


def test_a_batch_moves_with_and_without_truth(sounds, bank):
    batch = next(batches(sounds, bank, 1, FRAMES, seed=8))
    assert batch.to("cpu").truth is None
    assert same(batch.to("cpu"), batch)
    moved = with_truth(batch, bank).to("meta")
    there = {field.name: getattr(moved, field.name) for field in fields(moved)}
    for name in ("stranger", "prompt", "prompt_flipped"):  # nobody in particular listens, nothing is said
        assert there.pop(name) is None
    assert all(part.device.type == "meta" for part in there.values())


def test_sounds_differ_in_a_mixture_and_levels_are_within_their_limit(sounds):
    levels = []
    for i in range(60):
        mixture = draw_mixture(sounds, 3, RATE, np.random.default_rng(i), knots=5)
        assert len(set(mixture.labels)) == 3
        assert mixture.labels == tuple(sound.label for sound in mixture.sounds)
        assert mixture.paths.shape == (3, 5, 3)
        levels += mixture.level_db
    assert np.abs(levels).max() <= MOST_DB
    # most mixtures are of like levels, some are not
    assert 2 < np.std(levels) < 4 and np.median(np.abs(levels)) < 2
    assert max(map(abs, levels)) > 6
    assert abs(np.mean(levels)) < 4 * 5 / np.sqrt(180)


def test_sounds_are_of_one_kind_as_often_as_asked(sounds):
    """Where there are enough of them; speech and people's other sounds are one kind."""
    loud = {
        "dog": "animal",
        "cat": "animal",
        "talk": "speech",
        "laugh": "human",
        "cough": "human",
        "drum": "instrument",
    }
    each = tuple(
        replace(sounds.sounds[0], name=f"{name}.wav", label=name, kind=kind) for name, kind in loud.items()
    )
    few = SoundSet(each, draw_weights(list(each)))

    def families(akin: float) -> list[int]:
        drawn = (draw_mixture(few, 2, 1000, np.random.default_rng(i), akin=akin).labels for i in range(60))
        return [len({loud[label].replace("speech", "human") for label in labels}) for labels in drawn]

    drums = sum(
        "drum" in draw_mixture(few, 2, 1000, np.random.default_rng(i), akin=1.0).labels[:1] for i in range(60)
    )
    assert families(1.0).count(2) == drums and 0 < drums < 30  # one drum alone has no like
    assert families(0.0).count(2) > 30


def test_noise_comes_as_often_as_asked(sounds):
    """Noise fills what a gate shut: some samples of a mixture without are exactly zero, with it none."""
    noisy = [draw_mixture(sounds, 2, RATE, np.random.default_rng(i), noise=1.0) for i in range(5)]
    assert all((np.diff(np.abs(m.stems).sum(axis=0)) != 0).mean() > 0.99 for m in noisy)
    clean, with_it = (
        draw_mixture(sounds, 2, RATE, np.random.default_rng(4), noise=often).stems for often in (0.0, 1.0)
    )
    added = 20 * np.log10((with_it - clean).sum(axis=0).std() / clean.sum(axis=0).std())
    assert -51 < added < -24


def test_the_number_of_sources_is_drawn_as_stated():
    rng = np.random.default_rng(0)
    drawn = [draw_count(rng) for _ in range(2000)]
    for count, share in SOURCES.items():
        assert abs(drawn.count(count) / 2000 - share) < 4 * 0.5 / np.sqrt(2000)
    assert max(draw_count(rng, 2) for _ in range(100)) == 2


@pytest.mark.parametrize("labels", [1, 2])
def test_a_folder_of_few_labels_is_enough(tmp_path, bank, labels):
    """It must not search for labels that are not there, for ever."""
    kinds = list(dict.fromkeys(FIVE.values()))[:labels]
    files = {f"{i}{k}.wav": kinds[k] for i in range(3) for k in range(labels)}
    few = load_sounds(write_sounds(tmp_path / "s", files))
    vectors = vectors_by_label(few.labels, offline=True)
    for i in range(8):
        batch = draw_batch(few, bank, vectors, 2, 8, np.random.default_rng(i))
        assert 1 <= batch.stems.shape[1] <= labels
    with pytest.raises(InputError, match=f"`count` is 3 but must be {labels} or less"):
        draw_mixture(few, 3, 1000, np.random.default_rng(0))


def test_short_pieces_have_activities_of_their_length(sounds, bank):
    """Smoothing reaches over 60 frames: pieces of 4 are shorter than that."""
    for i in range(12):
        assert next(batches(sounds, bank, 2, 4, seed=i)).activity.shape[-1] == 4


def test_sets_are_split_for_good(tmp_path):
    for i in range(20):
        (tmp_path / f"{i}.sofa").touch()
    train, held = find_sets(tmp_path), find_sets(tmp_path, "held")
    assert len(held) == 2
    assert not set(train) & set(held)
    assert len(train) + len(held) == 20


def test_a_folder_without_sets_and_sets_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match=r"`hrtfs` is .* but must be a folder with SOFA files"):
        find_sets(tmp_path)
    (tmp_path / "bad.sofa").write_text("nothing")
    with pytest.raises(FoleyspaceError, match="no HRIR set could be read"):
        load_bank(find_sets(tmp_path))
