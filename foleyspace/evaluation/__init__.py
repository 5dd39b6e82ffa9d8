"""Systems compared over a set of mixtures whose binaural truth is known: `foleyspace evaluate`."""
