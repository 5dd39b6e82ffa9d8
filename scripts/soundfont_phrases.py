"""Phrases of every instrument of a General MIDI soundfont, played by fluidsynth: lines and chords of 7 s in a
random key, dry."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

FONTS = {
    "fluid-soundfont-gm": ".sf2",
    "timgm6mb-soundfont": ".sf2",
    "musescore-general-soundfont": ".sf3",
}
RATE = 48000
LENGTH_S = 7.2
TICKS = 960  # a second: 480 to a quarter at 120 a minute
_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)

# program number -> what it is called; without synthesizers and effects, which sound like nothing else
_PROGRAMS = {
    0: "piano", 1: "piano", 3: "honky-tonk piano", 4: "electric piano", 6: "harpsichord", 7: "clavinet",
    8: "celesta", 9: "glockenspiel", 10: "music box", 11: "vibraphone", 12: "marimba", 13: "xylophone",
    14: "tubular bells", 15: "dulcimer", 16: "organ", 18: "organ", 19: "church organ", 20: "harmonium",
    21: "accordion", 22: "harmonica", 23: "bandoneon", 24: "acoustic guitar", 25: "acoustic guitar",
    26: "electric guitar", 27: "electric guitar", 29: "distorted electric guitar",
    30: "distorted electric guitar", 32: "double bass", 33: "bass guitar", 34: "bass guitar",
    36: "slap bass", 40: "violin", 41: "viola", 42: "cello", 43: "double bass", 44: "strings tremolo",
    45: "pizzicato strings", 46: "harp", 47: "timpani", 48: "strings", 52: "choir", 53: "choir",
    56: "trumpet", 57: "trombone", 58: "tuba", 59: "muted trumpet", 60: "french horn", 61: "brass section",
    64: "soprano saxophone", 65: "saxophone", 66: "tenor saxophone", 67: "baritone saxophone", 68: "oboe",
    69: "cor anglais", 70: "bassoon", 71: "clarinet", 72: "piccolo", 73: "flute", 74: "recorder",
    75: "pan flute", 76: "blowing into a bottle", 77: "shakuhachi", 78: "whistling", 79: "ocarina",
    104: "sitar", 105: "banjo", 106: "shamisen", 107: "koto", 108: "kalimba", 109: "bagpipes", 110: "fiddle",
    111: "shehnai", 112: "bells tinkling", 113: "agogo bells", 114: "steel drum", 115: "woodblock",
    116: "taiko drum", 117: "tom drum", 122: "sea waves", 124: "telephone ring", 125: "helicopter",
    126: "applause", 127: "gunshot",
}  # fmt: skip
_KINDS = {52: "human", 53: "human", 78: "human", 122: "environmental", 124: "object", 125: "vehicle",
          126: "human", 127: "object"}  # fmt: skip
_NOISES = {122: [7.5], 124: [1.5], 125: [7.5], 126: [7.5], 127: [0.8] * 6}  # seconds of each
_LOW = {32, 33, 34, 36, 43, 47, 58, 67, 70, 116, 117}
_HIGH = {9, 10, 13, 14, 72, 78, 79, 112, 113}
_CHORDS = {0, 1, 3, 4, 6, 7, 15, 16, 18, 19, 20, 21, 23, 24, 25, 26, 27, 29, 30, 44, 45, 46, 48, 52, 53, 61,
           105, 107, 108}  # fmt: skip

Note = tuple[float, int, int, float]  # start, s; pitch; velocity; length, s


def phrases(font: bytes, seed: int) -> Iterator[tuple[int, str, str, bytes]]:
    """Program number, name, kind, and the phrase as a WAV file, for every program of the table."""
    with tempfile.TemporaryDirectory() as folder:
        sounds, song, wav = (Path(folder) / name for name in ("font", "song.mid", "song.wav"))
        sounds.write_bytes(font)
        for program, label in _PROGRAMS.items():
            song.write_bytes(_midi(program, _notes(program, np.random.default_rng((seed, program)))))
            options = ("-ni", "-R", "0", "-C", "0", "-g", "0.5", "-r", str(RATE), "-F", wav)
            subprocess.run(["fluidsynth", *options, sounds, song], check=True, capture_output=True)
            yield program, label, _KINDS.get(program, "instrument"), wav.read_bytes()


def _notes(program: int, rng: np.random.Generator) -> list[Note]:
    """A line that wanders through a scale, at times with thirds and fifths."""
    if program in _NOISES:
        gaps = rng.uniform(0.4, 1.6, len(_NOISES[program]))
        starts = np.cumsum(gaps) - gaps[0]
        return [(float(at), 60, 100, length) for at, length in zip(starts, _NOISES[program], strict=True)]
    root = (40 if program in _LOW else 72 if program in _HIGH else 60) + int(rng.integers(-5, 6))
    scale = _MAJOR if rng.random() < 0.6 else _MINOR
    step, beat, at = int(rng.integers(0, 7)), rng.uniform(0.25, 0.6), 0.0
    notes: list[Note] = []
    while at < LENGTH_S:
        length = float(beat * rng.choice([0.5, 1, 1, 1, 2]))
        velocity = int(rng.integers(60, 118))
        step = int(np.clip(step + rng.integers(-3, 4), -5, 11))
        if rng.random() < 0.85:
            chord = (0, 2, 4) if program in _CHORDS and rng.random() < 0.5 else (0,)
            held = length * float(rng.uniform(0.6, 1.1))
            for degree in (step + third for third in chord):
                pitch = root + 12 * (degree // 7) + scale[degree % 7]
                notes.append((at, pitch, velocity, held))
        at += length
    return notes


def _midi(program: int, notes: list[Note]) -> bytes:
    """A standard MIDI file of one track."""
    events = [(0, bytes([0xC0, program]))]
    for start, pitch, velocity, length in notes:
        events.append((int(start * TICKS), bytes([0x90, pitch, velocity])))
        events.append((int((start + length) * TICKS), bytes([0x80, pitch, 0])))
    events.sort(key=lambda event: event[0])
    track, last = b"", 0
    for at, message in events:
        track += _variable(at - last) + message
        last = at
    track += _variable(TICKS) + b"\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track)) + track


def _variable(number: int) -> bytes:
    """A number in MIDI's variable length."""
    parts = [number & 127]
    while number := number >> 7:
        parts.append(128 | number & 127)
    return bytes(reversed(parts))
