"""Masks made consistent: what factorisation must do to them, and what it must leave alone."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from foleyspace.spatializer import nmf  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

BANDS, FRAMES, ROUNDS = 160, 144, 6


def consistent(masks, power, rounds, activity=None):
    activity = torch.ones(masks.shape[:2] + masks.shape[-1:]) if activity is None else activity
    return nmf.consistent(masks, power, activity, rounds)


def two_sounds(seed: int = 0):
    """Band power (2, `BANDS`, `FRAMES`) of a hum of a few harmonics that swells, and of short wide noises."""
    rng = np.random.default_rng(seed)
    at = np.arange(FRAMES)
    hum = np.zeros((BANDS, FRAMES)) + 1e-4
    hum[[10, 20, 30, 40]] += np.array([1, 0.5, 0.3, 0.2])[:, None] * (1.2 + np.sin(at / 9))
    noise = np.linspace(0.02, 0.3, BANDS)[:, None] * (at % 24 < 8) * rng.uniform(0.6, 1.4, (BANDS, FRAMES))
    return torch.tensor(np.stack([hum, noise + 1e-4]), dtype=torch.float32)


def true_masks(power):
    return (power / power.sum(dim=0))[None]


def error_db(masks, power) -> float:
    """Of the shares of the power, re all of it."""
    total = power.sum(dim=0)
    wrong = (masks[0] - true_masks(power)[0]) * total
    return float(10 * torch.log10(wrong.square().sum() / total.square().sum()))


def random_masks(slots: int, seed: int = 0):
    return torch.randn((1, slots, BANDS, FRAMES), generator=torch.Generator().manual_seed(seed)).softmax(
        dim=1
    )


def test_masks_stay_masks():
    power = two_sounds().sum(dim=0)[None]
    for slots in (2, 5):
        masks = consistent(random_masks(slots), power, ROUNDS)
        assert masks.shape == (1, slots, BANDS, FRAMES)
        assert masks.min() >= 0
        torch.testing.assert_close(masks.sum(dim=1), torch.ones_like(power))


def test_what_is_known_of_one_half_explains_the_other():
    """Sure and right at first, at a loss afterwards: each sound is known again by its spectra."""
    power = two_sounds()
    masks = true_masks(power).clone()
    masks[..., FRAMES // 2 :] = 0.5
    made = consistent(masks, power.sum(dim=0)[None], ROUNDS)
    assert error_db(masks, power) > -15
    assert error_db(made, power) < error_db(masks, power) - 6


def test_right_on_the_whole_becomes_right_in_each_cell():
    power = two_sounds(1)
    noise = torch.randn((1, 2, BANDS, FRAMES), generator=torch.Generator().manual_seed(1))
    masks = (2 * true_masks(power) + noise).softmax(dim=1)
    made = consistent(masks, power.sum(dim=0)[None], ROUNDS)
    assert error_db(made, power) < error_db(masks, power) - 6


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.8, 0.2), (0.6, 0.3, 0.1)])
def test_masks_that_say_nothing_stay_as_they_are(shares):
    power = torch.rand((1, BANDS, FRAMES), generator=torch.Generator().manual_seed(0))
    masks = torch.tensor(shares)[None, :, None, None].expand(1, len(shares), BANDS, FRAMES)
    torch.testing.assert_close(consistent(masks, power, ROUNDS), masks, atol=1e-3, rtol=0)


def test_the_order_of_the_slots_changes_nothing():
    power, masks = two_sounds().sum(dim=0)[None], random_masks(3)
    order = [2, 0, 1]
    torch.testing.assert_close(
        consistent(masks[:, order], power, ROUNDS),
        consistent(masks, power, ROUNDS)[:, order],
        atol=1e-3,
        rtol=0,
    )


def test_the_level_and_the_other_pieces_change_nothing():
    power, masks = two_sounds().sum(dim=0)[None], random_masks(2)
    alone = consistent(masks, power, ROUNDS)
    torch.testing.assert_close(consistent(masks, 1e4 * power, ROUNDS), alone, atol=1e-3, rtol=0)
    both = consistent(masks.repeat(2, 1, 1, 1), torch.cat((power, 7 * power.flip(2))), ROUNDS)
    torch.testing.assert_close(both[:1], alone, atol=1e-3, rtol=0)


def test_a_slot_that_nothing_speaks_for_is_not_fed(monkeypatch):
    """The network gives a tenth of what is high to a name that does not sound."""
    power = two_sounds().sum(dim=0)[None]
    stray = (0.01 + 0.1 * (torch.arange(BANDS) > 100))[None, None, :, None].expand(1, 1, BANDS, FRAMES)
    given = (stray[0] * power).sum() / power.sum()

    def got() -> float:
        made = consistent(torch.cat((1 - stray, stray), dim=1), power, ROUNDS)
        return float((made[0, 1] * power[0]).sum() / power.sum() / given)

    assert got() < 1.5
    monkeypatch.setattr(nmf, "GROWTH", 1e9)  # what the limit is for
    assert got() > 2


def test_what_is_known_of_when_they_sound_stays():
    power, activity = two_sounds().sum(dim=0)[None], torch.ones((1, 2, FRAMES))
    activity[0, 1, FRAMES // 2 :] = 0.01
    masks = random_masks(2) * activity[:, :, None]
    masks = masks / masks.sum(dim=1, keepdim=True)
    made = consistent(masks, power, ROUNDS, activity)[0, 1, :, FRAMES // 2 :]
    assert (made * power[0, :, FRAMES // 2 :]).sum() < 0.05 * power[0, :, FRAMES // 2 :].sum()


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_few_frames_and_silence(frames):
    masks = random_masks(2)[..., :frames]
    for power in (torch.zeros((1, BANDS, frames)), two_sounds().sum(dim=0)[None, :, :frames]):
        made = consistent(masks, power, ROUNDS)
        assert torch.isfinite(made).all()
        torch.testing.assert_close(made.sum(dim=1), torch.ones((1, BANDS, frames)))


def test_a_silent_half_does_no_harm():
    power, masks = two_sounds(), random_masks(2)
    masks[..., : FRAMES // 2] = (3 * true_masks(power) + masks)[..., : FRAMES // 2].softmax(dim=1)
    power[..., FRAMES // 2 :] = 0
    made = consistent(masks, power.sum(dim=0)[None], ROUNDS)
    sounding, first = power[..., : FRAMES // 2], made[..., : FRAMES // 2]
    assert torch.isfinite(made).all()
    assert error_db(first, sounding) < error_db(masks[..., : FRAMES // 2], sounding) - 3
