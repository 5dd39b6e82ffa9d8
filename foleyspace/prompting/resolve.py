"""Clauses -> sources: times, places and ways of each, those that others refer to first."""

from __future__ import annotations

import dataclasses

import numpy as np

from foleyspace.camera import angles_to_xyz
from foleyspace.errors import InputError
from foleyspace.prompting.clause import DIRECTIONS, MOTIONS, PLACES, TIMES, Clause
from foleyspace.prompting.motion import stage_track
from foleyspace.prompting.places import Place
from foleyspace.prompting.relations import Track, as_place, find, listener_half, still
from foleyspace.prompting.times import stage_windows
from foleyspace.prompting.view import Phrase, Reference
from foleyspace.prompting.words import LANDMARKS
from foleyspace.types import Floats, Source

OFF_DB = -120.0
STEP_S = 0.02  # on and off within this
ALL_AROUND_DEG = 360.0
_SET_TIMES = TIMES - {"whole"}


class Resolver:
    """Places sources one after the other, those they refer to first."""

    def __init__(self, clauses: list[Clause], duration: float, notes: list[str]) -> None:
        self.clauses, self.duration, self.notes = clauses, duration, notes
        self.unknown: list[str] = []
        self.done: dict[int, list[tuple[tuple[float, float], Track]]] = {}
        self.timed: dict[int, bool] = {}
        self.open: list[int] = []

    def stages(self, k: int) -> list[tuple[tuple[float, float], Track]]:
        """(window, track) of every stage of source `k`."""
        if k in self.done:
            return self.done[k]
        clause = self.clauses[k]
        if k in self.open:
            circle = [self.clauses[n].label for n in self.open[self.open.index(k) :]]
            quoted = " and ".join(f"'{label}'" for label in circle)
            raise InputError(
                f"the places of {quoted} are told by each other in a circle: say where one of them is"
            )
        self.open.append(k)
        stages = [self._known(k, stage) for stage in clause.stages if stage] or [[]]
        chain = self._chain(k)
        in_turn = len(chain) > 1 and not any(self.clauses[n].has(_SET_TIMES) for n in chain)
        start = 0.0 if in_turn else self._start(k)
        windows, self.timed[k] = stage_windows(stages, self.duration, self.notes, start)
        if in_turn:  # "a dog, then a cat" with no times: an equal share each
            share, first = 1 / len(chain), chain.index(k) * self.duration / len(chain)
            windows = [(first + a * share, first + b * share) for a, b in windows]
        in_time = sorted(range(len(stages)), key=lambda n: windows[n][0])
        stages, windows = [stages[n] for n in in_time], [windows[n] for n in in_time]
        out: list[tuple[tuple[float, float], Track]] = []
        before: Place | None = None
        for stage, window in zip(stages, windows, strict=True):
            track = stage_track(
                stage, window, before, lambda phrase: self._related(k, phrase), clause.label, self.notes
            )
            out.append((window, track))
            before = as_place(track, last=True)
        if not clause.has(PLACES | MOTIONS):
            self.notes.append(f"no direction said for '{clause.label}': taken straight ahead")
        self.open.pop()
        self.done[k] = out
        return out

    def _known(self, k: int, stage: list[Phrase]) -> list[Phrase]:
        """Without "to the kitchen", which is neither a place of the listener's nor a source."""
        out = []
        for phrase in stage:
            if phrase.groups.get("relation") in ("to", "around") and all(
                find(ref, self.clauses, k) is None for ref in phrase.refs
            ):
                self.unknown.append(phrase.text)
                if "goes" in phrase.groups:  # "approaches the house"
                    out.append(dataclasses.replace(phrase, kind="approach", groups={}, refs=()))
            else:
                out.append(phrase)
        return out

    def _start(self, k: int) -> float:
        after = self.clauses[k].after
        if after is None or after in self.open:
            return 0.0
        end = self.stages(after)[-1][0][1]
        return end if end < self.duration - 1e-6 and self.timed[after] else 0.0

    def _chain(self, k: int) -> list[int]:
        """The sources that follow each other in time ("then"), `k` among them."""
        chain = [k]
        while (after := self.clauses[chain[0]].after) is not None and after not in chain:
            chain.insert(0, after)
        while (
            following := next((n for n, c in enumerate(self.clauses) if c.after == chain[-1]), None)
        ) is not None:
            if following in chain:
                break
            chain.append(following)
        return chain

    def _related(self, k: int, phrase: Phrase) -> list[Track]:
        kind, label = phrase.groups["relation"], self.clauses[k].label
        if phrase.groups.get("own"):
            self.notes.append(f"read '{phrase.text}' as the listener's {kind} hand side of it")
        found: list[Track] = []
        refs = list(phrase.refs)
        if kind == "between" and (
            not refs or (len(refs) == 1 and refs[0].words[-1] in ("them", "two", "both", "these"))
        ):
            others = [n for n in range(len(self.clauses)) if n != k]
            near = [n for n in others if n < k][-2:] if k >= 2 else others[:2]
            found = [self._whole(n) for n in near]
        elif kind == "between" and len(refs) == 1:
            others = [
                n
                for n, c in enumerate(self.clauses)
                if n != k and {refs[0].words[-1], refs[0].words[-1][:-1]} & c.names
            ]
            found = [self._whole(n) for n in others[:2]]
        else:
            for ref in refs:
                track = self._reference(k, ref, phrase)
                if track is not None:
                    found.append(track)
        if kind == "same" and phrase.text.lower().endswith(("there", "that place")):
            ends = [as_place(track, last=True) for track in found]  # "there" is where it has come to
            found = [still(p.azimuth_deg or 0.0, p.elevation_deg or 0.0, p.distance_m or 2.0) for p in ends]
        listeners = [ref for ref in refs if ref.words == ("listener",)]
        if kind == "between" and listeners and found:
            return [listener_half(found[0]), listener_half(found[0])]
        if kind == "between" and len(found) == 1 and found[0] is not None:
            self.notes.append(f"'{phrase.text}' of '{label}' has one known end only: taken nearer than it")
        return found

    def _reference(self, k: int, ref: Reference, phrase: Phrase) -> Track | None:
        if ref.words in (("listener",), ("screen",)):
            return None
        n = find(ref, self.clauses, k)
        if n is not None:
            return self._whole(n)
        if ref.words[-1] in self.clauses[k].names and ref.words[-1] not in LANDMARKS:
            raise InputError(
                f"'{phrase.text}' tells the place of '{self.clauses[k].label}' by itself, in a circle"
            )
        if phrase.groups["relation"] == "opposite" and ref.words == ("that",):
            return still(180.0, 0.0, 2.0)  # opposite the listener
        if phrase.groups["relation"] == "same" and ref.words == ("that",):
            return None
        if phrase.groups["relation"] == "to":
            self.unknown.append(phrase.text)
            return None
        self.notes.append(f"'{ref.text}' is no source of the prompt: taken as a thing 2 m straight ahead")
        return dataclasses.replace(still(0.0, 0.0, 2.0), imagined=True)

    def _whole(self, n: int) -> Track:
        """The track of source `n` over all its stages."""
        stages = self.stages(n)
        if len(stages) == 1:
            return stages[0][1]
        times, parts = [], []
        for n, ((a, b), track) in enumerate(stages):
            own = track.times if len(track.times) > 1 else np.array([a, b])
            ways = (track.azimuth_deg, track.elevation_deg, track.distance_m)
            parts.append([np.interp(own, track.times, values) for values in ways])
            following = stages[n + 1][0][0] if n + 1 < len(stages) else np.inf
            times.append(np.append(own[:-1], min(own[-1], following - STEP_S)))  # from there it jumps
        joined = np.concatenate(times)
        keep = np.concatenate([[True], np.diff(joined) > 1e-6])
        azimuth, elevation, distance = (np.concatenate([p[i] for p in parts])[keep] for i in range(3))
        return Track(joined[keep], np.unwrap(azimuth, period=360.0), elevation, distance)

    def source(self, k: int, id: str, caption: str) -> Source:
        clause = self.clauses[k]
        stages = self.stages(k)
        times, rows, gains = _rows(stages, self.duration)
        phrases = [phrase for stage in clause.stages for phrase in stage]
        visible = not any(phrase.kind == "offscreen" for phrase in phrases)
        spread = any(p.kind == "spread" for p in phrases) and not any(
            p.kind in MOTIONS or p.kind in DIRECTIONS - {"spread"} for p in phrases
        )
        n = len(times)
        return Source(
            id=id,
            label=clause.label,
            times=times,
            xyz=angles_to_xyz(rows[:, :2], rows[:, 2]),
            visible=np.full(n, visible),
            gain_db=gains,
            spread_deg=np.full(n, ALL_AROUND_DEG if spread else 0.0),
            caption=caption,
        )


def _rows(stages: list[tuple[tuple[float, float], Track]], duration: float) -> tuple[Floats, Floats, Floats]:
    """Times (N,), azimuth, elevation and distance (N, 3), gains (N,): the stages in line, silent outside
    them, steps between them within 20 ms."""
    out: list[tuple[float, tuple[float, float, float], float]] = []
    for n, ((start, end), track) in enumerate(stages):
        values = list(zip(track.azimuth_deg, track.elevation_deg, track.distance_m, strict=True))
        stamps = list(track.times) if len(values) > 1 else [start]
        if len(values) == 1 and (len(stages) > 1 or end < duration - STEP_S):
            stamps, values = [start, end], values * 2
        following = stages[n + 1][0][0] if n + 1 < len(stages) else None
        if following is not None and following < end + STEP_S:
            stamps[-1] = max(following - STEP_S, (stamps[-2] + following) / 2 if len(stamps) > 1 else 0.0)
        previous = stages[n - 1][0][1] if n else None
        if start > STEP_S and (previous is None or start > previous + 2 * STEP_S):
            out.append((start - STEP_S, values[0], OFF_DB))
        out += [(t, v, 0.0) for t, v in zip(stamps, values, strict=True)]
        silent_after = following > end + 2 * STEP_S if following is not None else end < duration - STEP_S
        if silent_after:
            out.append((end + STEP_S, values[-1], OFF_DB))
    kept = [out[0]]
    for row in out[1:]:
        if row[0] > kept[-1][0] + 1e-6:
            kept.append(row)
    return np.array([r[0] for r in kept]), np.array([r[1] for r in kept]), np.array([r[2] for r in kept])
