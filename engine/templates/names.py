"""What templates may be called, and the languages of their variants."""

from __future__ import annotations

import re
from typing import Any, Final

_STEP: Final = r"(?!\.)[^/\\:\x00-\x1f\x7f]{1,100}"
_NAME: Final = re.compile(f"{_STEP}(/{_STEP}){{0,9}}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8}){0,3}")
_LONGEST: Final = 40


def is_name(name: str) -> bool:
    """Whether a template may be called so: no step of it is hidden or leads out of the folder."""
    return _NAME.fullmatch(name) is not None


def language(text: str) -> str | None:
    """A language as it is compared, such as ``pl-pl`` for ``pl_PL``; None for what is none."""
    plain = text[: _LONGEST + 1].lower().replace("_", "-")
    return plain if len(plain) <= _LONGEST and _LANGUAGE.fullmatch(plain) else None


def languages(variant: Any) -> list[str]:
    """The languages to look for, the closest first: ``pl-pl``, then ``pl``. None for anything that is no language."""
    found = language(variant) if isinstance(variant, str) else None
    parts = found.split("-") if found else []
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
