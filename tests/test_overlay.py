"""The overlay shows what is there: places, weights, off-screen sources; and its file is whole."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from foleyspace import analyze, draw, heard_path, overlay, overlay_frame, topview
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.overlay import draw_frame, output_size, steady_frames, write_overlay
from foleyspace.overlay_frame import plan_frames
from foleyspace.propagation import gain, position
from foleyspace.topview import MapScale, draw_topview, map_scale, source_colours
from foleyspace.types import Audio, Clip, Scene, Source, Track

FRAME = np.full((480, 854, 3), 128, np.uint8)


def track(identity="car-1", label="car", box=(0.2, 0.3, 0.5, 0.7), weight=1.0, times=(0.0, 1.0, 2.0)):
    n = len(times)
    xyxy = np.tile(box, (n, 1))
    focus = np.tile([box[0] * 0.7 + box[2] * 0.3, box[1] * 0.5 + box[3] * 0.5], (n, 1))
    times = np.array(times) if n < 3 else np.linspace(times[0], times[-1], 21)
    rows = len(times)
    return Track(identity, label, times, np.resize(xyxy, (rows, 4)), np.resize(focus, (rows, 2)),
                 np.full(rows, 0.9), np.full(rows, weight))  # fmt: skip


def source(identity="car-1", xyz=((5.0, 1.0, 0.0),) * 2, times=(0.0, 2.0), **more):
    return Source(identity, more.pop("label", "car"), np.array(times), np.array(xyz), **more)


def scene(*sources):
    return Scene(sources or (source(),), 2.0)


def changed(before, after, box):
    """How many pixels inside a normalised box differ."""
    height, width = before.shape[:2]
    x1, y1, x2, y2 = (np.array(box) * [width, height, width, height]).round().astype(int)
    return int((before[y1:y2, x1:x2] != after[y1:y2, x1:x2]).any(axis=2).sum())


def test_the_frame_given_is_not_touched():
    frame = FRAME.copy()
    frame.setflags(write=False)
    out = draw_frame(frame, [track()], scene(), 1.0)
    assert out.shape == frame.shape
    assert out.dtype == np.uint8
    assert (frame == 128).all()
    assert (out != frame).any()
    np.testing.assert_array_equal(out, draw_frame(frame, [track()], scene(), 1.0))


def test_box_is_where_the_track_is_and_only_while_it_is():
    shown = draw_frame(FRAME, [track()], scene(), 1.0)
    assert changed(FRAME, shown, (0.19, 0.4, 0.21, 0.6)) > 100  # its left edge
    assert changed(FRAME, shown, (0.4, 0.35, 0.48, 0.45)) == 0  # inside it
    before = draw_frame(FRAME, [track(times=(1.0, 1.5, 2.0))], scene(), 0.2)
    assert changed(FRAME, before, (0.1, 0.2, 0.55, 0.75)) == 0


def test_focus_is_marked_apart_from_the_centre():
    shown = draw_frame(FRAME, [track()], scene(), 1.0)
    assert changed(FRAME, shown, (0.27, 0.47, 0.31, 0.53)) > 30
    silent = draw_frame(FRAME, [track()], scene(source(gain_db=np.full(2, -96.0))), 1.0)
    assert changed(FRAME, silent, (0.27, 0.47, 0.31, 0.53)) == 0


def test_the_place_is_as_sure_as_the_ellipse_is_narrow():
    sure, known = track(), replace(track(), focus_std=np.tile([0.1, 0.05], (21, 1)))
    plain, shown = (draw_frame(FRAME, [t], scene(), 1.0) for t in (sure, known))
    differ = np.argwhere((plain != shown).any(axis=2))
    low, high = differ.min(axis=0), differ.max(axis=0)
    centre = known.focus_xy[0] * [854, 480]
    np.testing.assert_allclose((low + high)[::-1] / 2, centre, atol=2)
    np.testing.assert_allclose((high - low)[::-1] / 2, [85.4, 24], atol=4)
    silent = scene(source(gain_db=np.full(2, -96.0)))
    np.testing.assert_array_equal(
        draw_frame(FRAME, [sure], silent, 1.0), draw_frame(FRAME, [known], silent, 1.0)
    )


@pytest.mark.parametrize("size", [(480, 854), (854, 480), (90, 1000)])
def test_what_is_heard_stands_in_a_corner_apart_from_the_map(size):
    frame = np.full((*size, 3), 128, np.uint8)
    words = [("engine idling", 0.4), ("an extraordinarily long name of a sound " * 3, 0.2)]
    for box in ((0.2, 0.3, 0.5, 0.7), (0.8, 0.8, 1.0, 1.0)):  # the second one drives the map away
        plain, shown = (draw_frame(frame, [track(box=box)], scene(), 1.0, heard=h) for h in ((), words))
        rows, columns = np.nonzero((plain != shown).any(axis=2))
        assert len(rows) > 100
        assert np.ptp(columns) < 0.56 * size[1] and np.ptp(rows) < 0.3 * size[0]
        assert (columns < size[1] / 2).sum() != (columns > size[1] / 2).sum()


def edge_pixels(tracks, heard):
    return changed(FRAME, draw_frame(FRAME, tracks, heard, 1.0), (0.18, 0.4, 0.22, 0.6))


def test_the_share_of_the_sound_is_line_weight():
    edges = [edge_pixels([track()], scene(source(gain_db=np.full(2, g)))) for g in (-96.0, -10.0, 0.0)]
    assert edges[0] < edges[1] < edges[2]
    # a scene that knows none of the tracks: their own weights count; one that knows others: this one is silent
    edges = [edge_pixels([track(weight=w)], scene(source("mine"))) for w in (0, 0.3, 1)]
    assert edges[0] < edges[1] < edges[2]
    assert edge_pixels([track("b", weight=1.0), track(box=(0.6, 0.1, 0.7, 0.2))], scene()) == edges[0]


def test_box_moves_between_two_sightings():
    t = np.array([0.0, 0.4])
    boxes = np.array([[0.1, 0.3, 0.2, 0.6], [0.5, 0.3, 0.6, 0.6]])
    moving = Track("car-1", "car", t, boxes, (boxes[:, :2] + boxes[:, 2:]) / 2, t * 0 + 1, t * 0 + 1)
    shown = draw_frame(FRAME, [moving], scene(), 0.2)
    assert changed(FRAME, shown, (0.29, 0.3, 0.31, 0.6)) > 50
    gap = replace(moving, times=np.array([0.0, 3.0]))
    assert changed(FRAME, draw_frame(FRAME, [gap], scene(), 1.5), (0.0, 0.0, 0.7, 1.0)) == 0


def test_colours_of_boxes_are_those_of_their_sources():
    colours = source_colours(scene(source(), source("dog-1")))
    assert len(set(colours.values())) == 2
    shown = draw_frame(FRAME, [track("dog-1")], scene(source(), source("dog-1")), 1.0)
    edge = shown[round(0.5 * 480), round(0.2 * 854) - 3 : round(0.2 * 854) + 4].astype(int)
    assert abs(edge - colours["dog-1"]).sum(axis=1).min() < 30


def film(shots):
    """Sources and tracks of 2 s shots with an object each, and a source that is heard all the time."""
    rng = np.random.default_rng(0)
    sources, tracks = [], []
    for k in range(shots):
        t = 2 * k + np.linspace(0, 2, 21)
        xyz = np.stack([0 * t + 4, rng.uniform(-3, 3) + np.sin(t), 0 * t], axis=1)
        sources.append(source(f"car-{k}", xyz, t, gain_db=np.r_[-96.0, 0 * t[2:] - k % 3, -96.0]))
        tracks.append(replace(track(f"car-{k}", box=(0.1 * (k % 5), 0.3, 0.5, 0.7)), times=t))
    hum = source("hum", ((3.0, -2.0, 0.0),), (0.0,), gain_db=[-9.0])
    return tracks, Scene((*sources, hum), 2.0 * shots)


def test_one_plan_for_a_film_draws_the_same_frames():
    tracks, scene = film(6)
    plan = plan_frames(tracks, scene)
    always = np.array([[-np.inf, np.inf]])
    everything = replace(plan.map, spans=np.repeat(always, len(scene.sources), axis=0))
    for time in (0.0, 0.05, 1.0, 1.97, 2.0, 5.3, 11.99, 14.0):
        shown = draw_frame(FRAME, tracks, scene, time, plan=plan)
        np.testing.assert_array_equal(shown, draw_frame(FRAME, tracks, scene, time))
        np.testing.assert_array_equal(
            shown, draw_frame(FRAME, tracks, scene, time, plan=replace(plan, map=everything))
        )


def test_a_frame_costs_no_more_in_a_longer_film(monkeypatch):
    """Looked at are the sources and tracks of that moment, and only their points around it."""
    looked = []
    for module, name in ((topview, "place_at"), (overlay_frame, "place_at"), (overlay_frame, "_seen_at")):
        original = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda what, time, f=original: looked.append(what.id) or f(what, time)
        )
    monkeypatch.setattr(topview, "map_scale", lambda scene, f=map_scale: looked.append("scale") or f(scene))
    for shots in (3, 30):
        tracks, scene = film(shots)
        plan = plan_frames(tracks, scene)
        looked.clear()
        draw_frame(FRAME, tracks, scene, 3.0, plan=plan)
        assert sorted(looked) == ["car-1", "car-1", "car-1", "hum"]
    long = source(times=np.arange(10_000) / 10, xyz=np.tile([3.0, 1.0, 0.0], (10_000, 1)))
    assert len(heard_path.stretch(long, 500.0, 500.05).times) <= 3


@pytest.mark.parametrize("size", [(480, 854), (854, 480), (240, 320), (720, 1280), (90, 1000)])
def test_long_labels_stay_inside(size):
    """Text is shortened or moved; drawing never leaves the frame, whatever its shape."""
    frame = np.full((*size, 3), 128, np.uint8)
    tracks = [
        track(f"t{k}", "an extraordinarily long open-vocabulary label " * 2, (x, y, x + 0.06, y + 0.1), 0.5)
        for k, (x, y) in enumerate([(0.0, 0.0), (0.94, 0.0), (0.94, 0.9), (0.0, 0.9), (0.5, 0.5)])
    ]
    out = draw_frame(frame, tracks, scene(*(source(t.id) for t in tracks)), 1.0, levels_db=(-10.0, -90.0))
    assert out.shape == frame.shape
    text = draw.fitted("a long label indeed", 60, 14)
    assert text.endswith("…")
    assert draw.text_size(text, 14)[0] <= 60


def test_many_overlapping_labels_do_not_cover_each_other():
    taken: list = []
    from foleyspace.overlay_frame import _label

    canvas = FRAME.copy()
    for k in range(6):
        _label(canvas, np.array([0.3, 0.3, 0.6, 0.7]), f"thing {k}", 0.5, 3.0, (230, 159, 0), 1.0, taken)
    for i, a in enumerate(taken[:5]):
        for b in taken[:i]:
            assert a[2] <= b[0] or a[0] >= b[2] or a[3] <= b[1] or a[1] >= b[3]


# --- the map --------------------------------------------------------------------------------------


def test_map_directions():
    scale = MapScale(10.0, behind=True)
    assert scale([5.0, 0, 0])[1] > 0  # front is up
    assert scale([5.0, 0, 0])[0] == pytest.approx(0)
    assert scale([0, 5.0, 0])[0] < 0  # left is left
    assert scale([-5.0, 0, 0])[1] < 0
    point = scale([3.0, -3.0, 0])
    assert np.degrees(np.arctan2(point[0], point[1])) == pytest.approx(45)  # angles are kept
    radii = [np.linalg.norm(scale([d, 0, 0])) for d in (0.5, 1, 5, 10, 500)]
    assert radii == sorted(radii)
    assert radii[-2:] == pytest.approx([1, 1])


def test_map_scale_holds_the_scene_and_stands_still():
    near, far = (
        map_scale(scene(source(xyz=((1, 0, 0),) * 2))),
        map_scale(scene(source(xyz=((30, 0, 0),) * 2))),
    )
    assert near.reach_m == 5
    assert far.reach_m == 50
    assert not near.behind
    assert map_scale(scene(source(xyz=((-2, 1, 0), (2, 1, 0))))).behind
    silent = source("far", xyz=((90, 0, 0),) * 2, gain_db=np.full(2, -96.0))
    assert map_scale(scene(source(), silent)).reach_m == 10
    leaving = source("far", xyz=((5, 0, 0), (50, 0, 0)), gain_db=np.array([0.0, -96.0]))
    assert map_scale(scene(leaving)).reach_m == 50  # heard for most of the way


def test_a_source_is_drawn_where_and_as_loud_as_it_is_rendered():
    """Straight lines in space and in amplitude between points, the end values outside."""
    rng = np.random.default_rng(1)
    times = np.sort(rng.uniform(0, 8, 9))
    one = source(
        "a", rng.uniform(-4, 4, (9, 3)) + [5, 0, 0], times, gain_db=np.r_[-96, rng.uniform(-20, 6, 7), -96]
    )
    for time in np.concatenate([rng.uniform(-1, 9, 40), times]):
        xyz, gain_db, _, _ = heard_path.place_at(one, time)
        np.testing.assert_allclose(xyz, position(one, np.array([time]))[0])
        assert 10 ** (gain_db / 20) == pytest.approx(float(gain(one, np.array([time]))[0]), abs=1e-4)
    fading = source("a", ((3.0, 1.0, 0.0),) * 2, (0.0, 8.0), gain_db=[0.0, -96.0])
    assert [round(heard_path.place_at(fading, t)[1], 1) for t in (4.0, 6.0)] == [-6.0, -12.0]


def drawn_at(sources, time=1.0, **more):
    canvas = np.zeros((400, 400, 3), np.uint8)
    draw_topview(canvas, (0, 0, 400, 400), Scene(tuple(sources), 2.0), time, 70.0, **more)
    return canvas


def near_colour(canvas, colour):
    rows, columns = np.nonzero(np.abs(canvas.astype(int) - colour).sum(axis=2) < 25)
    return columns, rows


def test_map_shows_a_source_on_its_side_and_hollow_when_off_screen():
    colour = draw.PALETTE[0]
    left, _ = near_colour(drawn_at([source(label="", xyz=((4, 3, 0),) * 2)]), colour)
    right, _ = near_colour(drawn_at([source(label="", xyz=((4, -3, 0),) * 2)]), colour)
    assert left.mean() < 190
    assert right.mean() > 210
    hidden = drawn_at([source(label="", xyz=((0.5, -3, 0),) * 2, visible=np.zeros(2, bool))])
    columns, rows = near_colour(hidden, colour)
    middle = hidden[round(rows.mean()), round(columns.mean())].astype(int)
    assert abs(middle - colour).sum() > 100  # hollow
    assert len(columns) > 20


def test_map_leaves_out_what_is_silent_and_keeps_what_ends_early():
    colour = draw.PALETTE[0]
    silent = drawn_at([source(label="", gain_db=np.full(2, -96.0))])
    assert len(near_colour(silent, colour)[0]) == 0
    held = drawn_at([source(label="", times=(0.0, 0.5))], time=1.9)
    assert len(near_colour(held, colour)[0]) > 20


def test_level_bars_show_the_louder_ear():
    canvas = drawn_at([source()], levels_db=(-50.0, -3.0))
    columns, _ = near_colour(canvas, (120, 220, 180))
    assert (columns > 200).sum() > 2 * (columns < 200).sum() > 0


# --- the file -------------------------------------------------------------------------------------


@pytest.fixture
def fake_clip(monkeypatch):
    """A clip of plain frames at given times, each as bright as its number; no file behind it."""

    def make(times, size_wh=(320, 240), fps=Fraction(10)):
        clip = Clip(Path("fake.mp4"), fps, np.array(times), size_wh, times[-1] + float(1 / fps), None)

        def frames(clip, *, every=1, width=None, **_):
            height = round(size_wh[1] * (width or size_wh[0]) / size_wh[0])
            for k, time in enumerate(clip.times):
                yield k, float(time), np.full((height, width or size_wh[0], 3), 10 * k, np.uint8)

        import foleyspace.video

        monkeypatch.setattr(foleyspace.video, "frames", frames)
        return clip

    return make


def probe_lines(path):
    from foleyspace.ffmpeg import ffmpeg_exe

    done = subprocess.run([ffmpeg_exe(), "-hide_banner", "-i", str(path)], capture_output=True, text=True)
    return done.stderr


def test_variable_rate_is_shown_as_a_player_would(fake_clip):
    clip = fake_clip([0.0, 0.1, 0.5, 0.6])
    shown = [(round(t, 3), int(f[0, 0, 0])) for t, f in steady_frames(clip, Fraction(10), (320, 240))]
    assert [t for t, _ in shown] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert [level for _, level in shown] == [0, 10, 10, 10, 10, 20, 30]


def test_constant_rate_keeps_every_frame(fake_clip):
    clip = fake_clip(np.arange(24) / 10)
    assert [int(f[0, 0, 0]) for _, f in steady_frames(clip, Fraction(10), (320, 240))] == [
        10 * k for k in range(24)
    ]
    ntsc = Fraction(30000, 1001)
    clip = fake_clip(np.arange(25) * 1001 / 30000, fps=ntsc)
    assert len(list(steady_frames(clip, ntsc, (320, 240)))) == 25


def test_file_has_picture_sound_and_length(fake_clip, tmp_path, monkeypatch):
    clip = fake_clip(np.arange(20) / 10)
    plans = []
    monkeypatch.setattr(overlay, "plan_frames", lambda *a: plans.append(a) or plan_frames(*a))
    sound = Audio(0.1 * np.random.default_rng(0).standard_normal((2, 2 * 44100)), 44100)
    out = tmp_path / "o.mp4"
    write_overlay(clip, [track()], scene(), out, audio=sound)
    assert len(plans) == 1
    said = probe_lines(out)
    assert "h264" in said
    assert "yuv420p" in said
    assert "640x480" in said
    assert "stereo" in said
    assert "Duration: 00:00:02.0" in said
    with pytest.raises(InputError, match="exists"):
        write_overlay(clip, [track()], scene(), out)
    write_overlay(clip, [], scene(), out, overwrite=True)
    assert "Audio" not in probe_lines(out)
    assert [p.name for p in tmp_path.iterdir()] == ["o.mp4"]


def test_a_periodic_sound_is_not_taken_for_a_transport_stream(fake_clip, tmp_path):
    """A pure tone of that level repeats, in float stereo, the byte that MPEG-TS starts with."""
    import soundfile

    level = 0.05 + 0.9 / 39
    tone = (level * np.sin(2 * np.pi * 1000 * np.arange(3 * 48000) / 48000)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, tone], 1), 48000, subtype="FLOAT")
    write_overlay(fake_clip(np.arange(20) / 10), (), scene(), tmp_path / "o.mp4", audio=tmp_path / "a.wav")
    assert "48000 Hz, stereo" in probe_lines(tmp_path / "o.mp4")
    assert len(soundfile.read(analyze._decode(tmp_path / "a.wav", str(tmp_path)))[0]) == len(tone)


def test_ear_levels_follow_the_sound(tmp_path):
    import soundfile

    rate, fps = 8000, 25.0
    sound = np.zeros((2 * rate, 2), np.float32)
    sound[:rate, 0] = 0.1  # left first, then right
    sound[rate:, 1] = 0.1
    soundfile.write(tmp_path / "a.wav", sound, rate, subtype="FLOAT")
    levels = overlay.ear_levels(tmp_path / "a.wav", fps)
    assert len(levels) == 50
    np.testing.assert_allclose(levels[:25, 0], -20, atol=0.1)
    assert (levels[26:, 0] < -90).all()
    np.testing.assert_allclose(levels[26:, 1], -20, atol=0.1)


def test_sizes_are_even_and_readable():
    assert output_size((1920, 1080), 720) == (1280, 720)
    assert output_size((320, 240), 720) == (640, 480)
    assert output_size((855, 481), 720) == (856, 482) or all(v % 2 == 0 for v in output_size((855, 481), 720))
    for size in [(17, 4000), (4000, 17), (1080, 1920), (2, 2)]:
        width, height = output_size(size, 720)
        assert width % 2 == height % 2 == 0
        assert 2 <= height <= 720


def test_failures_leave_nothing_behind(fake_clip, tmp_path, monkeypatch):
    clip = fake_clip(np.arange(20) / 10)
    with pytest.raises(InputError, match=r"must end in \.mp4"):
        write_overlay(clip, [], scene(), tmp_path / "o.avi")
    with pytest.raises(InputError, match="`max_height` is 9"):
        write_overlay(clip, [], scene(), tmp_path / "o.mp4", max_height=9)

    def broken(*_args, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(overlay, "draw_frame", broken)
        with pytest.raises(KeyboardInterrupt):
            write_overlay(clip, [], scene(), tmp_path / "o.mp4")
    with monkeypatch.context() as patch:  # what ffmpeg refuses half way: a frame size H.264 cannot have
        patch.setattr(overlay, "output_size", lambda *_: (641, 481))
        with pytest.raises(FoleyspaceError, match="could not be encoded"):
            write_overlay(clip, [], scene(), tmp_path / "o.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_on_a_real_video(shared, tmp_path):
    from foleyspace.video import probe

    clip = probe(shared / "videos" / "moving1.mp4")
    sound = shared / "videos" / "foleyspace" / "moving1.m4a"
    write_overlay(clip, [track()], scene(), tmp_path / "o.mp4", audio=sound)
    said = probe_lines(tmp_path / "o.mp4")
    assert "Duration: 00:00:08.0" in said
    assert "854x480" in said
    assert "stereo" in said


def test_an_encoder_that_died_leaves_nothing_open(tmp_path):
    """ffmpeg ends at once where the folder is not there: what is fed to it then fails, and its pipe is closed."""
    encoder = overlay._Encoder(tmp_path / "none" / "out.mp4", (64, 48), Fraction(25), None)

    def feed() -> None:
        with encoder:
            for _ in range(1000):
                encoder.write(np.zeros((48, 64, 3), np.uint8))

    with pytest.raises((FoleyspaceError, FileNotFoundError)):
        feed()
    assert encoder._process.stdin.closed
    assert encoder._process.returncode is not None
