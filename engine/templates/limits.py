"""How much one message may cost to make: rounds, bytes, and time.

The library looks at lengths of loops and bytes of output. What else can take long is watched here: the clock is
looked at whenever a filter is called, a value is assigned, a loop goes round or a template takes in another, and what
goes into a filter or comes out of it is never larger than a whole message may be. So nothing runs on for long
unwatched. The time that counts is the thread's own, so a busy machine stops nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from io import StringIO
from typing import Any, Final, TextIO

from liquid import BoundTemplate, RenderContext, Token, Undefined, is_undefined
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.tags.for_tag import ForLoop
from liquid.builtin.tags.tablerow_tag import TableRow
from liquid.exceptions import FilterError, ResourceLimitError
from liquid.output import LimitedStringIO

from engine.delivery_settings import TemplateSettings

_DIGITS: Final = 10_000
"""Binary digits of a whole number; anything counted has far fewer."""


class Making:
    """One message in the making. ``moment`` is when its action happened, microseconds UTC."""

    def __init__(self, settings: TemplateSettings, moment: int) -> None:
        self.settings = settings
        self.moment = moment
        self.missing: dict[str, Token | None] = {}
        """Unknown variables that were written out, as if they were empty."""
        self._bytes_left = settings.output_bytes
        self._until = time.thread_time() + settings.milliseconds / 1_000

    def buffer(self) -> LimitedStringIO:
        """What the next part is written to."""
        return LimitedStringIO(self._bytes_left)

    def written(self, buffer: LimitedStringIO) -> str:
        """The text of a part that is whole."""
        self._bytes_left -= buffer.size
        return buffer.getvalue()

    def tick(self) -> None:
        if time.thread_time() > self._until:
            raise ResourceLimitError(f"it takes longer than {self.settings.milliseconds:,} milliseconds", token=None)

    def paced(self, items: Iterator[Any]) -> Iterator[Any]:
        """The same items, with a look at the clock for each."""
        for item in items:
            self.tick()
            yield item

    def rounds(self, number: int) -> None:
        if number > self.settings.loops:
            raise ResourceLimitError(f"it goes round more than {self.settings.loops:,} times", token=None)

    def admit(self, value: object) -> None:
        """Let a value through that is not too large to go on with."""
        if isinstance(value, str):
            self.size(len(value))
        elif isinstance(value, int):
            if value.bit_length() > _DIGITS:
                raise ResourceLimitError("a number has too many digits", token=None)
        elif isinstance(value, list | tuple | range):
            self.rounds(len(value))
            self.size(sum(len(item) for item in value if isinstance(item, str)))

    def size(self, characters: int) -> None:
        if characters > self.settings.output_bytes:
            raise ResourceLimitError(f"a value has more than {self.settings.output_bytes:,} characters", token=None)

    def filtered(self, name: str, function: Callable[..., Any], left: Any, *given: Any, **named: Any) -> Any:
        """What a filter makes of a value, if that is not too much. Its own errors may quote values; this does not."""
        self.tick()
        for value in (left, *given, *named.values()):
            self.admit(value)
        if name in _PRODUCTS:
            self.size(_PRODUCTS[name](left, *given))
        try:
            made = function(left, *given, **named)
        except ResourceLimitError:
            raise
        except Exception as error:
            raise FilterError(f"the filter '{name}' cannot work with what it is given", token=None) from error
        self.admit(made)
        return made


def _replaced(text: object, old: object = "", new: object = "", *_: object) -> int:
    found = str(text)
    return len(found) + found.count(str(old)) * len(str(new))


def _joined(items: object, separator: object = " ", *_: object) -> int:
    return len(items) * len(str(separator)) if isinstance(items, list | tuple | range) else 0


_PRODUCTS: Final[Mapping[str, Callable[..., int]]] = {"replace": _replaced, "join": _joined}
"""Filters that make as much as two of their values multiplied: about how much, told beforehand."""


class Scope(RenderContext):
    """What a template sees while it is rendered."""

    __slots__ = ("making",)

    def __init__(
        self,
        template: BoundTemplate,
        *,
        making: Making | None = None,
        parent_context: RenderContext | None = None,
        **more: Any,
    ) -> None:
        super().__init__(template, parent_context=parent_context, **more)
        if making is None:
            assert isinstance(parent_context, Scope)
            making = parent_context.making
        self.making: Making = making

    def get(self, path: list[object], *, token: Token | None, **more: Any) -> object:
        """As inherited; what is unknown is noted when it is written out."""
        found = super().get(path, token=token, **more)
        return Unknown(path, self.making, token) if is_undefined(found) else found

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        return partial(self.making.filtered, name, super().filter(name, token))

    def assign(self, key: str, val: Any) -> None:
        self.making.tick()
        self.making.admit(val)
        super().assign(key, val)

    @contextmanager
    def loop(self, namespace: Mapping[str, object], forloop: ForLoop | TableRow) -> Iterator[RenderContext]:
        forloop.it = self.making.paced(forloop.it)
        with super().loop(namespace, forloop) as scope:
            yield scope

    @contextmanager
    def extend(self, namespace: Mapping[str, object], template: BoundTemplate | None = None) -> Iterator[RenderContext]:
        self.making.tick()
        with super().extend(namespace, template) as scope:
            yield scope

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Rounds of loops within loops are multiplied, those of the templates around this one too."""
        for loop in self.loops:
            length *= loop.length
        self.making.rounds(length * self.loop_iteration_carry)

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        return LimitedStringIO(buf.limit - buf.size) if isinstance(buf, LimitedStringIO) else self.making.buffer()


class Unknown(Undefined):
    """A variable that is not there: empty, and noted where that shows."""

    __slots__ = ("making", "path")

    def __init__(self, path: list[object], making: Making, token: Token | None) -> None:
        super().__init__(str(path[0]), token=token)
        self.path = path
        self.making = making

    def __str__(self) -> str:
        self.making.missing.setdefault(".".join(map(str, self.path)), self.token)
        return ""


class BoundedRange(RangeLiteral):
    """``(1..n)`` that is no longer than a loop may be: some uses of a range make all of it at once."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> range:
        made = super().evaluate(context)
        assert isinstance(context, Scope)
        context.making.rounds(made.stop - made.start)
        return made
