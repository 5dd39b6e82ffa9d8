"""The trained listener: what goes in, what it is taught, what it says."""

from __future__ import annotations

import csv
import dataclasses
import shutil
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
import yaml
from soundfolder import FIVE, write_index, write_sounds

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from foleyspace.camera import angles_to_xyz, xyz_to_angles  # noqa: E402
from foleyspace.config_file import read_config  # noqa: E402
from foleyspace.errors import FoleyspaceError, InputError  # noqa: E402
from foleyspace.hrir import load_hrirs  # noqa: E402
from foleyspace.hrtf import resolve_hrtf  # noqa: E402
from foleyspace.metrics import listener  # noqa: E402
from foleyspace.metrics.listener import hear_where, load_listener  # noqa: E402
from foleyspace.metrics.listener_net import FRAME, PLANES, ListenerNet, cue_planes  # noqa: E402
from foleyspace.metrics.listener_training import (  # noqa: E402
    DISTANCE_WEIGHT,
    export,
    listener_loss,
    mirrored,
    score,
    strewn,
    wanted,
)
from foleyspace.pipelines import train_listener  # noqa: E402
from foleyspace.pipelines.train_listener import TrainListenerConfig  # noqa: E402
from foleyspace.renderer import render  # noqa: E402
from foleyspace.spatializer.bands import BANDS  # noqa: E402
from foleyspace.spatializer.dataset import Batch  # noqa: E402
from foleyspace.spatializer.ears import Ears  # noqa: E402
from foleyspace.types import Audio, Scene, Source  # noqa: E402

RATE = 48000

pytestmark = pytest.mark.usefixtures("one_thread")


def noise(frames: int, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(frames * FRAME, generator=torch.Generator().manual_seed(seed))


def batch(slots: int = 2, frames: int = 6, size: int = 3) -> Batch:
    """Sources at rest at 1 m and 4 m; the last slot is silent in the first half."""
    stems = torch.stack([torch.stack([noise(frames, 7 * i + k) for k in range(slots)]) for i in range(size)])
    stems[:, -1, : frames // 2 * FRAME] = 0
    angles = np.random.default_rng(0).uniform(-80, 80, (size, slots, 2))
    distances = np.broadcast_to(np.array([1.0, 4.0, 4.0])[:slots], (size, slots))
    xyz = torch.tensor(angles_to_xyz(angles, distances), dtype=torch.float32)[:, :, None].repeat(1, 1, 33, 1)
    return Batch(
        mixture=stems.sum(dim=1),
        stems=stems,
        present=stems.abs().amax(dim=-1) > 0,
        labels=nn.functional.normalize(
            torch.randn(size, slots, 384, generator=torch.Generator().manual_seed(1)), dim=-1
        ),
        activity=torch.ones(size, slots, frames * 4),
        xyz=xyz,
        rows=torch.zeros(size, slots, 1, dtype=torch.long),
        truth=torch.stack((stems[:, 0], stems.sum(dim=1)), dim=1),
    )


class Oracle(nn.Module):
    """Answers what is wanted of a batch, turned by some signs."""

    def __init__(self, known: Batch, *signs: float, surely: float = 20.0) -> None:
        super().__init__()
        target = wanted(known)
        self.answer = (
            surely * (2 * target.sounding - 1),
            target.unit * torch.tensor(signs or (1.0, 1.0, 1.0)),
            target.log_distance,
        )

    def forward(self, sound, labels, stranger=None):
        return self.answer


# --- what goes in


def test_cues_of_a_delay_and_a_level():
    """The right ear 0.2 ms later and 6 dB lower: the IPD of a band at f is 2 pi f 0.2 ms, left leading."""
    sound = noise(8)
    delay = 10  # samples
    right = torch.roll(sound, delay) / 2
    planes, levels = cue_planes(torch.stack((sound, right))[None])
    assert planes.shape == (1, PLANES, BANDS, 32) and levels.shape == (1, BANDS, 32)
    inner = planes[0, :, :, 2:-2]
    assert inner[1, 30:].mean() == pytest.approx(20 * np.log10(2) / 20, abs=0.02)
    for band in (20, 40, 60):  # one bin each, RATE / 2048 Hz wide
        phase = 2 * np.pi * band * RATE / 2048 * delay / RATE
        measured = torch.atan2(inner[3, band].mean(), inner[2, band].mean())
        assert measured == pytest.approx((phase + np.pi) % (2 * np.pi) - np.pi, abs=0.1)
        # a delay of 10 in a window of 2048 samples leaves nearly all of the coherence
        assert torch.hypot(inner[2, band], inner[3, band]).mean() > 0.95


def test_equal_ears_have_no_difference_and_silence_tells_nothing():
    sound = noise(4)
    planes, _ = cue_planes(torch.stack((sound, sound))[None])
    assert planes[0, 1].abs().max() < 1e-4 and planes[0, 3].abs().max() < 1e-3
    assert planes[0, 2].min() > 0.99
    silent, _ = cue_planes(torch.zeros(1, 2, 4 * FRAME))
    assert torch.isfinite(silent).all() and silent[0, 1:4].abs().max() == 0


def test_cues_are_the_same_at_any_level():
    sound = torch.stack((noise(4), noise(4, 1)))[None]
    loud, quiet = (cue_planes(sound * gain)[0] for gain in (1.0, 0.01))
    assert (loud - quiet).abs().max() < 1e-2


# --- the network


@pytest.fixture(scope="module")
def net() -> ListenerNet:
    torch.manual_seed(0)
    return ListenerNet().eval()


def test_shapes_and_size(net):
    for frames in (1, 5):
        logit, direction, log_distance = net(torch.randn(2, 2, frames * FRAME), torch.randn(2, 3, 384))
        assert logit.shape == log_distance.shape == (2, 3, frames)
        assert direction.shape == (2, 3, frames, 3)
    assert sum(p.numel() for p in net.parameters()) < 1.5e6


def test_each_label_is_answered_by_itself(net):
    sound, labels = torch.randn(1, 2, 3 * FRAME), torch.randn(1, 3, 384)
    together = net(sound, labels)[1]
    order = [2, 0, 1]
    assert torch.allclose(net(sound, labels[:, order])[1], together[:, order], atol=1e-5)
    assert torch.allclose(net(sound, labels[:, :1])[1], together[:, :1], atol=1e-5)
    assert (together[:, 0] - together[:, 1]).abs().max() > 1e-3  # and the label matters


def test_a_label_that_is_nan_says_nothing(net):
    """Training's word vectors of unknown words are NaN, those of `hear_where` zero."""
    sound, labels = torch.randn(1, 2, 2 * FRAME), torch.randn(1, 2, 384)
    labels[:, 1] = 0
    withheld = labels.clone()
    withheld[:, 1] = torch.nan
    with torch.inference_mode():
        for part, other in zip(net(sound, labels), net(sound, withheld), strict=True):
            assert torch.equal(part, other)


def test_the_tagger_inside_does_not_learn(net):
    assert not any(p.requires_grad for p in net.ears.parameters())
    assert not net.train().ears.net.training
    net.eval()


# --- what it is taught


def test_what_is_wanted():
    known = batch()
    target = wanted(known)
    assert target.sounding[:, 0].all()
    assert target.sounding[0, 1].tolist() == [0, 0, 0, 1, 1, 1]
    assert torch.allclose(target.log_distance[:, 0].exp(), torch.tensor(1.0), atol=1e-5)
    assert torch.allclose(target.log_distance[:, 1].exp(), torch.tensor(4.0), atol=1e-4)
    assert torch.allclose(target.unit * target.log_distance.exp()[..., None], known.xyz[:, :, :6], atol=1e-4)
    assert (target.weight[:, 1, :3] == 0).all() and (target.weight[:, 0, :3] == 1).all()
    # alike in level: half of the power each
    assert target.weight[:, 0, 3:].mean() == pytest.approx(0.5**0.5, abs=0.02)


def test_a_source_on_its_way_is_where_it_is_in_the_middle_of_a_moment():
    known = batch(frames=4)
    x = torch.linspace(1, 9, 33)
    path = torch.stack((x, torch.zeros(33), torch.zeros(33)), dim=-1).expand(3, 2, 33, 3)
    distance = wanted(replace(known, xyz=path)).log_distance.exp()
    assert torch.allclose(distance[0, 0], torch.tensor([2.0, 4.0, 6.0, 8.0]), atol=1e-3)


def test_what_is_drowned_is_not_wanted():
    known = batch()
    stems = known.stems.clone()
    stems[:, 0] *= 0.05  # 26 dB below the other, where that sounds
    assert wanted(replace(known, stems=stems)).sounding[0, 0].tolist() == [1, 1, 1, 0, 0, 0]


def test_mirrored_twice_is_as_before():
    known = batch()
    which = torch.tensor([True, False, True])
    once = mirrored(known, which)
    assert torch.equal(once.truth[0], known.truth[0].flip(0)) and torch.equal(once.truth[1], known.truth[1])
    assert torch.equal(once.xyz[0], known.xyz[0] * torch.tensor([1.0, -1.0, 1.0]))
    again = mirrored(once, which)
    assert torch.equal(again.truth, known.truth) and torch.equal(again.xyz, known.xyz)


def test_strewn_paths_keep_shape_and_distance():
    rng = np.random.default_rng(0)
    angles = np.stack([rng.uniform(-80, 80, (1000, 5)), rng.normal(0, 12, (1000, 5))], axis=-1)
    paths = angles_to_xyz(angles, rng.uniform(0.3, 30, (1000, 5)))
    before, after = xyz_to_angles(paths), xyz_to_angles(strewn(paths, rng))
    assert np.allclose(before[2], after[2])
    turn = (after[0] - before[0] + 180) % 360 - 180
    assert np.allclose(turn, turn[:, :1]) and 0.45 < (np.abs(turn[:, 0]) < 1e-6).mean() < 0.55
    assert 0.2 < (np.abs(after[0]) > 90).mean() < 0.3  # behind: half of those turned
    rise = after[1] - before[1]
    within = (after[1] > -44.9).all(axis=1) & (after[1] < 79.9).all(axis=1)
    assert np.allclose(rise[within], rise[within, :1]) and within.mean() > 0.95
    assert 13 < rise[:, 0].std() < 17


def test_the_loss_is_least_for_what_is_wanted():
    known = batch()
    least = listener_loss(Oracle(known), known, known.labels)
    assert least == pytest.approx(0.05, abs=1e-3)  # the rounded tip of the distance of directions
    # behind in place of in front: twice the cosine of each direction's angle with the front
    turned = listener_loss(Oracle(known, -1, 1, 1), known, known.labels)
    target = wanted(known)
    off = (4 * target.unit[..., 0].square() + 0.05**2).sqrt()
    assert turned - least == pytest.approx(
        float((off * target.weight).sum() / target.weight.sum()) - 0.05, abs=1e-3
    )
    deaf = Oracle(known, surely=0.0)
    assert listener_loss(deaf, known, known.labels) - least == pytest.approx(0.5 * np.log(2), abs=1e-3)
    far = Oracle(known)
    far.answer = (*far.answer[:2], far.answer[2] + 3)
    assert listener_loss(far, known, known.labels) - least == pytest.approx(DISTANCE_WEIGHT * 2.5, abs=1e-3)


def test_figures_know_right_from_wrong():
    known = batch()
    best = score(Oracle(known), [known])
    assert best["mixed_azimuth"] < 0.1 and best["mixed_elevation"] < 0.1 and best["mixed_angle"] < 0.1
    assert best["mixed_side"] == best["mixed_front_back"] == best["mixed_near_far"] == best["sounding"] == 100
    assert not any(name.startswith("alone") for name in best)
    assert score(Oracle(known, -1, 1, 1), [known])["mixed_front_back"] == 0
    assert score(Oracle(known, -1, 1, 1), [known])["mixed_side"] == 100
    assert score(Oracle(known, 1, -1, 1), [known])["mixed_side"] < 60
    single = replace(known, present=torch.tensor([[True, False]] * 3))
    assert score(Oracle(known), [single])["alone_azimuth"] < 0.1


def test_it_learns_where_one_sound_is(net):
    """Ten steps on two level differences: the loss on them falls well below that of knowing nothing."""
    torch.manual_seed(0)
    learner = ListenerNet()
    known = batch(slots=1, frames=2, size=4)
    stems = known.stems.clone()
    stems[:] = torch.stack([noise(2, i) for i in range(4)])[:, None]
    left = torch.tensor([True, False, True, False])
    gains = torch.where(left[:, None], torch.tensor([1.0, 0.3]), torch.tensor([0.3, 1.0]))
    side = torch.where(left, 1.0, -1.0).view(4, 1, 1, 1) * torch.tensor([0.0, 2.0, 0.0])
    lesson = replace(known, stems=stems, truth=stems * gains[..., None], xyz=side.expand(4, 1, 33, 3))
    optimiser = torch.optim.AdamW(learner.parameters(), 3e-3)
    losses = []
    for _ in range(10):
        loss = listener_loss(learner, lesson, lesson.labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


# --- weights and reading


@pytest.fixture(scope="module")
def weights(net, tmp_path_factory):
    return export(net, tmp_path_factory.mktemp("weights") / "listener.safetensors", {"steps": 0})


def test_exported_weights_are_read_again(net, weights):
    again = load_listener(weights)
    sound, labels = torch.randn(1, 2, 2 * FRAME), torch.randn(1, 2, 384)
    with torch.inference_mode():
        assert torch.allclose(again(sound, labels)[1], net(sound, labels)[1], atol=0.02)  # float16


def test_other_files_are_refused(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "w.safetensors"
    path.write_bytes(b"no weights at all")
    with pytest.raises(InputError, match="not readable as safetensors"):
        load_listener(path)
    save_file({"a": torch.zeros(1)}, path, metadata={"format": "other"})
    with pytest.raises(InputError, match="its format is 'other'"):
        load_listener(path)
    save_file({"a": torch.zeros(1)}, path, metadata={"format": listener.FORMAT})
    with pytest.raises(InputError, match="missing"):
        load_listener(path)
    save_file({"head.weight": torch.zeros(1)}, path, metadata={"format": listener.FORMAT})
    with pytest.raises(InputError, match="do not fit"):
        load_listener(path)
    with pytest.raises(InputError, match="weights"):
        load_listener(tmp_path / "none.safetensors")


def test_weights_that_are_not_finite_are_refused_in_one_line(net, tmp_path):
    from safetensors.torch import save_file

    tensors = dict(net.state_dict())
    tensors["head.bias"] = torch.full_like(tensors["head.bias"], torch.nan)
    path = tmp_path / "nan.safetensors"
    save_file(tensors, path, metadata={"format": listener.FORMAT})
    with pytest.raises(InputError, match="values that are not finite") as error:
        load_listener(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_file_that_is_written_anew_is_read_anew(net, weights, tmp_path):
    path = tmp_path / "listener.safetensors"
    path.write_bytes(weights.read_bytes())
    first = load_listener(path)
    assert load_listener(path) is first
    export(net, path, {"steps": 10_000})  # another header: another size
    assert load_listener(path) is not first


def test_damaged_shipped_weights_are_found_out(monkeypatch):
    monkeypatch.setattr(listener, "SHIPPED", "tagger.safetensors")  # its sum is not the listener's
    with pytest.raises(FoleyspaceError, match="damaged"):
        load_listener()


@pytest.mark.parametrize(
    ("sound", "rate", "labels", "message"),
    [
        (np.zeros((1, 100)), RATE, ["dog"], r"shape \(1, 100\)"),
        (np.zeros((2, 0)), RATE, ["dog"], "n > 0"),
        (np.zeros((2, 100)), 44100, ["dog"], "44100 Hz"),
        (np.full((2, 100), np.nan), RATE, ["dog"], "NaN"),
        (np.zeros((2, 100)), RATE, [], "`labels` is empty"),
    ],
)
def test_what_cannot_be_heard_is_refused(sound, rate, labels, message, net):
    with pytest.raises(InputError, match=message):
        hear_where(sound, rate, labels, net)


def test_a_reading_has_all_moments(net, monkeypatch):
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 5 * FRAME + 7))
    reading = hear_where(sound, RATE, ["dog", "piano"], net)
    assert reading.labels == ("dog", "piano")
    assert reading.sounding.shape == (2, 6) and reading.xyz.shape == (2, 6, 3)
    assert np.allclose(np.diff(reading.times), FRAME / RATE)
    assert ((reading.sounding > 0) & (reading.sounding < 1)).all() and np.isfinite(reading.xyz).all()
    monkeypatch.setattr(listener, "FRAMES_AT_ONCE", 4)  # long sounds, part by part
    parts = hear_where(sound, RATE, ["dog", "piano"], net)
    assert parts.xyz.shape == reading.xyz.shape
    first = hear_where(sound[:, : 4 * FRAME], RATE, ["dog", "piano"], net)
    assert np.allclose(parts.xyz[:, :4], first.xyz)
    silent = hear_where(np.zeros((2, 3 * FRAME)), RATE, ["dog"], net)
    assert np.isfinite(silent.xyz).all()


# --- the weights that ship


@pytest.fixture(scope="module")
def kemar():
    return load_hrirs("mit_kemar")


def heard(kemar, azimuth: float, elevation: float = 0.0, seed: int = 0):
    """Noise bursts, called rain, at one place; azimuth and elevation heard, degrees."""
    rng = np.random.default_rng(seed)
    t = np.arange(2 * RATE) / RATE
    sound = Audio((0.1 * rng.standard_normal(len(t)) * (0.6 + 0.4 * np.sin(12 * t))).astype(np.float32), RATE)
    xyz = angles_to_xyz(np.array([[azimuth, elevation]]), np.array([2.0]))
    scene = Scene((Source("r", "rain", [0.0], xyz),), 2.0)
    reading = hear_where(render(sound, scene, kemar).samples, RATE, ["rain"])
    return xyz_to_angles(reading.xyz[0].mean(axis=0))[:2]


def test_the_shipped_listener_is_small():
    path = files("foleyspace.models") / "listener.safetensors"
    assert len(path.read_bytes()) < 6e6
    assert sum(p.numel() for p in load_listener().parameters()) < 1.5e6


@pytest.mark.parametrize("azimuth", [-90, -50, -25, 25, 50, 90])
def test_the_shipped_listener_hears_the_side(kemar, azimuth):
    lateral = np.degrees(np.arcsin(np.sin(np.radians(heard(kemar, azimuth)[0]))))
    assert lateral == pytest.approx(azimuth, abs=20)


def test_the_shipped_listener_hears_a_mirror_image_mirrored(kemar):
    rng = np.random.default_rng(1)
    sound = Audio(0.1 * rng.standard_normal(RATE).astype(np.float32), RATE)
    scene = Scene((Source("r", "rain", [0.0], [[1.0, 1.5, 0.2]]),), 1.0)
    binaural = render(sound, scene, kemar).samples
    one, other = (hear_where(b, RATE, ["rain"]).xyz[0].mean(axis=0) for b in (binaural, binaural[::-1]))
    one, other = (x / np.linalg.norm(x) for x in (one, other))
    assert np.degrees(np.arccos(one @ (other * [1, -1, 1]))) < 25


# --- training


def test_train_listener_yaml_equals_the_dataclass():
    stated = yaml.safe_load((files("foleyspace.configs") / "train_listener.yaml").read_text())
    assert stated | {"taggers": ()} == dataclasses.asdict(TrainListenerConfig()) and stated["taggers"] == []
    for wrong, message in (
        ({"stepz": "3"}, "`stepz` is no option"),
        ({"steps": "0"}, "`steps` is 0"),
        ({"label_noise": "2"}, "`label_noise` is 2"),
        ({"learning_rate": "1.5"}, "`learning_rate` is 1.5"),
        ({"taggers": "[one.safetensors]"}, "must be two files"),
    ):
        with pytest.raises(InputError, match=message):
            read_config(TrainListenerConfig, "train_listener", wrong)
    with pytest.raises(InputError, match="`sounds` is empty"):
        train_listener.run(TrainListenerConfig())
    with pytest.raises(InputError, match="`hrtfs` is empty"):
        train_listener.run(TrainListenerConfig(sounds="somewhere"))


@pytest.mark.slow
def test_training_learns_resumes_and_exports(tmp_path, monkeypatch):
    monkeypatch.setattr("foleyspace.spatializer.training.keep_memory", lambda: None)
    write_sounds(tmp_path / "sounds", FIVE)
    rows = [
        (name, *said, "held" if name in ("dog2.wav", "flute1.wav") else "train")
        for name, said in FIVE.items()
    ]
    write_index(tmp_path / "sounds", ("file", "class", "kind", "split"), rows)
    (tmp_path / "hrtfs").mkdir()
    shutil.copy(resolve_hrtf("mit_kemar"), tmp_path / "hrtfs" / "a.sofa")
    config = TrainListenerConfig(
        sounds=str(tmp_path / "sounds"),
        hrtfs=str(tmp_path / "hrtfs"),
        out=str(tmp_path / "whole"),
        steps=6,
        batch=2,
        frames=6,
        check_every=3,
        check_pieces=4,
        device="cpu",
    )
    whole = load_listener(train_listener.run(config))
    rows = list(csv.DictReader((tmp_path / "whole" / "curve.csv").open()))
    assert [int(float(row["step"])) for row in rows] == [3, 6]
    assert all(0 <= float(row["sounding"]) <= 100 for row in rows)
    half = replace(config, out=str(tmp_path / "half"))
    run_until(half, 3)
    resumed = load_listener(train_listener.run(half))
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    listening: list[int | None] = []
    evidence = Ears.evidence

    def heard(self, *given):
        listening.append(given[-1])
        return evidence(self, *given)

    monkeypatch.setattr(Ears, "evidence", heard)
    monkeypatch.setattr("foleyspace.spatializer.sounds.half_of", lambda name: list(FIVE).index(name) % 2)
    tagger = str(files("foleyspace.models") / "tagger.safetensors")
    train_listener.run(replace(config, out=str(tmp_path / "strange"), taggers=(tagger, tagger), steps=4))
    assert [who for who in listening if who is not None] == [1, 1, 0, 0] and None in listening  # and checks


def run_until(config: TrainListenerConfig, step: int) -> None:
    """A run that is ended after its check at `step`."""
    from foleyspace.spatializer.training import State

    class Ended(Exception):
        pass

    update = State.update

    def ends(state, loss):
        if state.step == step:
            raise Ended
        update(state, loss)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(State, "update", ends)
        with pytest.raises(Ended):
            train_listener.run(config)
