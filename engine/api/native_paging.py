"""How the native API's lists come page by page."""

from __future__ import annotations

from typing import Final

from engine.api.described import Parameter
from engine.api.dialect import Call

PAGE: Final = 50
"""Items of a page that does not say how many."""

LONGEST_PAGE: Final = 500
"""Items of a page at most; who asks for more gets this many."""

_LIMIT: Final = Parameter(
    "limit", f"Items of a page; more than {LONGEST_PAGE} are {LONGEST_PAGE}.",
    {"type": "integer", "minimum": 1, "maximum": 10**18 - 1, "default": PAGE},
)  # fmt: skip


def _after(place: str) -> Parameter:
    schema = {"type": "string", "pattern": f"^({place})?$"}
    return Parameter("after", "What the page before gave; empty for the first page.", schema)


PAGING: Final = (_LIMIT, _after("[A-Z2-7]{48}"))
"""Pages of lists that go on behind a cursor."""

PAGING_BY_TYPE: Final = (_LIMIT, _after("evt-type_[0-7][0-9A-HJKMNP-TV-Z]{25}"))
"""Pages of event types go on behind one of them."""


def limit(call: Call) -> int:
    """How many items are asked for. Raises Refused (400)."""
    return call.whole("limit", PAGE, least=1, most=LONGEST_PAGE)
