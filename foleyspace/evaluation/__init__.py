"""Systems compared over a set of mixtures whose binaural truth is known: `foleyspace evaluate`."""

PHASES = ("measured", "minimum", "onset")  # of the HRIRs that a truth was rendered with
