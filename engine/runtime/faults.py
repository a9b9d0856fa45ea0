"""Errors that are one pair's own, told from those of the store, the process or the settings."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Final, TypeVar

from engine.store.faults import SYSTEMIC

K = TypeVar("K")

_PACKAGE: Final = Path(__file__).parents[1]


def keep(found: dict[K, Exception], key: K, error: Exception) -> None:
    """Keep an error of one's own; raise one that is nobody's."""
    if isinstance(error, SYSTEMIC):
        raise error
    found[key] = error


def described(error: BaseException) -> str:
    """Return an error's kind and place; its text may quote what people sent."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    if not own:
        return type(error).__name__
    place = Path(own[-1].filename).relative_to(_PACKAGE.parent).as_posix()
    return f"{type(error).__name__} at {place}:{own[-1].lineno} in {own[-1].name}"


def traced(error: BaseException) -> str:
    """Return an error's kind and every frame it came through, a line each; without its text, as :func:`described`."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join([type(error).__name__, *lines])
