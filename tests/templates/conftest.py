"""A folder of templates, and what is made from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.delivery_settings import TemplateSettings
from engine.templates.rendering import Facts, Rendered, Renderer
from engine.timestamps import parse_timestamp

MOMENT = parse_timestamp("2026-03-01T22:30:00Z")

VARIABLES: dict[str, Any] = {
    "person": {"first_name": "Ana", "plan": "free", "limit": 4, "for": "x", "tags": ["a", "b"], "name": "<b>&\"'"},
    "trigger": {"cart_total": 55, "limit": 10},
    "journey": {"rule": "cart", "start": MOMENT - 3_600_000_000, "moment": MOMENT, "step": "2"},
    "with": {"discount": 20, "limit": 3},
    "to": "ana@example.com",
    "variant": None,
}


class Kitchen:
    """Files in a folder, and a renderer that is made once and sees them change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = TemplateSettings(folder=folder)
        self._renderer: Renderer | None = None

    def write(self, **files: str) -> None:
        """``welcome_html="..."`` is ``welcome.html``."""
        for name, text in files.items():
            self.file(".".join(name.rsplit("_", 1)), text)

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def limit(self, **limits: int) -> None:
        self.settings = TemplateSettings(folder=self.folder, **limits)  # type: ignore[arg-type]
        self._renderer = None

    def render(self, name: str = "t", url: str | None = None, **variables: Any) -> Rendered | None:
        self._renderer = self._renderer or Renderer(self.settings)
        return self._renderer.render(name, Facts({**VARIABLES, **variables}, MOMENT, url))

    def html(self, text: str, **variables: Any) -> str:
        """What a text makes as HTML."""
        self.file("t.html", text)
        made = self.render(**variables)
        assert made is not None
        assert made.html is not None
        return made.html

    def text(self, text: str, **variables: Any) -> str:
        """What it makes as plain text."""
        self.file("t.txt", text)
        made = self.render(**variables)
        assert made is not None
        assert made.text is not None
        return made.text


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    return Kitchen(tmp_path / "templates")
