"""foleyspace: a video with mono sound becomes a video with binaural sound that follows the screen."""

__version__ = "0.1.0"
