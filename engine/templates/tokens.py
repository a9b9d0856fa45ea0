"""The text of a template as tokens: those of python-liquid, in time that grows with the text and no faster.

The library finds them with one regular expression, which looks for an end from wherever something may begin, and tries
every way to share out spaces: a short file of nothing but ``{{`` keeps it busy for minutes. Here every end is looked
for once, and what has none ahead is not looked for again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from liquid import Token
from liquid.exceptions import LiquidSyntaxError
from liquid.token import TOKEN_COMMENT, TOKEN_CONTENT, TOKEN_DOC, TOKEN_EOF, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG

_OPENING: Final = re.compile(r"\{[{%]")
_NAMED: Final = re.compile(r"\{%-?\s*(#|\w+)")
_VERBATIM: Final = re.compile(r"\{%-?\s*(raw|doc)\s*(-?)%\}")
_ENDS: Final = {kind: re.compile(rf"\{{%-?\s*end{kind}\s*(-?)%\}}") for kind in ("raw", "doc")}


class _Piece(NamedTuple):
    """A stretch of the text. ``value`` is what stands in it: an expression, or the text to show; it begins ``at``.

    ``trims``: what follows loses the white space it begins with.
    """

    kind: Literal["text", "output", "tag", "raw", "doc"]
    start: int
    end: int
    value: str
    at: int
    trims: bool = False
    name: str = ""
    named_at: int = 0


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a template. Raises LiquidSyntaxError at an output or tag that is never closed."""
    trims = False
    hidden: list[str] = []
    hidden_at = depth = 0
    for piece in _pieces(text):
        if depth:
            depth += {"comment": 1, "endcomment": -1}.get(piece.name, 0)
            if depth:
                hidden.append(text[piece.start : piece.end])
                continue
            yield Token(TOKEN_COMMENT, "".join(hidden), hidden_at, text)
            yield Token(TOKEN_TAG, piece.name, piece.named_at, text)
            hidden, trims = [], piece.trims
            continue
        yield from _shown(piece, text, trims)
        if piece.kind != "text":
            trims = piece.trims
        if piece.name == "comment":
            hidden_at, depth = piece.end, 1


def _shown(piece: _Piece, text: str, trims: bool) -> Iterator[Token]:
    """The tokens of a piece that stands in no comment. ``trims`` is the piece's before it."""
    match piece.kind:
        case "text":
            value = piece.value.lstrip() if trims else piece.value
            if value.startswith(("{{", "{%")):
                raise _unclosed(piece, text)
            if value:
                yield Token(TOKEN_CONTENT, value, piece.start, text)
        case "output":
            yield Token(TOKEN_OUTPUT, text[piece.start : piece.end], piece.start, text)
            yield Token(TOKEN_EXPRESSION, piece.value, piece.at, text)
        case "tag":
            yield Token(TOKEN_TAG, piece.name, piece.named_at, text)
            if piece.value:
                yield Token(TOKEN_EXPRESSION, piece.value, piece.at, text)
        case "raw" | "doc":
            yield Token(TOKEN_CONTENT if piece.kind == "raw" else TOKEN_DOC, piece.value, piece.start, text)


def _unclosed(piece: _Piece, text: str) -> LiquidSyntaxError:
    output = piece.value.startswith("{{")
    said = "expected '}}', found end of file" if output else "missing tag name or closing delimiter"
    return LiquidSyntaxError(said, token=Token(TOKEN_EOF, text[piece.start : piece.end], piece.start, text))


# ---------------------------------------------------------------------------------------------- pieces


def _pieces(text: str) -> Iterator[_Piece]:
    """All of the text, cut where outputs and tags begin and end."""
    place = 0
    missing: set[str] = set()
    while place < len(text):
        piece = _marked(text, place, missing) or _plain(text, place)
        yield piece
        place = piece.end


def _marked(text: str, start: int, missing: set[str]) -> _Piece | None:
    """The output, tag or verbatim stretch that begins here. ``missing`` are the ends that do not come any more."""
    if text.startswith("{{", start):
        return _output(text, start, missing)
    if text.startswith("{%", start):
        return _verbatim(text, start, missing) or _tag(text, start, missing)
    return None


def _output(text: str, start: int, missing: set[str]) -> _Piece | None:
    begin = start + (3 if text.startswith("-", start + 2) else 2)
    close = _find(text, "}}", begin, missing)
    if close < 0:
        return None
    value, at, trims = _between(text, begin, close)
    return _Piece("output", start, close + 2, value, at, trims)


def _tag(text: str, start: int, missing: set[str]) -> _Piece | None:
    named = _NAMED.match(text, start)
    close = -1 if named is None else _find(text, "%}", named.end(), missing)
    if named is None or close < 0:
        return None
    value, at, trims = _between(text, named.end(), close)
    return _Piece("tag", start, close + 2, value, at, trims, named[1], named.start(1))


def _verbatim(text: str, start: int, missing: set[str]) -> _Piece | None:
    begun = _VERBATIM.match(text, start)
    if begun is None or begun[1] in missing:
        return None
    ended = _ENDS[begun[1]].search(text, begun.end())
    if ended is None:
        missing.add(begun[1])
        return None
    value = text[begun.end() : ended.start()]
    if begun[1] == "raw":  # of which the library takes the sign that begins it for the one that ends it
        return _Piece("raw", start, ended.end(), value, begun.end(), bool(begun[2]))
    return _Piece("doc", start, ended.end(), value, begun.end(), bool(ended[1]))


def _plain(text: str, start: int) -> _Piece:
    """Text up to where something may begin. A line end that is the last sign of all is a piece of its own."""
    following = _OPENING.search(text, start + 1)
    if following is None:
        end = len(text) - 1 if text.endswith("\n") and start < len(text) - 1 else len(text)
        return _Piece("text", start, end, text[start:end], start)
    end = following.start()
    value = text[start:end]
    return _Piece("text", start, end, value.rstrip() if text.startswith("-", end + 2) else value, start)


def _find(text: str, sign: str, place: int, missing: set[str]) -> int:
    found = -1 if sign in missing else text.find(sign, place)
    if found < 0:
        missing.add(sign)
    return found


def _between(text: str, begin: int, close: int) -> tuple[str, int, bool]:
    """What stands before a closing sign, without spaces around it; where; and whether the sign trims what follows."""
    trims = close > begin and text[close - 1] == "-"
    whole = text[begin : close - 1 if trims else close]
    value = whole.lstrip()
    return value.rstrip(), begin + len(whole) - len(value) if value else begin, trims
