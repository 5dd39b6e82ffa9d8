"""All metrics of one output, and how each is to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from foleyspace.evaluation.items import RATE, Item
from foleyspace.evaluation.systems import Output
from foleyspace.metrics import direction, interaural, separation, waveform
from foleyspace.metrics.localizer import Localizer, listen
from foleyspace.types import Floats


@dataclass(frozen=True)
class Measure:
    """A column: `key`, `unit`, which way is better, digits to print, what it says, and whether the localiser
    or the trained listener reads it (then its reading of the truth is printed beside it) or it is of the
    whole set."""

    key: str
    unit: str
    better: Literal["lower", "higher"]
    digits: int
    text: str
    by: Literal["item", "localiser", "listener", "set"] = "item"


MEASURES = (
    Measure("SNR", "dB", "higher", 2, "signal-to-noise ratio against the truth"),
    Measure("ILDe", "dB", "lower", 2, "error of level differences between the ears, by ERB band"),
    Measure("IPDe", "rad", "lower", 3, "error of phase differences between the ears below 1.5 kHz"),
    Measure("ITDe", "µs", "lower", 0, "error of time differences between the ears (GCC-PHAT)"),
    Measure("AZe", "°", "lower", 1, "azimuth error, front-back folded, where one source rules", "localiser"),
    Measure("FB", "%", "lower", 1, "front-back confusions", "localiser"),
    Measure("LCR", "%", "higher", 1, "moments on the right side: left, centre or right", "localiser"),
    Measure("LCRclip", "%", "higher", 1, "clips with every source on its side most of the time", "localiser"),
    Measure("QA direction", "%", "higher", 1, "where? answered rightly by the trained listener", "listener"),
    Measure("QA distance", "%", "higher", 1, "near or far? likewise", "listener"),
    Measure("QA relative", "%", "higher", 1, "left of, above, nearer than another? likewise", "listener"),
    Measure("QA as truth", "%", "higher", 1, "questions that it answers as it does on the truth", "listener"),
    Measure("DOA", "°", "lower", 1, "angle from where the listener hears a name to where it is", "listener"),
    Measure("DOA gap", "°", "lower", 1, "DOA less the listener's own on the truth", "listener"),
    Measure("LCR object", "%", "higher", 1, "sources heard mostly on the side where they are", "listener"),
    Measure("LCR clip", "%", "higher", 1, "clips of which all sources are", "listener"),
    Measure("STFT", "", "lower", 3, "squared distance of complex spectra at 16 kHz"),
    Measure("ENV", "", "lower", 3, "RMS distance of Hilbert envelopes"),
    Measure("WAV", "", "lower", 3, "squared distance of samples x 1000"),
    Measure("AMP", "", "lower", 3, "distance of magnitudes"),
    Measure("PHA", "rad", "lower", 3, "distance of phases where the truth is loud"),
    Measure("MRSTFT", "", "lower", 3, "multi-resolution STFT: spectral convergence + log magnitude"),
    Measure("noise", "dB", "lower", 1, "energy added where the truth has none, re the truth"),
    Measure("SI-SDR", "dB", "higher", 2, "of the stems, mean over the sources"),
    Measure("SI-SDRi", "dB", "higher", 2, "SI-SDR over that of the mixture"),
    Measure("FAD", "", "lower", 3, "Frechet distance of what is heard: embedded tagger's vectors", "set"),
    Measure("FD", "", "lower", 2, "Frechet distance of binaural cues: ILD and coherence by band", "set"),
)  # fmt: skip


@dataclass(frozen=True)
class Curves:
    """What a page draws of a binaural sound over time: `times` and `azimuth_times` (T,) s, `itd_us`,
    `ild_db` (T,), `azimuth_deg` (T',), NaN where there is nothing to read."""

    times: Floats
    itd_us: Floats
    ild_db: Floats
    azimuth_times: Floats
    azimuth_deg: Floats


def score(item: Item, output: Output, made: Floats) -> dict[str, float]:
    """Figures of one output by the keys of `MEASURES`, but for what a localiser or the listener reads and
    what is of the whole set. `made` (2, n): its binaural sound with gain and delay fitted to the truth. NaN
    says nothing."""
    truth = item.truth.samples.astype(np.float64)
    figures = {
        "SNR": waveform.snr_db(made, truth),
        "ILDe": interaural.ild_error_db(made, truth, RATE),
        "IPDe": interaural.ipd_error_rad(made, truth, RATE),
        "ITDe": interaural.itd_error_us(made, truth, RATE),
        "STFT": waveform.stft_distance(made, truth, RATE),
        "ENV": waveform.envelope_distance(made, truth, RATE),
        "WAV": waveform.wave_distance(made, truth),
        "AMP": waveform.amplitude_distance(made, truth, RATE),
        "PHA": waveform.phase_distance(made, truth, RATE),
        "MRSTFT": waveform.multi_resolution_stft(made, truth),
        "noise": waveform.added_noise_db(made, truth, RATE),
    }
    if output.stems is not None and item.stems is not None:
        mixture = item.mono.samples[0]
        figures["SI-SDR"] = _mean(separation.si_sdr_db(output.stems, item.stems))
        figures["SI-SDRi"] = _mean(separation.si_sdr_improvement_db(output.stems, item.stems, mixture))
    return figures


def read_places(
    binaural: Floats, localizer: Localizer, where: direction.Places
) -> tuple[dict[str, float], Curves]:
    """What the localiser makes of a binaural sound (2, n), the truth's too, and its cues over time."""
    placed = direction.direction(localizer, listen(localizer, binaural, RATE), where)
    figures = {
        "AZe": _mean(placed.azimuth_error_deg),
        "FB": 100 * _mean(placed.front_back),
        "LCR": 100 * _mean(placed.side),
        "LCRclip": 100 * direction.clip_sides_right(placed.side),
    }
    times, itd, ild, energy = interaural.itd_over_time(binaural, RATE)
    quiet = energy <= energy.max() * 10 ** (-interaural.WINDOW_RANGE_DB / 10)
    itd, ild = (np.where(quiet, np.nan, values) for values in (itd, ild))
    return figures, Curves(times, itd, ild, where.times, placed.azimuth_deg)


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan
