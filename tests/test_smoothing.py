"""The smoother: exact on lines, no lag, keeps slow motion, refuses outliers, agrees with a textbook RTS."""

import numpy as np
import pytest

from foleyspace.smoothing import smooth

TIMES = np.arange(0, 8, 0.12)
GRID = np.arange(0, 7.9, 0.04)


def test_a_line_comes_back_as_itself_also_between_and_beyond():
    times = np.array([1.0, 1.1, 1.2, 3.0, 3.1])
    grid = np.arange(0, 4.5, 0.25)
    np.testing.assert_allclose(smooth(times, 2 * times + 1, 0.1, grid, 1.5)[:, 0], 2 * grid + 1, atol=1e-4)


@pytest.mark.parametrize("frequency", [0.1, 0.3, 0.5])
def test_motion_keeps_its_amplitude_and_has_no_lag(frequency):
    out = smooth(TIMES, 10 * np.sin(2 * np.pi * frequency * TIMES), 0.5, GRID, 1.5)[:, 0]
    inner = (GRID > 1) & (GRID < 7)
    design = np.stack([np.sin(2 * np.pi * frequency * GRID), np.cos(2 * np.pi * frequency * GRID)], 1)[inner]
    sine, cosine = np.linalg.lstsq(design, out[inner], rcond=None)[0]
    assert np.hypot(sine, cosine) == pytest.approx(10, rel=0.02)
    assert abs(np.arctan2(cosine, sine)) / (2 * np.pi * frequency) < 0.002  # s of lag


def test_jitter_is_taken_out():
    rng = np.random.default_rng(1)
    noisy = rng.normal(0, 1, (20, len(TIMES)))
    out = np.stack([smooth(TIMES, row, 1.0, GRID, 0.5, robust=False)[:, 0] for row in noisy])
    assert out[:, 25:-25].std() < 0.55


def test_an_outlier_does_not_bend_the_path():
    values = 5 * np.sin(TIMES)
    values[30] += 60
    out = smooth(TIMES, values, 0.5, GRID, 1.5)[:, 0]
    assert np.abs(out - 5 * np.sin(GRID)).max() < 0.3


def test_equals_a_rauch_tung_striebel_smoother():
    """Same estimate as the two-pass recursion with the matching noise densities."""
    rng = np.random.default_rng(2)
    dt, cutoff, noise = 0.1, 1.0, 0.3
    times = np.arange(60) * dt
    z = np.cumsum(rng.normal(0, 0.2, 60)) + rng.normal(0, noise, 60)
    ours = smooth(times, z, noise, times, cutoff, robust=False)[:, 0]
    # discrete integrated random walk whose second differences have variance r^2 / penalty
    penalty = 1 / (2 * np.pi * cutoff * dt) ** 4
    f, h = np.array([[2.0, -1.0], [1.0, 0.0]]), np.array([[1.0, 0.0]])
    q = np.array([[noise**2 / penalty, 0], [0, 0]])
    x, p = np.array([z[1], z[0]]), np.eye(2) * 1e8
    means, covs, predicted, predicted_cov = [], [], [], []
    for k in range(1, 60):
        if k > 1:
            x, p = f @ x, f @ p @ f.T + q
        predicted.append(x), predicted_cov.append(p)
        seen = np.eye(2) if k == 1 else h
        s = seen @ p @ seen.T + noise**2 * np.eye(len(seen))
        gain = p @ seen.T @ np.linalg.inv(s)
        x = x + gain @ ((np.array([z[1], z[0]]) if k == 1 else z[k : k + 1]) - seen @ x)
        p = p - gain @ seen @ p
        means.append(x), covs.append(p)
    smoothed = [means[-1]]
    for k in range(len(means) - 2, -1, -1):
        back = covs[k] @ f.T @ np.linalg.pinv(predicted_cov[k + 1])
        smoothed.insert(0, means[k] + back @ (smoothed[0] - predicted[k + 1]))
    rts = np.array([s[0] for s in smoothed])
    np.testing.assert_allclose(ours[1:], rts, atol=0.01)


def test_one_observation_is_held():
    np.testing.assert_allclose(smooth(np.array([1.0]), np.array([3.0]), 1.0, GRID, 1.0), 3.0)
