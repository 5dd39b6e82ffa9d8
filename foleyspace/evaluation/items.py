"""A test set: folders with a mono mixture, its binaural truth and the scene, and the HRIR set they name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foleyspace.errors import InputError
from foleyspace.evaluation import PHASES
from foleyspace.files import check_input
from foleyspace.types import Audio, Hrirs, Samples, Scene

RATE = 48000
SCENE_SLACK_S = 0.25


@dataclass(frozen=True)
class Item:
    """One mixture: `name` (its folder's path in the set), `mono` (1, n), `truth` (2, n), its `scene`, the
    HRIR set it was made with, and `stems` (S, n) as they are heard in the mono, or None. `sums`: the mono is
    the sum of the truth's ears, and only their difference is asked for (the formulation of TAS and TASU)."""

    name: str
    mono: Audio
    truth: Audio
    scene: Scene
    hrirs: Hrirs
    stems: Samples | None
    sums: bool = False


def find_items(folder: str | Path, limit: int | None = None) -> list[Path]:
    """Item folders in a set, sub-folders (shards) included, by name; the first `limit`. Hidden ones, which a
    killed run leaves half-written, are none.

    Raises `InputError` for a folder that holds none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"set {folder} does not exist or is no folder")
    there = {path.parent for name in ("mono.flac", "truth.flac") for path in folder.rglob(name)}
    found = sorted(p for p in there if not any(part.startswith(".") for part in p.relative_to(folder).parts))
    if not found:
        raise InputError(f"set {folder} holds no items: folders with mono.flac, truth.flac and scene.json")
    return found[:limit]


class HrirSets:
    """HRIR sets as items name them: a file in `folder` first (with or without .sofa), then as anywhere else,
    a known name or a path. Loaded once each. `phase`: how the truth was rendered, with the responses as
    "measured", with "minimum" phase and delay, or with delays by "onset" (`hrir.onset_hrirs`), where an
    item's meta.json does not say."""

    def __init__(self, folder: str | None, phase: str = "measured") -> None:
        if folder is not None and not Path(folder).is_dir():
            raise InputError(f"`hrtfs` is {folder} but must be a folder of SOFA files")
        self._folder = None if folder is None else Path(folder)
        self._phase = phase
        self._known: dict[tuple[str, str], Hrirs] = {}

    def stated(self, item: Path) -> tuple[str, str]:
        """The file or name of an item's set, and the phase. Raises `InputError` when the set is nowhere to be
        found."""
        meta = check_input(item / "meta.json", "item file")
        try:
            said = json.loads(meta.read_text(encoding="utf-8"))
            name, phase = said["hrtf"], said.get("phase", self._phase)
        except (ValueError, KeyError, TypeError):
            raise InputError(f"item file {meta} must be JSON with the key 'hrtf'") from None
        if not isinstance(name, str) or not name:
            raise InputError(f"item file {meta} has `hrtf` {name!r} but must have a file or a name")
        if phase not in PHASES:
            raise InputError(f"item file {meta} has `phase` {phase!r} but must have {' or '.join(PHASES)}")
        return self._path(item, name), phase

    def _path(self, item: Path, name: str) -> str:
        from foleyspace.hrtf import resolve_hrtf

        if self._folder is not None:
            for path in (self._folder / name, self._folder / f"{name}.sofa"):
                if path.is_file():
                    return str(path)
        try:
            return str(resolve_hrtf(name))
        except InputError:
            where = f"not in {self._folder}, and no" if self._folder else "no"
            hint = "" if self._folder else "; --hrtfs FOLDER says where to look"
            raise InputError(
                f"the HRIR set {name} of item {item.name} is {where} known name or file{hint}"
            ) from None

    def load(self, item: Path) -> Hrirs:
        from foleyspace.hrir import load_hrirs, minimum_phase_hrirs, onset_hrirs

        key = self.stated(item)
        if key not in self._known:
            made = {"minimum": minimum_phase_hrirs, "onset": onset_hrirs}.get(key[1])
            hrirs = load_hrirs(key[0], RATE)
            self._known[key] = made(hrirs) if made else hrirs
        return self._known[key]


def check_items(folders: list[Path], sets: HrirSets) -> dict[Path, int]:
    """See that all items are whole (files, formats, lengths, scenes, HRIR sets), before work begins on any;
    their lengths in samples. Raises `InputError` that names the file."""
    return {folder: _checked_files(folder, sets)[1] for folder in folders}


def load_item(folder: Path, root: Path, sets: HrirSets, sums: bool = False) -> Item:
    """Read and check one item; with `sums`, its mono sound is left plus right of the truth. Raises
    `InputError` that names the file."""
    scene, length = _checked_files(folder, sets)
    mono = read_sound(folder / "mono.flac", 1)
    truth = read_sound(folder / "truth.flac", 2, length)
    paths = _stem_paths(folder, scene)
    stems = np.concatenate([read_sound(path, 1, length).samples for path in paths]) if paths else None
    if sums:
        mono = Audio(truth.samples.sum(axis=0, keepdims=True), truth.rate)
    return Item(item_name(folder, root), mono, truth, scene, sets.load(folder), stems, sums)


def item_name(folder: Path, root: Path) -> str:
    return folder.name if folder == root else folder.relative_to(root).as_posix()


def _checked_files(folder: Path, sets: HrirSets) -> tuple[Scene, int]:
    for name in ("mono.flac", "truth.flac", "scene.json"):
        check_input(folder / name, "item file")
    scene = Scene.load(folder / "scene.json")
    length = check_sound(folder / "mono.flac", 1)
    check_sound(folder / "truth.flac", 2, length)
    for path in _stem_paths(folder, scene):
        check_sound(path, 1, length)
    if abs(scene.duration - length / RATE) > SCENE_SLACK_S:
        raise InputError(
            f"scene file {folder / 'scene.json'} lasts {scene.duration:g} s but its sound {length / RATE:g} s"
        )
    sets.stated(folder)
    return scene, length


def _stem_paths(folder: Path, scene: Scene) -> list[Path]:
    if not (folder / "stems").is_dir():
        return []
    return [folder / "stems" / f"{i}.flac" for i in range(len(scene.sources))]


def check_sound(path: Path, channels: int, length: int | None = None) -> int:
    """The samples of a sound file that must be at 48 kHz with so many channels (and samples), by its header.
    Raises `InputError`."""
    import soundfile

    check_input(path, "sound file")
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError as error:
        raise InputError(f"sound file {path} cannot be read: {error.error_string}") from None
    if info.samplerate != RATE:
        raise InputError(f"sound file {path} is at {info.samplerate} Hz but must be at {RATE} Hz")
    if info.channels != channels:
        raise InputError(f"sound file {path} has {info.channels} channels but must have {channels}")
    if info.frames == 0:
        raise InputError(f"sound file {path} holds no samples")
    if length is not None and info.frames != length:
        raise InputError(f"sound file {path} has {info.frames} samples but must have {length}")
    return int(info.frames)


def read_sound(path: Path, channels: int, length: int | None = None) -> Audio:
    """A sound file as `check_sound` wants it, finite. Raises `InputError`."""
    import soundfile

    length = check_sound(path, channels, length)
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise InputError(f"sound file {path} cannot be read: {error.error_string}") from None
    if len(samples) != length:
        raise InputError(f"sound file {path} is cut short: {len(samples)} of {length} samples")
    if not np.isfinite(samples).all():
        raise InputError(f"sound file {path} holds NaN or infinite samples but must be finite")
    return Audio(samples.T, rate)
