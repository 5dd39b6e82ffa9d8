"""The tagger inside the separator: it hears what the tagger hears, patch by patch, and is doubted in training."""

from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch.nn import functional  # noqa: E402

from foleyspace.spatializer.bands import BANDS, HOP, RATE, band_power, level_features, spectrum  # noqa: E402
from foleyspace.spatializer.between import at_places  # noqa: E402
from foleyspace.spatializer.ears import (  # noqa: E402
    CHANNELS,
    DOUBTED,
    EMPHASIS,
    MOST_DOUBT,
    ROWS,
    SPAN,
    Ears,
    doubts,
    on_grid,
)
from foleyspace.tagger import EmbeddedTagger  # noqa: E402

FRAMES = 144


@pytest.fixture(scope="module")
def tagger() -> EmbeddedTagger:
    torch.set_num_threads(1)
    return EmbeddedTagger("cpu", offline=True)


@pytest.fixture(scope="module")
def ears(tagger) -> Ears:
    ears = Ears()
    ears.net.load_state_dict(tagger.net.state_dict())
    return ears.eval()


def features(samples: np.ndarray) -> torch.Tensor:
    sound = torch.from_numpy(samples.astype(np.float32))
    return level_features(band_power(spectrum(sound)[..., :FRAMES]))[None]


def chirps(seconds: float, low_hz: float, high_hz: float, seed: int = 0) -> np.ndarray:
    """Something that changes, with some noise."""
    t = np.arange(round(seconds * RATE)) / RATE
    sweep = np.sin(2 * np.pi * (low_hz * t + (high_hz - low_hz) * (t % 0.5) ** 2))
    noise = np.random.default_rng(seed).standard_normal(len(t)) * (np.sin(2 * np.pi * 1.3 * t) > 0.5)
    return 0.2 * sweep + 0.05 * noise


@pytest.mark.parametrize("dim", [0, 1, 2, -1, -2, -3])
def test_reading_between_is_on_straight_lines_and_the_ends_hold(dim):
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 4, 5)))
    at = torch.tensor([-1.0, 0.0, 0.25, 1.5, 2.0, 9.0])
    along = np.arange(x.shape[dim])
    wanted = np.apply_along_axis(lambda row: np.interp(at.numpy(), along, row), dim, x.numpy())
    np.testing.assert_allclose(at_places(x, at, dim).numpy(), wanted, atol=1e-12)
    np.testing.assert_array_equal(at_places(x, torch.arange(x.shape[dim]), dim), x)  # whole numbers too


def test_it_hears_what_the_tagger_hears(ears, tagger):
    """Another rate, window and hop, the same vectors: cosine over 0.9 wherever both have a full window."""
    samples = chirps(FRAMES * HOP / RATE, 400, 3000)
    _, wanted = tagger.embed(samples.astype(np.float32), RATE)
    heard = ears(features(samples))
    mean = functional.avg_pool1d(heard.mean(dim=2), SPAN, 1, SPAN // 2, count_include_pad=False)
    most = functional.max_pool1d(heard.amax(dim=2), SPAN, 1, SPAN // 2)
    vectors = functional.normalize(ears.net.project(torch.cat((mean, most), dim=1).transpose(1, 2)), dim=-1)[
        0
    ]
    middle = vectors[4:8].numpy() @ wanted[2:5].T
    assert middle.max(axis=1).min() > 0.9
    assert middle.shape == (4, 3)


def test_level_does_not_matter(ears):
    samples = chirps(FRAMES * HOP / RATE, 400, 3000)
    torch.testing.assert_close(ears(features(samples)), ears(features(0.01 * samples)), atol=2e-2, rtol=1e-2)


def test_evidence_names_the_right_sound(ears, tagger):
    """Cosines of words: within limits, larger for the word nearest to what is heard, zero without a label."""
    heard = ears(features(chirps(FRAMES * HOP / RATE, 400, 3000)))
    assert heard.shape[1:3] == (CHANNELS, ROWS)
    words = ("bird", "rain", "drum", "speech", "engine", "bell")
    labels = torch.from_numpy(np.vstack([tagger.word_vectors(words), np.full(384, np.nan, np.float32)]))[None]
    evidence = ears.evidence(heard, labels)
    assert evidence.shape == (1, 7, 2, ROWS, heard.shape[-1])
    assert evidence.abs().max() <= EMPHASIS + 1e-4
    assert not evidence[0, -1].any()
    together = evidence[0, :-1, 1]
    torch.testing.assert_close(together[:, 0], together[:, -1])  # the same for all rows
    assert together.std(dim=0).max() > 0.05  # words differ


def test_doubt_moves_what_is_heard_towards_a_label(ears, tagger):
    heard = ears(features(chirps(FRAMES * HOP / RATE, 400, 3000)))
    labels = torch.from_numpy(tagger.word_vectors(("rain", "trumpet")))[None]
    plain = ears.evidence(heard, labels)
    doubted = ears.evidence(heard, labels, labels[:, 1])
    assert (doubted[:, 1] > plain[:, 1]).all()


def test_three_pieces_in_ten_are_doubted():
    torch.manual_seed(0)
    labels = functional.normalize(torch.randn(4000, 3, 384), dim=-1)
    labels[:, 2] = torch.nan
    length = doubts(labels).norm(dim=-1)
    assert torch.isfinite(length).all()
    assert length.max() <= MOST_DOUBT + 1e-4
    # a third of the doubts fall on the label that is not there
    assert (length > 0).float().mean() == pytest.approx(DOUBTED * 2 / 3, abs=0.03)


def test_it_stays_as_it_was_taught(ears):
    assert not any(parameter.requires_grad for parameter in ears.parameters())
    assert not ears.train().net.training


@pytest.mark.parametrize("step", [1, 2, 8])
def test_the_grid_is_ours(step):
    """Patches keep their order in time and frequency, and a constant stays one."""
    grid = on_grid(torch.full((1, ROWS, 12), 2.0), FRAMES, step)
    assert grid.shape == (1, BANDS // step, FRAMES // step)
    torch.testing.assert_close(grid, torch.full_like(grid, 2.0))
    rows = on_grid(torch.arange(ROWS).float()[:, None].expand(ROWS, 12), FRAMES, step)
    times = on_grid(torch.arange(12).float().expand(ROWS, 12), FRAMES, step)
    assert (rows.diff(dim=0) >= 0).all() and rows[0, 0] < 0.1 and rows[-1, 0] > ROWS - 1.5
    assert (times.diff(dim=1) >= 0).all() and times[0, -1] > 10.5


def test_a_stranger_listens_with_its_own_ears(ears, tagger):
    """One that is a copy says the same, one that has learned nothing something else; neither is saved."""
    other = Ears()
    other.net.load_state_dict(tagger.net.state_dict())
    other.strangers = (copy.deepcopy(other.net), Ears().net)
    other.eval()
    for net in other.strangers:
        net.eval()
    sound = features(chirps(FRAMES * HOP / RATE, 400, 3000))
    labels = torch.from_numpy(tagger.word_vectors(("bird", "rain")))[None]
    own, copied, naive = (other.evidence(other(sound, who), labels, None, who) for who in (None, 0, 1))
    torch.testing.assert_close(own, ears.evidence(ears(sound), labels))
    torch.testing.assert_close(own, copied)
    assert (own - naive).abs().mean() > 0.05
    assert other.words(other(sound, 0), 0).shape == (1, 384, ROWS, other(sound).shape[-1])
    assert set(other.state_dict()) == set(ears.state_dict())
