"""The HTML pages that come with the package."""

from __future__ import annotations

from typing import Any


def fill_page(template: str, /, **shown: Any) -> str:
    """HTML of the package's file `template` and of what it shows, escaped. Raises jinja2's `UndefinedError`
    where the template asks for more than is `shown`."""
    from importlib.resources import files

    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    text = files("foleyspace").joinpath(template).read_text(encoding="utf-8")
    return environment.from_string(text).render(shown)
