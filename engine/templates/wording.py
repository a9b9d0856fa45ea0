"""What python-liquid says of a template, in plain words and with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, Protocol

from liquid import Token
from liquid.exceptions import (
    BlockNestingError,
    ContextDepthError,
    LiquidError,
    LiquidSyntaxError,
    OutputStreamLimitError,
    ResourceLimitError,
    TemplateNotFoundError,
    UnknownFilterError,
)

from engine.language.diagnostics import Diagnostic
from engine.language.source import Source
from engine.language.suggest import nearest
from engine.strict_json import shown
from engine.templates.codes import finding
from engine.templates.dialect import BLOCKS, DEPTH


class _Said(NamedTuple):
    message: str
    help: str | None = None
    code: str = "template-syntax"


class Known(Protocol):
    """The words there are."""

    tags: dict[str, Any]
    filters: dict[str, Any]


def explained(error: LiquidError, source: Source, known: Known) -> Diagnostic:
    """An error of the text of ``source``."""
    said = _said(error, source, known)
    return finding(said.code, said.message, span_of(error.token, source), said.help)


def span_of(token: Token | None, source: Source) -> tuple[int, int]:
    """Where a token stands; the beginning of the text for none."""
    if token is None or token.start_index < 0:
        return (0, 0)
    start = min(token.start_index, len(source.text))
    line = source.text[start:].split("\n", 1)[0]
    return (start, start + min(max(len(token.value), 1), max(len(line), 1)))


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    near = nearest(word, known)
    return None if near is None else f"did you mean '{near}'?"


def _said(error: LiquidError, source: Source, known: Known) -> _Said:
    message = str(error.message or "")
    match error:
        case TemplateNotFoundError():
            return _Said(
                f"there is no template '{shown(message)}' to take in",
                "it is a file beside the others, of the same kind as this one",
                "template-unknown-partial",
            )
        case UnknownFilterError():
            name = message.removeprefix("unknown filter '").removesuffix("'")
            return unknown_filter(name, known)
        case ContextDepthError():
            return _Said(f"templates take in one another more than {DEPTH} deep", code="template-limit")
        case BlockNestingError():
            return _Said(f"blocks stand in one another more than {DEPTH} deep", code="template-limit")
        case OutputStreamLimitError():
            return _Said("it makes more bytes than '[templates] output_bytes' allows", code="template-limit")
        case ResourceLimitError():
            return _Said(message, code="template-limit")
        case LiquidSyntaxError():
            return _of_syntax(message, error.token, source, known)
        case _ if " supported between " in message:
            return _Said("values of different kinds cannot be compared", code="template-value")
        case _:
            return _Said(message or "it cannot be rendered", code="template-value")


def unknown_filter(name: str, known: Known) -> _Said:
    """There is no filter of this name."""
    return _Said(f"there is no filter '{shown(name)}'", did_you_mean(name, known.filters), "template-unknown-filter")


def _of_syntax(message: str, token: Token | None, source: Source, known: Known) -> _Said:
    if token is not None and token.start_index >= 0 and _BARE_WITH.match(source.text, token.start_index):
        return _Said("'with' by itself is no value", "name an argument of the rule, as in with.discount")
    found = re.fullmatch(r"unexpected tag '(.*)'", message)
    if found:
        return _of_tag(found[1], known)
    for pattern, say in _PLAIN:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found:
            return say(found)
    return _Said(f"this is not Liquid: {message}")


_BARE_WITH: Final = re.compile(r"with\b")


def _of_tag(name: str, known: Known) -> _Said:
    if name.removeprefix("end") in BLOCKS or name in ("else", "elsif", "when"):
        return _Said(f"'{name}' belongs to nothing that is open here", "a block begins and ends in the same template")
    tags = [tag for tag in known.tags if tag.isalpha()]
    return _Said(f"there is no tag '{shown(name)}'", did_you_mean(name, tags), "template-unknown-tag")


def _unclosed(name: str) -> _Said:
    return _Said(f"'{name}' is never closed", f"write {{% end{name} %}} where it ends")


_PLAIN: Final[tuple[tuple[str, Callable[[re.Match[str]], _Said]], ...]] = (
    (r"expected '\}\}', found end of file", lambda _: _Said("'{{' is never closed", "write '}}' behind the variable")),
    (
        r"missing tag name or closing delimiter",
        lambda _: _Said("'{%' is never closed, or names no tag", "write it like {% if person.plan %}"),
    ),
    (
        r"expected tag end(\w+), found .*|(comment) tag was never closed",
        lambda found: _unclosed(found[1] or found[2]),
    ),
    (
        r"(expected a primitive expression|expected word|missing expression).*",
        lambda _: _Said("something is missing here", "between the signs stands a variable: {{ person.first_name }}"),
    ),
    (
        r"expected a comma separated list of arguments, .*|expected end of expression, found .*",
        lambda _: _Said("this cannot stand here", "a filter follows '|', and what it is given follows ':' and commas"),
    ),
    (
        r"expected an identifier, found a path|expected a string or identifier|a template is taken in.*",
        lambda _: _Said("a template is taken in by its name, in quotes", "write it like {% render 'footer' %}"),
    ),
    (r"expressions stand .*|an expression opens .*", lambda found: _Said(found[0], code="template-limit")),
    (r"unexpected '(break|continue)'", lambda found: _Said(f"'{found[1]}' stands in no loop")),
    (r"unexpected (['\"])(.*)\1", lambda found: _Said(f"the sign {found[2]} cannot stand here")),
)
