"""A label is looked up as what it is a kind of, however a detector or a person writes it."""

from dataclasses import replace

import numpy as np
import pytest

from foleyspace.evidence import gather
from foleyspace.focus import focus_point
from foleyspace.handling import hand_over
from foleyspace.head_noun import kind_of
from foleyspace.hearing import Hearing
from foleyspace.held import HOLDERS, Glimpses
from foleyspace.listening import match, match_words
from foleyspace.observed import CELLS, ObservedTrack
from foleyspace.sounding_priors import (
    _PRIORS,
    ANIMATE,
    UNKNOWN_PRIOR,
    VEHICLES,
    sound_kind,
    sound_prior,
)
from foleyspace.tagger import EmbeddedTagger

TIMES = np.arange(0, 4, 0.1)


def seen(label, x=0.5, *, width=0.2, speed=0.1, held=None):
    n = len(TIMES)
    x = np.broadcast_to(np.asarray(x, float), (n,))
    box = np.stack([x - width / 2, np.full(n, 0.2), x + width / 2, np.full(n, 0.8)], 1)
    cells = np.full((n, CELLS, CELLS), speed, np.float16)
    return ObservedTrack(
        id=label, label=label, times=TIMES, xyxy=box, score=np.full(n, 0.8), moving=cells, inner=cells,
        depth_m=np.full(n, np.nan), held=held,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("label", "kind"),
    [("Dog", "dog"), ("dogs", "dog"), ("guide_dogs", "dog"), ("a red car", "car"), ("Buses", "bus"),
     ("old women", "woman"), ("Children", "child"), ("acoustic guitar", "guitar"), ("drum kit", "drum kit"),
     ("Hot Dogs", "hot dog"), ("Teddy bear", "teddy bear"), ("train-car", "train car"), ("dog house", None),
     ("skis", "skis"), ("drums", "drum"), ("", None), ("!", None)],
)  # fmt: skip
def test_a_label_is_a_kind_of_the_longest_known_end_of_it(label, kind):
    assert sound_kind(label) == kind_of(label, _PRIORS) == kind
    assert sound_prior(label) == (UNKNOWN_PRIOR if kind is None else _PRIORS[kind])


def test_every_class_that_a_rule_asks_for_is_found_by_its_own_name():
    for word in _PRIORS.keys() | ANIMATE | VEHICLES | HOLDERS:
        assert sound_kind(word) == sound_kind(word.title()) == word


@pytest.mark.parametrize(("written", "plain"), [("Dog", "dog"), ("Man", "man"), ("Red Trains", "train")])
def test_the_point_on_an_object_is_the_same_however_it_is_written(written, plain):
    held = np.tile([0.8, -0.1, 0.05], (len(TIMES), 1))
    moving = np.zeros((len(TIMES), CELLS, CELLS), np.float16)
    moving[:, :, -4:] = 0.3
    same = [
        focus_point(replace(seen(label, width=0.6, held=held), moving=moving)) for label in (written, plain)
    ]
    np.testing.assert_array_equal(same[0][0], same[1][0])
    assert np.abs(same[0][0] - 0.5).max() > 0.01  # and not the middle


@pytest.mark.parametrize("words", [("Person", "Drums"), ("Young Man", "Taiko drum")])
def test_a_person_of_any_spelling_hands_the_sound_over(words):
    def handed(labels):
        tracks = [seen(label, 0.4 + 0.1 * np.sin(2 * TIMES) + k * 0.14) for k, label in enumerate(labels)]
        out = hand_over(tracks, [gather(track, None, 1.0, 4.0) for track in tracks])
        return [(entry.score, entry.handled) for entry in out]

    assert handed(words) == handed(("person", "drum"))
    assert handed(words)[1][1]
    assert not handed(("Person", "Guide Dogs"))[1][1] and not handed(("Person", "Fire Truck"))[1][1]


def test_people_and_animals_of_any_spelling_are_not_held():
    glimpses = Glimpses(np.zeros((4, 4)), np.ones(4), ("Person", "brown dogs", "Teddy bear", "kite"))
    assert glimpses.inanimate().labels == ("Teddy bear", "kite")


def test_what_is_heard_speaks_for_any_spelling_alike():
    tagger = EmbeddedTagger(offline=True)
    labels, plain = ["Dog", "Woman", "TV", "Radios"], ["dog", "woman", "tv", "radio"]
    heard = Hearing(np.zeros(1), tagger.word_vectors(("guitar",)), np.full(1, -20.0), tagger)
    np.testing.assert_array_equal(match(heard, labels).ratio, match(heard, plain).ratio)
    said = [match_words(("trumpet",), names, offline=True).ratio for names in (labels[:2], plain[:2])]
    np.testing.assert_array_equal(*said)
    assert said[0][0, 1] > 1 > said[0][0, 0]  # people play trumpets, dogs do not
