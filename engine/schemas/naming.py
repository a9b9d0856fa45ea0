"""The convention for event names: ``object_action`` in snake_case, such as ``user_signed_up``."""

from __future__ import annotations

import re
from typing import Final

from engine.schemas.predefined import PREDEFINED

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BETWEEN_WORDS: Final = re.compile(r"[\W_]+")


def suggested_name(name: str) -> str | None:
    """The name by the convention, where ``name`` is not by it: ``user_signed_up`` for ``UserSignedUp``.

    None for a name that is fine, is predefined, is dotted (``order.paid``, a convention of its own), or has no
    letters and digits to make one of.
    """
    if "." in name or name in PREDEFINED:
        return None
    words = _BETWEEN_WORDS.sub("_", _HUMP.sub("_", name)).strip("_").lower()
    return words if words and words != name else None
