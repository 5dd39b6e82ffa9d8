"""A computed head: rigid sphere, pinna echoes, torso echo.

Duda & Martens (1998), "Range dependence of the response of a spherical head model", J. Acoust. Soc. Am.
104(5): the exact series for a point source at any distance outside a rigid sphere. Brown & Duda (1998),
"A structural model for binaural sound synthesis", IEEE Trans. Speech and Audio Processing 6(5): echoes of
pinna and torso as filters in series with the head. The torso's delay comes from its geometry (a sphere
under the head, as in Algazi, Duda, Duraiswami et al. 2002), so that it is continuous in all directions.
The ears sit at +-100 degrees azimuth, elevation 0, as in both papers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace.errors import InputError
from foleyspace.sphere import unit_vectors

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

HEAD_RADIUS_M = 0.0875
EAR_AZIMUTH_DEG = 100.0
SPEED_OF_SOUND = 343.0  # m/s
RATE = 48_000
TAPS = 256
LEAD = 40  # samples before the sound would reach the centre of the head
DISTANCE_M = 1.4
RING_DEG = 7.5

# Brown & Duda (1998), table I: echo gain, and delay in samples at 44.1 kHz
# A cos(azimuth / 2) sin(D (90 - elevation)) + B, interaural-polar angles
PINNA_GAIN = (0.5, -1.0, 0.5, -0.25, 0.25)
PINNA_A = (1.0, 5.0, 5.0, 5.0, 5.0)
PINNA_B = (2.0, 4.0, 7.0, 11.0, 13.0)
PINNA_D = (1.0, 0.5, 0.5, 0.5, 0.5)
PINNA_RATE = 44_100

TORSO_RADIUS_M = 0.169
TORSO_BELOW_M = 0.31  # its centre under the centre of the head
TORSO_GAIN = 0.3


def sphere_delay(directions: Floats) -> Floats:
    """Delay (n, 2) at the left and right ear of a sphere of radius 1 heard from `directions` (n, 3), re its
    centre, in units of the time that sound takes for the radius: straight to the near side, around the far
    one (Woodworth 1938)."""
    across = unit_vectors(directions)[:, 1]
    toward = np.stack([across, -across], axis=-1).clip(-1, 1)
    return np.where(toward > 0, -toward, -np.arcsin(toward))


def sphere_response(
    frequency_hz: ArrayLike,
    incidence_deg: ArrayLike,
    distance_m: float,
    radius_m: float = HEAD_RADIUS_M,
    speed_of_sound: float = SPEED_OF_SOUND,
) -> Complexes:
    """Pressure on a rigid sphere over the free-field pressure at its centre, (angles, frequencies).

    `incidence_deg`: angle between the source and the point on the surface, seen from the centre. Time runs
    as exp(+i w t) (numpy's FFT), the travel time to the centre is taken out. Duda & Martens (1998) eq. 3,
    with the ratios of Hankel functions carried by a recursion that cannot overflow. Raises `InputError`
    for a source that is not outside the sphere.
    """
    rho = distance_m / radius_m
    if not rho > 1.01:
        raise InputError(f"`distance_m` is {distance_m} but must be above 1.01 radii ({radius_m} m)")
    frequency_hz = np.atleast_1d(np.asarray(frequency_hz, np.float64))
    cosine = np.cos(np.radians(np.atleast_1d(np.asarray(incidence_deg, np.float64))))
    mu = 2 * np.pi * np.maximum(frequency_hz, 1e-3) * radius_m / speed_of_sound
    # orders beyond mu die out as rho**-m: go on to 1e-10
    orders = int(np.ceil(mu.max() + 4 * mu.max() ** (1 / 3) + 10 + 10 / np.log10(rho)))

    total = np.zeros((len(cosine), len(mu)), complex)
    near, far = 1 / mu - 1j, 1 / (mu * rho) - 1j  # h1/h0 on the sphere and at the source
    ratio = np.exp(1j * mu * (rho - 1)) / rho  # h_m(mu rho) / h_m(mu), m = 0
    slope = -near  # h'_m(mu) / h_m(mu)
    legendre, previous = np.ones_like(cosine), np.zeros_like(cosine)
    for m in range(orders + 1):
        total += np.outer((2 * m + 1) * legendre, ratio / slope)
        ratio = ratio * far / near
        slope = 1 / near - (m + 2) / mu
        near = (2 * m + 3) / mu - 1 / near
        far = (2 * m + 3) / (mu * rho) - 1 / far
        legendre, previous = ((2 * m + 1) * cosine * legendre - m * previous) / (m + 1), legendre
    return np.conj(-rho / mu * np.exp(-1j * mu * rho) * total)


def pinna_response(frequency_hz: Floats, xyz: Floats) -> Complexes:
    """The pinna's echoes as a filter, (directions, frequencies), after Brown & Duda (1998) eq. 9.

    Two changes keep it continuous where the paper says nothing. The elevation term fades with
    cos(azimuth), not cos(azimuth / 2), since elevation has no meaning on the interaural axis; and it
    turns smoothly from its front to its back value under the listener (elevations 225 to 315 degrees).
    """
    unit = xyz / np.linalg.norm(xyz, axis=1)[:, None]
    lateral = np.sqrt(np.clip(1 - unit[:, 1] ** 2, 0, 1))  # cos of the interaural-polar azimuth
    elevation_deg = np.degrees(np.arctan2(unit[:, 2], unit[:, 0]))
    from_top_deg = 90 - elevation_deg
    from_top_deg = (from_top_deg + 180) % 360 - 180
    turned = np.abs(from_top_deg) > 135
    under = np.where(from_top_deg > 0, from_top_deg - 135, from_top_deg + 225) / 90  # 0 front, 1 back
    response = np.ones((len(xyz), len(frequency_hz)), complex)
    for gain, a, b, d in zip(PINNA_GAIN, PINNA_A, PINNA_B, PINNA_D, strict=True):
        slant = np.sin(np.radians(d * from_top_deg))
        edge = np.sin(np.radians(d * 135))
        slant = np.where(turned, edge * np.cos(np.pi * np.clip(under, 0, 1)), slant)
        delay_s = np.maximum(a * lateral * slant + b, 0) / PINNA_RATE
        response += gain * np.exp(-2j * np.pi * np.outer(delay_s, frequency_hz))
    return response


def torso_response(frequency_hz: Floats, xyz: Floats, ear: Floats) -> Complexes:
    """The torso's echo at one ear as a filter, (directions, frequencies): a mirror reflection off a sphere.

    Where it reflects lies in the plane of ear, torso centre and source, and is found by bisection. It fades
    out as the source goes below the torso's horizon; the torso casts no shadow here.
    """
    source = xyz / np.linalg.norm(xyz, axis=1)[:, None]
    upward = ear + np.array([0.0, 0.0, TORSO_BELOW_M])  # from the torso's centre
    height = float(np.linalg.norm(upward))
    source_angle = np.arccos(np.clip(source @ upward / height, -1, 1))
    horizon = np.arccos(TORSO_RADIUS_M / height)  # the last point of the torso that the ear sees
    low, high = np.zeros_like(source_angle), np.minimum(source_angle, horizon)
    for _ in range(50):
        normal = (low + high) / 2
        ear_side = np.arctan2(height * np.sin(normal), height * np.cos(normal) - TORSO_RADIUS_M)
        further = source_angle - normal > ear_side  # equal angles to either side of the normal
        low, high = np.where(further, normal, low), np.where(further, high, normal)
    tilt = source_angle - normal
    length = np.sqrt(height**2 + TORSO_RADIUS_M**2 - 2 * height * TORSO_RADIUS_M * np.cos(normal))
    delay_s = length * (1 + np.cos(2 * tilt)) / SPEED_OF_SOUND
    gain = TORSO_GAIN * np.sin(np.pi / 2 * np.clip(np.cos(tilt), 0, 1)) ** 2
    # waves longer than the torso is round pass it by: first-order high-pass at k r = 1
    wavenumber = 2j * np.pi * frequency_hz * TORSO_RADIUS_M / SPEED_OF_SOUND
    reflected = wavenumber / (1 + wavenumber)
    return 1 + gain[:, None] * reflected * np.exp(-2j * np.pi * np.outer(delay_s, frequency_hz))


def ears_xyz(radius_m: float = HEAD_RADIUS_M) -> Floats:
    """(2, 3) m: left and right ear on the sphere."""
    azimuth = np.radians([EAR_AZIMUTH_DEG, -EAR_AZIMUTH_DEG])
    return radius_m * np.stack([np.cos(azimuth), np.sin(azimuth), np.zeros(2)], axis=1)


def head_hrir(
    xyz: ArrayLike, rate: int = RATE, taps: int = TAPS, pinna: bool = True, torso: bool = True
) -> Floats:
    """Impulse responses (M, 2, taps) for sources at `xyz` (M, 3) m, left ear first.

    Relative to the free-field pressure at the centre of the head, whose travel time is replaced by `LEAD`
    samples at 48 kHz. Left-right symmetric by construction. Raises `InputError` for a source inside the
    head.
    """
    xyz = np.atleast_2d(np.asarray(xyz, np.float64))
    mirrored = xyz * [1, -1, 1]
    return np.stack([_left_ear(one, rate, taps, pinna, torso) for one in (xyz, mirrored)], axis=1)


def _left_ear(xyz: Floats, rate: int, taps: int, pinna: bool, torso: bool) -> Floats:
    size = 4 * taps
    frequency_hz: Floats = np.fft.rfftfreq(size, 1 / rate).astype(np.float64)
    ear = ears_xyz()[0]
    distance = np.linalg.norm(xyz, axis=1)
    incidence_deg = np.degrees(np.arccos(np.clip(xyz @ ear / (distance * HEAD_RADIUS_M), -1, 1)))
    response: Complexes = np.empty((len(xyz), len(frequency_hz)), np.complex128)
    for one in np.unique(np.round(distance, 9)):
        there = np.abs(distance - one) < 1e-8
        response[there] = sphere_response(frequency_hz, incidence_deg[there], one)
    if pinna:
        response = response * pinna_response(frequency_hz, xyz)
    if torso:
        response = response * torso_response(frequency_hz, xyz, ear)
    # roll off towards half the rate: without it, fractional delays ring along the whole response
    top = rate / 2
    roll = np.clip((top - frequency_hz) / (0.25 * top), 0, 1)
    response *= np.sin(np.pi / 2 * roll) ** 2
    lead_s = LEAD / RATE
    response *= np.exp(-2j * np.pi * frequency_hz * lead_s)
    ir = np.fft.irfft(response, size)[:, :taps]
    fade = taps // 8
    ir[:, -fade:] *= np.cos(np.pi / 2 * np.arange(1, fade + 1) / fade) ** 2
    return ir


def sphere_grid(step_deg: float = RING_DEG) -> Floats:
    """(M, 2) azimuth and elevation in degrees: rings `step_deg` apart, as far apart along each ring; each
    ring holds front, left, back and right, and is left-right symmetric."""
    rings = []
    for elevation_deg in np.linspace(-90, 90, round(180 / step_deg) + 1):
        count = max(1, 4 * round(90 * np.cos(np.radians(elevation_deg)) / step_deg))
        if abs(elevation_deg) == 90:
            count = 1
        azimuth_deg = np.arange(count) * 360 / count
        rings.append(np.column_stack([azimuth_deg, np.full(count, elevation_deg)]))
    return np.concatenate(rings)


def hrir_set() -> tuple[Floats, Floats]:
    """The embedded set: responses (M, 2, 256) at 48 kHz, and (M, 3) azimuth, elevation (degrees), distance
    (m). Rounded to 2**-20 (-120 dB), which lets HDF5 compress them to a third."""
    angles_deg = sphere_grid()
    azimuth, elevation = np.radians(angles_deg).T
    direction = [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)]
    ir = head_hrir(DISTANCE_M * np.stack(direction, axis=1))
    positions = np.column_stack([angles_deg, np.full(len(angles_deg), DISTANCE_M)])
    return np.round(ir * 2**20) / 2**20, positions
