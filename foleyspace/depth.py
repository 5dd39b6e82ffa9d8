"""Distance of a track in metres: a depth model looked up inside the box, the usual size of what is in
it, and how the box grows, joined over time.

The default is Depth Anything V2 Metric **Indoor** Small (Yang et al. 2024, fine-tuned on Hypersim,
0-20 m): what distance does to sound - level, near-field parallax, reverberation ratio - happens inside
its range, and beyond 20 m sources sound alike; near its end the object's usual size takes over. For
streets and fields "depth-anything/Depth-Anything-V2-Metric-Outdoor-Small-hf" (Virtual KITTI, 0-80 m)
is the one to name.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera import DEFAULT_FOV_DEG, Projection, check_view
from foleyspace.depth_files import load_network
from foleyspace.errors import InputError
from foleyspace.keeping import kept
from foleyspace.model_folder import find_model_folder
from foleyspace.object_size import object_size
from foleyspace.size_distance import ray_lengths, size_distance
from foleyspace.smoothing import smooth
from foleyspace.types import Floats

log = logging.getLogger("foleyspace")

DEFAULT_MODEL = "depth-anything/Depth-Anything-V2-Metric-Indoor-Small-hf"
OUTDOOR_MODEL = "depth-anything/Depth-Anything-V2-Metric-Outdoor-Small-hf"
DISTANCE_RANGE_M = (0.3, 100.0)
CPU_SHORT_SIDE = 252  # px into the network on a CPU, 18 of its patches: 6 times faster than 518
SATURATION = 0.9  # of a metric model's range: deeper readings only mean "far"
# errors as standard deviations of log distance
DEPTH_ERROR, SIZE_ERROR, LOOMING_ERROR = 0.25, 0.30, 0.80
JITTER = 0.05  # of a detector's box size
CUTOFF_HZ = 0.5
CORRECTION_CUTOFF_HZ = 0.2  # fast changes come from the boxes, slow ones from the depth model
_METRIC_TYPES = ("zoedepth", "depth_pro", "glpn", "prompt_depth_anything")


@dataclass(frozen=True)
class DepthModel:
    """A loaded depth network. `metric`: it gives metres; otherwise only ratios of distances mean
    something. `max_depth_m`: where its readings end, or None. `device`: where it runs."""

    name: str
    metric: bool
    max_depth_m: float | None
    device: str
    _processor: Any = field(repr=False)
    _network: Any = field(repr=False)
    _size: dict[str, int] | None = None

    @property
    def sample_step_s(self) -> float:
        """How far apart frames are worth looking up: a network is slow on a CPU, boxes fill in."""
        return 1.0 if self.device == "cpu" else 0.25

    def depth_map(self, frame_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Depth along the camera's axis of every pixel of a uint8 RGB frame (H, W, 3): (H, W) m, or
        in arbitrary units (farther is larger) from a relative model."""
        import torch

        if frame_rgb.ndim != 3 or frame_rgb.shape[2] != 3 or frame_rgb.dtype != np.uint8:
            raise InputError(
                f"`frame_rgb` is {frame_rgb.dtype} {frame_rgb.shape} but must be uint8 (H, W, 3)"
            )
        extra = {} if self._size is None else {"size": self._size}
        inputs = self._processor(
            images=frame_rgb, return_tensors="pt", input_data_format="channels_last", **extra
        )
        with torch.inference_mode():
            outputs = self._network(pixel_values=inputs["pixel_values"].to(self.device))
        size = [frame_rgb.shape[:2]]
        if hasattr(self._processor, "post_process_depth_estimation"):
            found = self._processor.post_process_depth_estimation(outputs, target_sizes=size)
            depth = found[0]["predicted_depth"]
        else:  # transformers < 4.46
            depth = torch.nn.functional.interpolate(
                outputs.predicted_depth[:, None], size=size[0], mode="bilinear"
            )
        values = depth.float().reshape(size[0]).cpu().numpy()
        if self.metric:
            return np.maximum(values, 1e-3).astype(np.float32)
        # relative models give inverse depth (MiDaS, Depth Anything)
        top = max(float(np.percentile(values, 99)), 1e-6)
        return (1 / np.clip(values / top, 0.02, None)).astype(np.float32)


@kept
def load_depth(name: str = "auto", *, device: str = "auto", offline: bool = False) -> DepthModel | None:
    """A depth model, or None when distance is to come from sizes.

    `name`: "auto" (`DEFAULT_MODEL`), "size" (None, no model), a Hugging Face depth-estimation model
    or a local folder of one. What is in the local cache is used without asking the network; a hub
    that does not answer within seconds gives None and one warning, as does `offline` with nothing
    cached. Raises `InputError` for a folder that is missing or holds no depth model, a name that
    the hub does not know, and a `device` that torch does not have.
    """
    if name == "size":
        return None
    asked = DEFAULT_MODEL if name == "auto" else name
    folder, why = find_model_folder(
        asked, offline, "depth", "auto, size, a Hugging Face model name or a folder"
    )
    if folder is None:
        log.warning("depth model %s not used (%s): distances come from object sizes", asked, why)
        return None
    place, processor, network = load_network(folder, asked, device)
    config = network.config
    kind = str(getattr(config, "model_type", ""))
    metric = getattr(config, "depth_estimation_type", None) == "metric" or kind in _METRIC_TYPES
    size = None
    if place == "cpu" and kind == "depth_anything":
        size = {"height": CPU_SHORT_SIDE, "width": CPU_SHORT_SIDE}
    limit = getattr(config, "max_depth", None) if metric else None
    log.info("depth: %s (%s) on %s", asked, "metres" if metric else "relative, scaled by sizes", place)
    return DepthModel(asked, metric, float(limit) if limit else None, place, processor, network, size)


def sample_depth(depth: NDArray[np.float32], xyxy: Floats) -> float:
    """Depth of the object in a box `xyxy` (4,) normalised of a depth map (H, W); NaN outside it.

    The 30th percentile of the box's inner part: the object covers most of that, and what else shows
    there is far more often behind it than before it.
    """
    height, width = depth.shape
    x1, y1, x2, y2 = np.clip(np.asarray(xyxy, np.float64), 0, 1)
    if x2 <= x1 or y2 <= y1:
        return math.nan
    margin_x, margin_y = 0.2 * (x2 - x1), 0.15 * (y2 - y1)
    left, right = int((x1 + margin_x) * width), math.ceil((x2 - margin_x) * width)
    top, bottom = int((y1 + margin_y) * height), math.ceil((y2 - margin_y) * height)
    inner = depth[min(top, height - 1) : max(bottom, top + 1), min(left, width - 1) : max(right, left + 1)]
    inner = inner[np.isfinite(inner) & (inner > 0)]
    return float(np.percentile(inner, 30)) if inner.size else math.nan


def track_distance(
    label: str,
    times: Floats,
    xyxy: Floats,
    size_wh: tuple[int, int],
    fov_deg: float = DEFAULT_FOV_DEG,
    projection: Projection = "rectilinear",
    *,
    depth_m: Floats | None = None,
    metric: bool = True,
    max_depth_m: float | None = None,
    cuts: Sequence[float] = (),
) -> Floats:
    """Straight-line distance (N,) m of a track, smooth and within 0.3-100 m.

    Boxes `xyxy` (N, 4) normalised at `times` (N,) s give the shape (`size_distance`). Readings
    `depth_m` (N,) of `sample_depth`, NaN where none was taken, correct it slowly: metres and usual
    sizes are weighted by their errors in log distance, and a difference that neither error explains (a
    toy car) is put down to the size. Readings of a relative model (`metric` False) keep the sizes'
    median; those near a metric model's `max_depth_m` only mean "far" and are left out. Smoothing is
    two-sided and starts afresh at `cuts` (s). Raises `InputError` for shapes that do not match.
    """
    times = np.asarray(times, np.float64)
    boxes = np.asarray(xyxy, np.float64)
    if boxes.shape != (len(times), 4):
        raise InputError(f"`xyxy` has shape {boxes.shape} but must be ({len(times)}, 4)")
    check_view(fov_deg, projection)
    readings = np.full(len(times), np.nan) if depth_m is None else np.array(depth_m, np.float64)
    if readings.shape != times.shape:
        raise InputError(f"`depth_m` has shape {readings.shape} but must be {times.shape}")
    if metric and max_depth_m is not None:
        readings[readings > SATURATION * max_depth_m] = np.nan
    readings *= ray_lengths(boxes, size_wh, fov_deg, projection)
    size_error = SIZE_ERROR if object_size(label) else LOOMING_ERROR

    result = np.empty(len(times))
    for start, end in pairwise([-math.inf, *cuts, math.inf]):
        shot = (times >= start - 1e-6) & (times < end - 1e-6)
        if shot.any():
            known = np.log(size_distance(label, boxes[shot], size_wh, fov_deg, projection))
            known += _correction(times[shot], known, readings[shot], size_error, metric)
            result[shot] = np.exp(_smoothed(times[shot], known, CUTOFF_HZ))
    return np.clip(result, *DISTANCE_RANGE_M)


def _correction(times: Floats, known: Floats, depth_m: Floats, size_error: float, metric: bool) -> Floats:
    """What depth readings add to the log distance `known` (N,) from sizes."""
    read = np.isfinite(depth_m) & (depth_m > 0)
    if not read.any():
        return np.zeros(len(times))
    offset = np.log(depth_m[read]) - known[read]
    middle = float(np.median(offset))
    level = 0.0
    if metric:
        unexplained = max(0.0, middle**2 - size_error**2 - DEPTH_ERROR**2)
        size_variance = size_error**2 + unexplained
        level = middle * size_variance / (size_variance + DEPTH_ERROR**2)
    if read.sum() < 4:
        return np.full(len(times), level)
    slow = _smoothed(times[read], offset - middle, CORRECTION_CUTOFF_HZ)
    return level + np.interp(times, times[read], slow)


def _smoothed(times: Floats, values: Floats, cutoff_hz: float) -> Floats:
    """`values` (N,) without their jitter, at the same times."""
    if len(times) < 4:
        return np.full(len(times), float(np.median(values)))
    step = max(float(np.median(np.diff(times))), 0.02)
    grid = times[0] + step * np.arange(math.ceil((times[-1] - times[0]) / step) + 1)
    return np.interp(times, grid, smooth(times, values, JITTER, grid, cutoff_hz)[:, 0])
