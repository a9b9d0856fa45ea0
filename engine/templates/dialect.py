"""Liquid as templates are written in it: python-liquid, and where it differs.

- ``with`` is a variable here, and any word may stand behind a dot, as in Liquid itself: ``trigger.limit``. To
  python-liquid some are keywords everywhere. They are given another first letter before it reads an expression,
  one of the same width so that places stay right, and their own again in what it has read.
- A template takes others in by name only, so that all that may be rendered can be looked over beforehand.
- No date is read from a clock, and no filter makes more than is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Final

from liquid import BoundTemplate, Environment, RenderContext, Token, TokenStream
from liquid.ast import Node
from liquid.builtin.expressions import Path, StringLiteral
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.tags.include_tag import IncludeNode, IncludeTag
from liquid.builtin.tags.render_tag import RenderNode, RenderTag
from liquid.exceptions import LiquidError, LiquidSyntaxError
from liquid.expression import Expression
from liquid.parser import get_parser
from liquid.token import TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG

from engine.templates import filters
from engine.templates.limits import BoundedRange, Scope
from engine.templates.tokens import tokens

DEPTH: Final = 30
"""How deep templates may take in others, and blocks stand in one another. python-liquid's own figure."""

BRACKETS: Final = 1_000
"""How many an expression may open: from each of them python-liquid looks through all that follows."""

_KEYWORDS: Final = frozenset(
    {
        "true",
        "false",
        "nil",
        "null",
        "empty",
        "blank",
        "and",
        "or",
        "not",
        "contains",
        "in",
        "if",
        "else",
        "with",
        "for",
    }
    | {"as", "offset", "limit", "reversed", "cols", "continue", "required"}
)
_WIDE: Final = ord("ａ") - ord("a")
_MARKED: Final = {chr(ord(word[0]) + _WIDE) + word[1:]: word for word in _KEYWORDS}
_WORD: Final = re.compile(r"""(?:"[^"]*"|'[^']*'|\.\.)|(?P<dot>\.\s*)?(?P<word>\w[\w-]*\??)""")
_BRACKET: Final = re.compile(r"""(?:"[^"]*"|'[^']*')|[(\[]""")
_CONTINUES: Final = re.compile(r"\s*(\[|\.(?!\.))")


class Template(BoundTemplate):
    """A template as it was read from a file."""

    context_class = Scope

    def render_with_context(self, context: RenderContext, buffer: Any, *args: Any, **named: Any) -> None:
        """As inherited; an error says which file it is of."""
        try:
            super().render_with_context(context, buffer, *args, **named)
        except LiquidError as error:
            error.template_name = error.template_name or self.path
            raise


class Dialect(Environment):
    """Reads the templates of one kind. ``partial`` finds what they take in; it raises LiquidError where it is not."""

    template_class = Template
    context_depth_limit = DEPTH
    block_nesting_limit = DEPTH

    def __init__(self, *, escapes: bool, partial: Callable[[str], BoundTemplate]) -> None:
        super().__init__(autoescape=escapes)
        self._partial = partial
        self.add_tag(_Include)
        self.add_tag(_Render)
        for name, function in filters.FILTERS.items():
            self.add_filter(name, function)

    def get_template(self, name: str, **_: object) -> BoundTemplate:
        """What a template takes in."""
        return self._partial(name)

    def tokenizer(self) -> Callable[[str], Iterator[Token]]:
        """As inherited, in linear time, with keywords marked where they are names."""
        return lambda text: (
            token._replace(value=_marked(_bounded(token).value)) if token.kind == TOKEN_EXPRESSION else token
            for token in tokens(text)
        )

    def read(self, text: str, path: FilePath) -> BoundTemplate:
        """The template of a text. Raises LiquidError, which has a token wherever the text has one to blame."""
        tokens = list(self.tokenizer()(text))
        stream = TokenStream(iter(tokens))
        try:
            nodes = get_parser(self).parse(stream)
        except LiquidError as error:
            if error.token is None or error.token.start_index < 0:
                error.token = _blamed(tokens, stream.pos)
            raise
        except RecursionError:
            raise LiquidSyntaxError("expressions stand too deep in one another", token=None) from None
        made = Template(self, nodes, name=path.name, path=path)
        for expression in _expressions(made):
            _settle(expression)
        return made


class _Include(IncludeTag):
    """``{% include %}`` with the name in quotes."""

    def parse(self, stream: TokenStream) -> Node:
        return _by_name(super().parse(stream))


class _Render(RenderTag):
    """``{% render %}`` with the name in quotes."""

    def parse(self, stream: TokenStream) -> Node:
        return _by_name(super().parse(stream))


def _by_name(node: Node) -> Node:
    assert isinstance(node, IncludeNode | RenderNode)
    if not isinstance(node.name, StringLiteral):
        raise LiquidSyntaxError("a template is taken in by its name, in quotes", token=node.name.token)
    return node


def _bounded(token: Token) -> Token:
    """An expression with no more brackets than the library can look for the other ends of."""
    brackets = (found[0] for found in _BRACKET.finditer(token.value))
    if sum(one in "([" for one in brackets) > BRACKETS:
        raise LiquidSyntaxError(f"an expression opens more than {BRACKETS:,} brackets", token=token)
    return token


def _marked(expression: str) -> str:
    return _WORD.sub(_mark, expression)


def _mark(found: re.Match[str]) -> str:
    word = found["word"]
    if word not in _KEYWORDS:
        return found[0]
    if found["dot"] is None and not (word == "with" and _CONTINUES.match(found.string, found.end())):
        return found[0]
    return f"{found['dot'] or ''}{chr(ord(word[0]) + _WIDE)}{word[1:]}"


def _settle(expression: Expression) -> None:
    """Names get their own letters again; ranges get their bounds."""
    if isinstance(expression, Path):
        expression.path = [_MARKED.get(step, step) if isinstance(step, str) else step for step in expression.path]
    elif type(expression) is RangeLiteral:
        # The library makes ranges in many places and lets nobody choose their class.
        expression.__class__ = BoundedRange


def taken_in(template: BoundTemplate) -> set[str]:
    """The names of what a template takes in."""
    names = (node.name for node in nodes_of(template) if isinstance(node, IncludeNode | RenderNode))
    return {name.value for name in names if isinstance(name, StringLiteral)}


def passed_on(template: BoundTemplate) -> Iterator[str]:
    """The names under which it passes values to what it takes in."""
    for node in nodes_of(template):
        scope = node.partial_scope()
        if scope is not None:
            yield from (name.rsplit("/", 1)[-1] for name in scope.in_scope)


def _expressions(template: BoundTemplate) -> Iterator[Expression]:
    """Every expression of a template, those within others too."""
    for node in nodes_of(template):
        yield from within(node.expressions())


def nodes_of(template: BoundTemplate) -> Iterator[Node]:
    """Every node of a template's own text, those within others too."""
    return _nodes(template.nodes, RenderContext(template))


def _nodes(nodes: Iterable[Node], nowhere: RenderContext) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _nodes(node.children(nowhere, include_partials=False), nowhere)


def within(expressions: Iterable[Expression]) -> Iterator[Expression]:
    """Expressions, and those within them."""
    for expression in expressions:
        yield expression
        yield from within(expression.children())


def _blamed(tokens: list[Token], place: int) -> Token | None:
    """The tag or output to blame for an error that names none: the last one begun, or the block never closed."""
    begun = [token for token in tokens[: place + 1] if token.kind in (TOKEN_TAG, TOKEN_OUTPUT)]
    if place < len(tokens):
        return begun[-1] if begun else None
    open_blocks: list[Token] = []
    for token in begun:
        if token.kind == TOKEN_TAG and token.value.startswith("end"):
            if open_blocks and token.value == f"end{open_blocks[-1].value}":
                open_blocks.pop()
        elif token.kind == TOKEN_TAG and token.value in BLOCKS:
            open_blocks.append(token)
    return open_blocks[-1] if open_blocks else (begun[-1] if begun else None)


BLOCKS: Final = frozenset(["if", "unless", "case", "for", "tablerow", "capture", "ifchanged", "comment"])
"""Tags that are closed by one of their own."""


def variables(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of a render; the library's own ``now`` and ``today``, which read a clock, are nothing here."""
    return {"now": None, "today": None, **mapping}
