"""What a rule is called when nobody has named it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from hashlib import sha256

from .layout import canonical
from .nodes import Rule


def slug(title: str) -> str:
    """``title`` as a name: ``Abandoned cart`` becomes ``abandoned-cart``. Letters of any script stay."""
    plain = unicodedata.normalize("NFKC", title).casefold()
    return re.sub(r"[\W_]+", "-", plain).strip("-")


def identified(rule: Rule) -> Rule:
    """The rule with the identity its title gives it, or, without one, its canonical text."""
    name = slug(rule.title or "")
    return replace(rule, id=name or "rule-" + sha256(canonical(rule).encode()).hexdigest()[:12])
