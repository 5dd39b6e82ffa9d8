"""How `foleyspace.caption` says a scene: the stretches of a way, the words for places, the grammar."""
