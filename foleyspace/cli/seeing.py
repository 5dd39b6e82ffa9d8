"""Options of commands that watch a video, and of those that make sound from a scene."""

from __future__ import annotations

import click

from foleyspace.cli.options import default, stacked
from foleyspace.pipelines.spatialize import SoundConfig
from foleyspace.pipelines.track import TrackConfig


def _seeing(name: str) -> object:
    return default(TrackConfig, name)


def _sound(name: str) -> object:
    return default(SoundConfig, name)


seeing_options = stacked(
    [
        click.option(
            "--detector",
            default=_seeing("detector"),
            show_default=True,
            metavar="auto|motion|NAME|PATH",
            help="An Ultralytics model by name or path, or `motion`, which needs no weights.",
        ),
        click.option(
            "--depth",
            default=_seeing("depth"),
            show_default=True,
            metavar="auto|size|NAME|PATH",
            help="A depth model of Hugging Face by name or folder, or `size`: from usual object sizes.",
        ),
        click.option(
            "--namer",
            default=_seeing("namer"),
            metavar="NAME|PATH",
            help="Names what moves and has no name: a CLIP or SigLIP model of Hugging Face, or a folder.",
        ),
        click.option(
            "--fov",
            "fov_deg",
            type=float,
            default=_seeing("fov_deg"),
            show_default=True,
            metavar="DEG",
            help="Horizontal field of view of the camera.",
        ),
        click.option(
            "--projection",
            type=click.Choice(["rectilinear", "equirectangular"]),
            default=_seeing("projection"),
            show_default=True,
            help="`equirectangular` for 360 degree video.",
        ),
        click.option(
            "--look-for",
            default=_seeing("look_for"),
            metavar="TEXT",
            help='What an open-vocabulary detector looks for: "a drum, a violin".',
        ),
        click.option(
            "--sound",
            default=_seeing("sound"),
            metavar="TEXT",
            help='What makes the sound, said by you instead of heard: "trumpet" or "dog, rain".',
        ),
        click.option(
            "--source",
            multiple=True,
            default=_seeing("source"),
            metavar="ID",
            help="Only this object sounds where it is seen; ids: --report, -v, --json. May be repeated.",
        ),
        click.option(
            "--tagger",
            default=_seeing("tagger"),
            show_default=True,
            metavar="auto|NAME|PATH",
            help="What listens: the embedded tagger, or an AST or CLAP model by hub name or folder.",
        ),
        click.option(
            "--detect-hz",
            type=float,
            default=_seeing("detect_hz"),
            metavar="HZ",
            help="How often objects are looked for; default: as often as the picture calls for, 12 on a GPU.",
        ),
    ]
)

model_options = stacked(
    [
        click.option(
            "--device",
            default=_seeing("device"),
            show_default=True,
            metavar="auto|cpu|cuda",
            help="Where models run.",
        ),
        click.option("--offline", is_flag=True, help="Never ask the network for a model."),
    ]
)

sound_options = stacked(
    [
        click.option(
            "--hrtf",
            default=_sound("hrtf"),
            show_default=True,
            metavar="NAME|FILE.sofa",
            help="Whose ears: see `foleyspace hrtf list`.",
        ),
        click.option(
            "--spatializer",
            type=click.Choice(["auto", "hrir", "diffusion"]),
            default=_sound("spatializer"),
            show_default=True,
            help="`diffusion` takes a mixture apart and sends each sound to its own place; `hrir` sends "
            "all of it to every place; `auto`: apart where several share the sound at once.",
        ),
        click.option(
            "--weights",
            default=_sound("weights"),
            show_default=True,
            metavar="auto|FILE|NAME",
            help="Of the diffusion: those that ship, a file of `foleyspace train`, or a hub name.",
        ),
        click.option(
            "--steps",
            type=int,
            default=_sound("steps"),
            show_default=True,
            metavar="N",
            help="How often the diffusion looks at its own estimate; 1 is the plain prediction.",
        ),
        click.option(
            "--guidance",
            type=float,
            default=_sound("guidance"),
            show_default=True,
            metavar="G",
            help="How much the sources' names count; 1 is as trained.",
        ),
        click.option(
            "--mono-compatible",
            is_flag=True,
            help="Left plus right stays the mono sound; only their difference is rendered.",
        ),
        click.option(
            "--phase",
            type=click.Choice(["auto", "measured", "minimum"]),
            default=_sound("phase"),
            show_default=True,
            help="Of the HRIRs: as measured, or minimum phase and delay; `auto`: minimum for mixtures.",
        ),
        click.option(
            "--distance-gain",
            type=click.Choice(["auto", "on", "off"]),
            default=_sound("distance_gain"),
            show_default=True,
            help="Level and air absorption over distance; `auto`: only for sounds of their own.",
        ),
        click.option("--doppler", is_flag=True, help="Add Doppler shift (a recorded track has its own)."),
        click.option(
            "--rt60", "rt60_s", type=float, metavar="S", help="Add a room of this reverberation time."
        ),
        click.option(
            "--drr",
            "drr_db",
            type=float,
            default=_sound("drr_db"),
            show_default=True,
            metavar="DB",
            help="Direct-to-reverberant ratio of the room.",
        ),
        click.option("--seed", type=int, default=_sound("seed"), show_default=True),
    ]
)
