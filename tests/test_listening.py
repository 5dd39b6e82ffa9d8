"""What is heard decides between what could be meant; what people play counts for them."""

import numpy as np
import pytest

from foleyspace.hearing import Hearing
from foleyspace.listening import TRUST, Matched, by_people, match, match_words
from foleyspace.motion import LABEL as MOVER
from foleyspace.tagger import KINDS, EmbeddedTagger


@pytest.fixture(scope="module")
def tagger():
    return EmbeddedTagger(offline=True)


def hearing(tagger, *words, level_db=-20.0):
    vectors = tagger.word_vectors(words)
    times = np.arange(len(words), dtype=float)
    return Hearing(times, vectors, np.full(len(words), level_db), tagger)


def test_a_bark_speaks_for_the_dog_and_against_the_car(tagger):
    found = match(hearing(tagger, "dog bark", "car engine"), ["dog", "car", MOVER, "tv"])
    assert found.ratio[0, 0] > 1.5 > 1 > found.ratio[0, 1]
    assert found.ratio[1, 1] > 1.5 > 1 > found.ratio[1, 0]
    assert found.ratio[:, 2:] == pytest.approx(1.0)  # may sound like anything


def test_instruments_speak_for_people_and_engines_do_not():
    # the logits of kinds are read off sounds, not words: rows of the identity as if each were surely heard
    kind = np.eye(len(KINDS))
    ratio = dict(zip(KINDS, by_people(kind), strict=True))
    assert min(ratio["instrument"], ratio["speech"], ratio["footstep"]) > 1.2
    assert max(ratio["animal"], ratio["environmental"]) == 0.2
    assert 0.3 < ratio["vehicle"] < 0.6  # mowers and blowers are carried, cars are not
    assert by_people(np.full((1, len(KINDS)), 1 / len(KINDS))) == pytest.approx(1.0)


def test_the_ratios_are_trusted_by_half_and_quiet_says_nothing(tagger):
    sure = match(hearing(tagger, "dog bark"), ["dog", "car"], trust=1.0)
    assert match(hearing(tagger, "dog bark"), ["dog", "car"]).ratio == pytest.approx(sure.ratio**TRUST)
    assert match(hearing(tagger, "dog bark", level_db=-90.0), ["dog", "car"]).ratio == pytest.approx(1.0)


def test_words_of_a_person_take_the_place_of_what_is_heard():
    said = match_words(("trumpet", "rain"), ["dog", "trumpet", "person"], offline=True)
    assert said.ratio.shape == (1, 3)
    assert said.ratio[0] == pytest.approx([0.2, 5, 5], rel=0.5)  # a trumpet is played by somebody
    assert said.affinity(1, np.linspace(0, 8, 5)) == pytest.approx(said.ratio[0, 1])
    assert said.voice_p.tolist() == [0]
    assert match_words(("shouting",), ["person"], offline=True).voice_p.tolist() == [1]
    engine = match_words(("engine",), ["person", "car", "bird"], offline=True).ratio[0]
    assert engine[1] > 3 and engine[1] > 5 * max(engine[0], engine[2])


def test_between_windows_the_ratio_goes_geometrically():
    found = Matched(np.array([0.0, 1.0]), np.array([[1.0], [4.0]]), np.array([0.0, 1.0]))
    assert found.affinity(0, np.array([-1.0, 0.5, 2.0])) == pytest.approx([1, 2, 4])
    assert found.voice(np.array([0.25])) == pytest.approx([0.25])


def test_no_objects_no_columns(tagger):
    assert match(hearing(tagger, "dog bark"), []).ratio.shape == (1, 0)
