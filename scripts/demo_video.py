"""Draw and synthesise the demo: a car passes from left to right, then a ball bounces from right to left.

    python scripts/demo_video.py OUT.mp4

8 s, 1280 x 720, 25 fps, mono sound at 44.1 kHz; everything is made here, nothing is downloaded.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import soundfile

WIDTH, HEIGHT, FPS, RATE = 1280, 720, 25, 44100
SHOT_S = 4.0
ROAD_Y, FLOOR_Y = 520, 600
BOUNCE_S = 0.5


def car_x(t: float) -> float:
    """Centre of the car in px: in from the left, out to the right."""
    return -160 + (WIDTH + 320) * t / SHOT_S


def ball_xy(t: float) -> tuple[float, float]:
    """Centre of the ball in px: bounces every `BOUNCE_S` on its way from right to left."""
    phase = (t % BOUNCE_S) / BOUNCE_S
    return 1140 - 1000 * t / SHOT_S, FLOOR_Y - 36 - 260 * 4 * phase * (1 - phase)


def street(rng: np.random.Generator) -> np.ndarray:
    picture = np.full((HEIGHT, WIDTH, 3), (206, 190, 160), np.uint8)
    x = 0
    while x < WIDTH:
        width, height = rng.integers(90, 190), rng.integers(180, 380)
        colour = tuple(int(c) for c in rng.integers(90, 180, 3))
        cv2.rectangle(picture, (x, 420 - height), (x + width, 430), colour, -1)
        for wx in range(x + 14, x + width - 20, 34):
            for wy in range(440 - height, 390, 44):
                cv2.rectangle(picture, (wx, wy), (wx + 16, wy + 24), (120, 160, 190), -1)
        x += width
    cv2.rectangle(picture, (0, 430), (WIDTH, HEIGHT), (96, 96, 96), -1)
    for x in range(0, WIDTH, 140):
        cv2.rectangle(picture, (x, 640), (x + 70, 650), (230, 230, 230), -1)
    return textured(picture, rng)


def gym(rng: np.random.Generator) -> np.ndarray:
    picture = np.full((HEIGHT, WIDTH, 3), (150, 170, 178), np.uint8)
    for y in range(0, FLOOR_Y, 60):
        for x in range(-(y // 60 % 2) * 60, WIDTH, 120):
            cv2.rectangle(picture, (x, y), (x + 116, y + 56), (142, 160, 168), 2)
    for x in range(0, WIDTH, 80):
        shade = 20 * (x // 80 % 2)
        cv2.rectangle(picture, (x, FLOOR_Y), (x + 80, HEIGHT), (70 + shade, 110 + shade, 150 + shade), -1)
    return textured(picture, rng)


def textured(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    grain = cv2.GaussianBlur(rng.normal(0, 14, picture.shape[:2]).astype(np.float32), (0, 0), 1.5)
    return np.clip(picture + grain[..., None], 0, 255).astype(np.uint8)


def draw_car(picture: np.ndarray, x: float) -> None:
    x = round(x)
    outline = [(-150, 500), (-140, 455), (-80, 440), (-45, 400), (50, 400), (90, 445), (150, 462), (155, 500)]
    body = np.array([(x + dx, y) for dx, y in outline])
    cv2.fillPoly(picture, [body], (40, 40, 200), cv2.LINE_AA)
    window = np.array([[x - 62, 441], [x - 36, 410], [x + 42, 410], [x + 70, 441]])
    cv2.fillPoly(picture, [window], (230, 220, 190), cv2.LINE_AA)
    for wheel in (x - 88, x + 92):
        cv2.circle(picture, (wheel, 500), 32, (20, 20, 20), -1, cv2.LINE_AA)
        cv2.circle(picture, (wheel, 500), 14, (190, 190, 190), -1, cv2.LINE_AA)


def draw_ball(picture: np.ndarray, xy: tuple[float, float]) -> None:
    x, y = round(xy[0]), round(xy[1])
    cv2.ellipse(picture, (x, FLOOR_Y + 12), (34, 8), 0, 0, 360, (60, 80, 100), -1, cv2.LINE_AA)
    cv2.circle(picture, (x, y), 36, (20, 110, 235), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (x, y), (36, 14), 20, 0, 360, (10, 40, 90), 2, cv2.LINE_AA)


def sound(rng: np.random.Generator) -> np.ndarray:
    t = np.arange(round(SHOT_S * RATE)) / RATE
    engine = sum(np.sin(2 * np.pi * 62 * k * t + rng.uniform(0, 6)) / k for k in range(1, 30))
    hiss = np.convolve(rng.normal(0, 1, len(t)), np.ones(6) / 6, "same")
    near = 1 / (1 + ((t - SHOT_S / 2) / 0.8) ** 2)  # the track holds the pass's loudness, as a recording does
    car = (0.12 * engine + 0.25 * hiss) * (0.15 + near)
    ball = np.zeros_like(t)
    for hit in np.arange(0, SHOT_S, BOUNCE_S):
        after = np.maximum(t - hit, 0)
        pitch = 95 + 60 * np.exp(-after / 0.02)
        thump = np.exp(-after / 0.06) * np.sin(2 * np.pi * pitch * after)
        slap = np.exp(-after / 0.006) * rng.normal(0, 1, len(t))
        ball += (t >= hit) * (0.8 * thump + 0.35 * slap)
    fade = np.minimum(1, np.minimum(t, SHOT_S - t) / 0.01)
    track = np.concatenate([car * fade, ball * fade])
    return 0.5 * track / np.abs(track).max()


def make(out: Path) -> None:
    rng = np.random.default_rng(7)
    scenes = (street(rng), gym(rng))
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "sound.wav"
        soundfile.write(wav, sound(rng), RATE)
        pictures = [
            "-f",
            "rawvideo",
            "-pix_fmt",
            "bgr24",
            "-s",
            f"{WIDTH}x{HEIGHT}",
            "-r",
            str(FPS),
            "-i",
            "-",
        ]
        written = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "20", "-c:a", "aac", "-b:a", "128k"]
        command = [ffmpeg, "-y", "-v", "error", *pictures, "-i", str(wav), *written, str(out)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
            assert encoder.stdin is not None
            for i in range(round(2 * SHOT_S * FPS)):
                t = i / FPS
                picture = scenes[int(t >= SHOT_S)].copy()
                if t < SHOT_S:
                    draw_car(picture, car_x(t))
                else:
                    draw_ball(picture, ball_xy(t - SHOT_S))
                encoder.stdin.write(picture.tobytes())
            encoder.stdin.close()
            if encoder.wait():
                raise SystemExit("ffmpeg could not write the demo video")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    make(Path(sys.argv[1]))
