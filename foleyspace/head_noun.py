"""What a label is a kind of: the one lookup of labels in tables of words."""

from __future__ import annotations

from collections.abc import Container

from foleyspace.word_vectors import clean_word

_PLURALS = {"people": "person", "men": "man", "women": "woman", "children": "child"}


def kind_of(label: str, known: Container[str]) -> str | None:
    """The word of `known` (lower case) that a label is a kind of, or None.

    Case, hyphens and underscores do not count; plurals and adjectives are taken off ("Acoustic Guitars" is
    a guitar, "police_car" a car), no more than need be: where "hot dog" is known, it is no dog.
    """
    words = clean_word(label).split()
    for start in range(len(words)):  # the head noun stands last in English
        name = " ".join(words[start:])
        singular = " ".join([*words[start:-1], _PLURALS.get(words[-1], words[-1])])
        for form in (name, name.removesuffix("s"), name.removesuffix("es"), singular):
            if form in known:
                return form
    return None
