"""How the native API's lists come page by page."""

from __future__ import annotations

from typing import Final

from engine.api.described import Parameter
from engine.api.dialect import Call

PAGE: Final = 50
"""Items of a page that does not say how many."""

LONGEST_PAGE: Final = 500
"""Items of a page at most; who asks for more gets this many."""

PAGING: Final = (
    Parameter("limit", f"Items of a page, {LONGEST_PAGE} at most.", {"type": "integer", "minimum": 1, "default": PAGE}),
    Parameter("after", "What the page before gave.", {"type": "string"}),
)


def limit(call: Call) -> int:
    """How many items are asked for. Raises Refused (400)."""
    return call.whole("limit", PAGE, least=1, most=LONGEST_PAGE)
