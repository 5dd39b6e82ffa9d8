"""The separator's parts: bands, bridge, network, losses, steps. An untrained net is enough for most."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from foleyspace.spatializer import flow  # noqa: E402
from foleyspace.spatializer.bands import (  # noqa: E402
    BANDS,
    BINS,
    HOP,
    RATE,
    SINGLE,
    band_of_bin,
    band_power,
    level_features,
    spectrum,
    to_bins,
)
from foleyspace.spatializer.losses import terms  # noqa: E402
from foleyspace.spatializer.model import NetConfig, SeparatorNet  # noqa: E402
from foleyspace.spatializer.sampling import masked_stems, predicted_masks  # noqa: E402

FRAMES = 32
LABELS = 384


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def net() -> SeparatorNet:
    """Small and untrained, but with opinions: masks far from even."""
    torch.manual_seed(0)
    made = SeparatorNet(NetConfig((8, 8, 16, 16), 16)).eval()
    with torch.no_grad():
        made.query.weight.mul_(20)
        made.no_label.normal_()
    return made


def random(*shape: int, seed: int = 0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def inputs(slots: int, frames: int = FRAMES, size: int = 1):
    """Features, labels, activity, share, time."""
    features = 0.2 * random(size, BANDS, frames)
    labels = torch.nn.functional.normalize(random(size, slots, LABELS, seed=1), dim=-1)
    activity = random(size, slots, frames, seed=2).sigmoid()
    share = random(size, slots, BANDS, frames, seed=3).softmax(dim=1)
    return features, labels, activity, share, torch.full((size,), 0.3)


def sounding(seconds: float = 0.7, seed: int = 0):
    return 0.1 * random(round(seconds * RATE), seed=seed)


def decibels(part, whole) -> float:
    return float(20 * torch.log10(part.norm() / whole.norm() + 1e-12))


# --- bands


def test_bands_cover_every_bin_once_in_order():
    band = band_of_bin()
    assert band.shape == (BINS,)
    assert set(band) == set(range(BANDS))
    assert (np.diff(band) >= 0).all()
    assert (band[:SINGLE] == np.arange(SINGLE)).all()


def test_the_power_in_bands_is_all_the_power():
    spectra = torch.complex(random(BINS, 5), random(BINS, 5, seed=1))
    torch.testing.assert_close(band_power(spectra).sum(dim=0), spectra.abs().square().sum(dim=0))


def test_masks_that_sum_to_one_still_do_bin_by_bin():
    masks = random(3, BANDS, 7).softmax(dim=0)
    torch.testing.assert_close(to_bins(masks).sum(dim=0), torch.ones(BINS, 7))
    some = torch.tensor([0, 100, 1024])
    torch.testing.assert_close(to_bins(masks, some), to_bins(masks)[:, some])


def test_frames_are_centred_where_they_are_said_to_be():
    click = torch.zeros(20 * HOP)
    click[7 * HOP] = 1
    assert int(spectrum(click).abs().sum(dim=0).argmax()) == 7


def test_features_do_not_depend_on_the_level_of_the_recording():
    power = random(BANDS, 9).exp()
    torch.testing.assert_close(level_features(power), level_features(power * 1e-4), atol=1e-3, rtol=0)
    assert level_features(torch.zeros(BANDS, 9)).isfinite().all()


# --- the bridge


def test_the_bridge_begins_and_ends_where_it_should():
    mixture = torch.complex(random(1, BINS, 6), random(1, BINS, 6, seed=1))
    activity = random(1, 2, 6).sigmoid()
    first = flow.start(mixture, activity)
    torch.testing.assert_close(first.sum(dim=1), mixture)
    last = first.flip(1)
    noise = torch.complex(random(*first.shape, seed=2), random(*first.shape, seed=3))
    torch.testing.assert_close(flow.between(first, last, mixture, torch.zeros(1), noise), first)
    torch.testing.assert_close(flow.between(first, last, mixture, torch.ones(1), noise), last)


def test_a_step_along_the_bridge_lands_on_the_bridge():
    """From x_0.2 with the true stems as the prediction, x_0.6 has the mean and variance of the bridge there."""
    n = 200_000
    mixture = torch.full((1, 1, n), 2.0 + 0j)
    first, last = torch.zeros(1, 1, 1, n, dtype=torch.cfloat), torch.ones(1, 1, 1, n, dtype=torch.cfloat)

    def noise(seed: int):
        return torch.complex(random(1, 1, 1, n, seed=seed), random(1, 1, 1, n, seed=seed + 1)) * 0.5**0.5

    now = flow.between(first, last, mixture, torch.tensor([0.2]), noise(0))
    then = flow.advance(now, last, mixture, 0.2, 0.6, noise(2))
    assert float(then.real.mean()) == pytest.approx(0.6, abs=0.01)
    spread = (flow.SIGMA * 2.0) ** 2 * 0.6 * 0.4
    assert float((then - then.mean()).abs().square().mean()) == pytest.approx(spread, rel=0.02)


def test_shares_of_power_sum_to_one_and_the_start_needs_no_spectra():
    mixture = torch.complex(random(1, BINS, 6), random(1, BINS, 6, seed=1))
    activity = random(1, 3, 6).sigmoid()
    shares = flow.shares(flow.start(mixture, activity))
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(1, BANDS, 6))
    torch.testing.assert_close(shares, flow.start_shares(activity, BANDS), atol=1e-4, rtol=1e-3)


# --- the network


@pytest.mark.parametrize("slots", [1, 2, 5])
@pytest.mark.parametrize("frames", [1, 16, 37])
def test_any_number_of_slots_and_frames(net, slots, frames):
    with torch.inference_mode():
        logits = net(*inputs(slots, frames))
    assert logits.shape == (1, slots, BANDS, frames)
    assert logits.isfinite().all()


def test_the_order_of_the_slots_changes_nothing(net):
    features, labels, activity, share, time = inputs(4)
    order = [2, 0, 3, 1]
    with torch.inference_mode():
        straight = net(features, labels, activity, share, time)
        turned = net(features, labels[:, order], activity[:, order], share[:, order], time)
    assert straight.std() > 0.1
    torch.testing.assert_close(turned, straight[:, order], atol=1e-3, rtol=1e-3)


def test_the_frames_hear_the_beginning_and_the_end(net):
    """What is heard along time is not limited to a neighbourhood: the last frame counts for the first."""
    features, *more = inputs(2, frames=400)
    changed = features.clone()
    changed[..., 390:] += 0.1
    with torch.no_grad():
        differ = (net(features, *more) - net(changed, *more)).abs()
    assert differ[..., 0].max() > 1e-6


def test_pieces_of_a_batch_do_not_hear_each_other(net):
    whole = inputs(2, size=3)
    with torch.inference_mode():
        together = net(*whole)
        alone = net(*(each[1:2] for each in whole))
    torch.testing.assert_close(together[1:2], alone, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("changed", range(5))
def test_everything_it_is_told_counts(net, changed):
    told = list(inputs(2))
    with torch.inference_mode():
        before = net(*told)
        told[changed] = told[changed].roll(1, dims=-1) if told[changed].dim() > 1 else told[changed] + 0.5
        after = net(*told)
    assert (after.softmax(1) - before.softmax(1)).abs().max() > 1e-3


def test_slots_that_nothing_tells_apart_get_the_same(net):
    features, labels, *_ = inputs(3)
    even = torch.ones(1, 3, FRAMES)
    share = flow.start_shares(even, BANDS)
    with torch.inference_mode():
        withheld = net(features, torch.full_like(labels, torch.nan), even, share, torch.zeros(1))
    torch.testing.assert_close(
        withheld.softmax(1), torch.full((1, 3, BANDS, FRAMES), 1 / 3), atol=1e-3, rtol=0
    )


def test_both_views_of_the_labels_count_the_same(net):
    """Told the names and untold: the claims are the mean of both."""
    given = inputs(2)
    with torch.inference_mode():
        both = net(*given)
        each = []
        for view in (0, 1):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(SeparatorNet, "_views", lambda self, labels, k=view: [views(self, labels)[k]])
                each.append(net(*given))
    assert not torch.allclose(each[0], each[1])
    torch.testing.assert_close(both, (each[0] + each[1]) / 2)


views = SeparatorNet._views


def test_it_learns(net):
    """The gradient reaches every parameter but those of what has learned."""
    torch.manual_seed(0)  # some of the pieces are told their labels, some are not
    fresh = SeparatorNet(net.config)
    fresh(*inputs(2, size=6)).softmax(dim=1)[:, 0].square().sum().backward()
    idle = {n for n, p in fresh.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0}
    frozen = {n for n, p in fresh.named_parameters() if not p.requires_grad}
    assert all(name.startswith(("ears.", "recogniser.")) for name in frozen)
    assert idle <= {"query.bias", *frozen}


# --- steps and guidance


def ask(net, sound=None, **more):
    _, labels, activity, _, _ = inputs(2)
    sound = sounding(FRAMES * HOP / RATE) if sound is None else sound
    with torch.inference_mode():
        return predicted_masks(net, sound, labels[0], activity[0], **more)


@pytest.mark.parametrize("steps", [1, 3])
def test_masks_sum_to_one(net, steps):
    masks = ask(net, steps=steps, guidance=2.0)
    assert masks.shape == (2, BANDS, FRAMES)
    torch.testing.assert_close(masks.sum(dim=0), torch.ones(BANDS, FRAMES))


def test_the_seed_is_that_of_the_steps_after_the_first(net):
    assert torch.equal(ask(net, seed=1), ask(net, seed=2))
    assert torch.equal(ask(net, steps=3, seed=1), ask(net, steps=3, seed=1))
    assert not torch.equal(ask(net, steps=3, seed=1), ask(net, steps=3, seed=2))


def test_guidance_goes_from_no_labels_to_more_of_them(net):
    plain = ask(net, guidance=1.0)
    assert not torch.allclose(ask(net, guidance=3.0), plain)
    _, labels, activity, _, _ = inputs(2)
    with torch.inference_mode():
        sound = sounding(FRAMES * HOP / RATE)
        deaf, other = (
            predicted_masks(net, sound, each, activity[0], guidance=0.0) for each in (labels[0], -labels[0])
        )
    torch.testing.assert_close(deaf, other)


def test_a_silent_slot_gets_nothing_and_the_others_all(net):
    _, labels, activity, _, _ = inputs(3)
    known = activity[0].clone()
    known[1, 10:20] = 0
    known[:, 25:] = 0
    with torch.inference_mode():
        masks = predicted_masks(net, sounding(FRAMES * HOP / RATE), labels[0], known, steps=2)
    assert masks[1, :, 10:20].abs().max() == 0
    torch.testing.assert_close(masks[:, :, :25].sum(dim=0), torch.ones(BANDS, 25))
    assert masks[:, :, 25:].abs().max() == 0


@pytest.mark.parametrize("length", [1, 100, 1024, 3000, 20 * HOP + 7])
def test_stems_sum_to_the_sound(length):
    sound = random(length)
    masks = random(3, BANDS, max(1, -(-length // HOP))).softmax(dim=0)
    stems = masked_stems(sound, masks)
    assert stems.shape == (3, length)
    assert decibels(stems.sum(dim=0) - sound, sound) < -100


def test_ideal_masks_take_two_chords_apart():
    """Two harmonic sounds that share no band come apart as far as the windows let them."""
    t = torch.arange(48 * HOP) / RATE
    low, high = (sum(torch.sin(2 * torch.pi * f * k * t) / k for k in (1, 2, 3)) for f in (311.0, 2350.0))
    power = torch.stack([band_power(spectrum(each)[:, :48]) for each in (low, high)])
    stems = masked_stems(low + high, power / (power.sum(dim=0) + 1e-9))
    inner = slice(4 * HOP, -4 * HOP)
    for stem, true in zip(stems, (low, high), strict=True):
        assert decibels((stem - true)[inner], true[inner]) < -25


# --- what is optimised


def problem():
    """Stems that masks constant over bands and time make exactly, heard by ears that differ."""
    mixture = torch.complex(random(2, BINS, 16), random(2, BINS, 16, seed=1))
    tilt = torch.tensor([0.8, 0.3])[:, None, None, None]
    masks = torch.cat([tilt.expand(2, 1, BANDS, 16), (1 - tilt).expand(2, 1, BANDS, 16)], dim=1).contiguous()
    stems = to_bins(masks) * mixture[:, None]
    turn = torch.exp(-1j * torch.linspace(0, 40, BINS))
    spectra = torch.stack([torch.stack([turn, 0.3 * turn.conj()]), torch.stack([0.2 * turn.conj(), turn])])
    rows = torch.tensor([[[0, 0], [1, 1]]]).repeat(2, 1, 1)
    return masks, band_power(mixture), mixture, stems, spectra.to(torch.cfloat), rows


def test_the_truth_costs_least():
    masks, *rest = problem()
    exact = terms(masks, *rest)
    assert exact.binaural_db.max() < -29.9  # the floor
    assert exact.stems_db.max() < -29.9
    for part in (exact.ild_db, exact.ipd, exact.magnitude):
        assert part.abs().max() < 1e-3
    worse, swapped = terms(0.7 * masks + 0.15, *rest), terms(masks.flip(1), *rest)
    for name in exact.__annotations__:
        assert (getattr(worse, name) > getattr(exact, name) + 1e-4).all(), name
        assert (getattr(swapped, name) > getattr(worse, name)).all(), name
    assert exact.total() < worse.total() < swapped.total()


def test_the_loss_does_not_depend_on_the_level():
    masks, power, mixture, stems, spectra, rows = problem()
    soft = (1 - masks, power * 1e-2, mixture * 0.1, stems * 0.1, spectra, rows)
    loud = terms(1 - masks, power, mixture, stems, spectra, rows).total()
    assert float(terms(*soft).total()) == pytest.approx(float(loud), rel=0.02)


def test_error_is_what_it_says():
    """A stem error of a tenth of the truth in amplitude is -20 dB, but for the floor under it."""
    masks, power, mixture, stems, spectra, rows = problem()
    got = terms(1.1 * masks, power, mixture, stems, spectra, rows)
    expected = 10 * np.log10(0.01 + 1e-3)
    assert got.stems_db.numpy() == pytest.approx(expected, abs=0.05)
    assert got.binaural_db.numpy() == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("silent", ["one slot", "everything"])
def test_gradients_stay_finite(silent):
    masks, power, mixture, stems, spectra, rows = problem()
    if silent == "everything":
        mixture, stems, power = mixture * 0, stems * 0, power * 0
    else:
        stems = torch.stack([mixture, mixture * 0], dim=1)
    masks = masks.clone().requires_grad_()
    terms(masks, power, mixture, stems, spectra, rows).total().backward()
    assert masks.grad.isfinite().all()
