"""Drawing on uint8 RGB frames: anti-aliased text, rounded panels, and colours all eyes tell apart."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
Colour = tuple[int, int, int]

# Okabe & Ito's palette in the order that keeps neighbours far apart on video
PALETTE: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 190, 140),
    (240, 228, 66),
    (225, 105, 30),
    (214, 134, 178),
    (60, 140, 210),
)
WHITE, BLACK, GREY, PANEL = (255, 255, 255), (0, 0, 0), (200, 204, 210), (16, 20, 27)
SHIFT = 4  # sub-pixel bits of OpenCV's line coordinates


def mixed(colour: Colour, other: Colour, part: float) -> Colour:
    """`colour` with `part` (0-1) of `other` in it."""
    r, g, b = (round(a + (o - a) * part) for a, o in zip(colour, other, strict=True))
    return r, g, b


def ink_on(colour: Colour) -> Colour:
    """Black or white, whichever reads better on `colour`."""
    return BLACK if 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 128 else WHITE


def text_size(text: str, px: int, bold: bool = False) -> tuple[int, int]:
    """Width and height of a line of text in pixels."""
    height, width = _sprite(text, px, bold).shape
    return width, height


def fitted(text: str, width: int, px: int, bold: bool = False) -> str:
    """`text`, or as much of its beginning as fits into `width` pixels, with an ellipsis."""
    if text_size(text, px, bold)[0] <= width:
        return text
    kept = text
    while kept and text_size(kept + "…", px, bold)[0] > width:
        kept = kept[:-1]
    return kept.rstrip() + "…" if kept else ""


def put_text(
    frame: Frame,
    text: str,
    xy: tuple[float, float],
    px: int,
    colour: Colour = WHITE,
    bold: bool = False,
    halo: Colour | None = None,
) -> None:
    """Write a line of text with its top left corner at `xy`, cut at the frame's edges."""
    alpha = _sprite(text, px, bold)
    x, y = round(xy[0]), round(xy[1])
    if halo is not None:
        _blend(frame, _grown(text, px, bold), x - 2, y - 2, halo)
    _blend(frame, alpha, x, y, colour)


def panel(
    frame: Frame, box: tuple[int, int, int, int], colour: Colour, opacity: float = 1.0, radius: int = 0
) -> None:
    """Fill a rounded rectangle `box` (x1, y1, x2, y2) with `colour`."""
    x1, y1, x2, y2 = box
    if x2 > x1 and y2 > y1:
        _blend(
            frame,
            _rounded(x2 - x1, y2 - y1, min(radius, (x2 - x1) // 2, (y2 - y1) // 2)) * opacity,
            x1,
            y1,
            colour,
        )


def line(frame: Frame, points: Any, colour: Colour, thickness: int = 1, closed: bool = False) -> None:
    """An anti-aliased line through `points` (N, 2), at sub-pixel places."""
    import cv2

    fixed = np.round(np.asarray(points, np.float64) * (1 << SHIFT)).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(frame, [fixed], closed, colour, max(1, thickness), cv2.LINE_AA, SHIFT)


def fill(frame: Frame, points: Any, colour: Colour) -> None:
    """An anti-aliased filled polygon `points` (N, 2)."""
    import cv2

    fixed = np.round(np.asarray(points, np.float64) * (1 << SHIFT)).astype(np.int32).reshape(-1, 1, 2)
    cv2.fillPoly(frame, [fixed], colour, cv2.LINE_AA, SHIFT)


def circle(frame: Frame, xy: Any, radius: float, colour: Colour, thickness: int = -1) -> None:
    """An anti-aliased circle, filled when `thickness` is -1."""
    import cv2

    x, y = (round(float(v) * (1 << SHIFT)) for v in xy)
    cv2.circle(frame, (x, y), max(1, round(radius * (1 << SHIFT))), colour, thickness, cv2.LINE_AA, SHIFT)


def _blend(frame: Frame, alpha: NDArray[np.float32], x: int, y: int, colour: Colour) -> None:
    height, width = alpha.shape
    left, top = max(-x, 0), max(-y, 0)
    right, bottom = min(width, frame.shape[1] - x), min(height, frame.shape[0] - y)
    if right <= left or bottom <= top:
        return
    part = alpha[top:bottom, left:right, None]
    under = frame[y + top : y + bottom, x + left : x + right]
    under[:] = (under + (np.array(colour, np.float32) - under) * part + 0.5).astype(np.uint8)


@lru_cache(maxsize=512)
def _sprite(text: str, px: int, bold: bool) -> NDArray[np.float32]:
    """Coverage (h, w) in [0, 1] of a line of text; the same height for all texts of a size."""
    from PIL import Image, ImageDraw

    font = _font(px, bold)
    ascent, descent = font.getmetrics()
    left, _, right, _ = font.getbbox(text)
    image = Image.new("L", (max(1, round(right - min(left, 0))), ascent + descent), 0)
    ImageDraw.Draw(image).text((-min(left, 0), 0), text, font=font, fill=255)
    return np.asarray(image, np.float32) / np.float32(255)


@lru_cache(maxsize=512)
def _grown(text: str, px: int, bold: bool) -> NDArray[np.float32]:
    import cv2

    wide = np.pad(_sprite(text, px, bold), 2)
    return cv2.dilate(wide, np.ones((3, 3), np.uint8)).astype(np.float32) * 0.75


@lru_cache(maxsize=16)
def _font(px: int, bold: bool) -> Any:
    from PIL import ImageFont

    spec = find_spec("matplotlib")  # its fonts, without the cost of importing it
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "mpl-data" / "fonts" / "ttf" / name
        if path.exists():
            return ImageFont.truetype(str(path), px)
    return ImageFont.load_default(px)


@lru_cache(maxsize=64)
def _rounded(width: int, height: int, radius: int) -> NDArray[np.float32]:
    """Coverage of a rounded rectangle."""
    if radius <= 0:
        return np.ones((height, width), np.float32)
    x = np.abs(np.arange(width) + 0.5 - width / 2) - (width / 2 - radius)
    y = np.abs(np.arange(height) + 0.5 - height / 2) - (height / 2 - radius)
    corner = np.hypot(np.maximum(x, 0)[None, :], np.maximum(y, 0)[:, None])
    return np.clip(radius - corner + 0.5, 0, 1).astype(np.float32)
