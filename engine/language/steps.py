"""From steps in a row to steps in one another: the nesting of ``If:``, ``Split:`` and ``End:``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from .codes import finding
from .diagnostics import Diagnostic
from .nodes import Arm, Branch, Expression, If, Span, Split, Step


@dataclass(slots=True)
class _Frame:
    """An ``If:`` or ``Split:`` that is not closed yet, or the rule itself (``word`` is empty)."""

    word: str
    head: Span
    steps: list[Step] = field(default_factory=list)
    ordinal: int = 0
    open: Branch | Arm | None = None
    branches: list[Branch] = field(default_factory=list)
    arms: list[Arm] = field(default_factory=list)
    otherwise: tuple[Step, ...] | None = None
    in_else: bool = False

    def close_part(self) -> None:
        """Give the steps since the last part's head to that part."""
        steps, self.steps = tuple(self.steps), []
        if self.in_else:
            self.otherwise = steps
        elif isinstance(self.open, Branch):
            self.branches.append(replace(self.open, steps=steps))
        elif isinstance(self.open, Arm):
            self.arms.append(replace(self.open, steps=steps))


class StepList:
    """Takes the steps of a rule one by one and nests them."""

    def __init__(self, nesting: int, ordinals: Iterator[int]) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._nesting = nesting
        self._ordinals = ordinals
        self._stack = [_Frame("", (0, 0))]

    @property
    def _top(self) -> _Frame:
        return self._stack[-1]

    def add(self, step: Step) -> None:
        """A step that opens nothing."""
        self._top.steps.append(step)

    def begin_if(self, expression: Expression, head: Span) -> None:
        self._open(_Frame("If", head, open=Branch(expression, (), head)))

    def else_if(self, expression: Expression, head: Span) -> None:
        if self._may_branch("Else if", head):
            self._top.close_part()
            self._top.open = Branch(expression, (), head)

    def otherwise(self, head: Span) -> None:
        if self._may_branch("Else", head):
            self._top.close_part()
            self._top.in_else = True

    def arm(self, arm: Arm, head: Span) -> None:
        """An arm of the split under way, or the first of a new one."""
        if self._top.word == "Split":
            self._top.close_part()
            self._top.open = arm
        else:
            self._open(_Frame("Split", head, ordinal=next(self._ordinals), open=arm))

    def end(self, head: Span) -> None:
        if len(self._stack) == 1:
            self._report("end-without-opening", "'End:' closes nothing", head, "leave it out, or open an 'If:' above")
            return
        frame = self._stack.pop()
        frame.close_part()
        span = (frame.head[0], head[1])
        if frame.word == "If":
            self.add(If(tuple(frame.branches), frame.otherwise or (), span))
        else:
            self.add(Split(tuple(frame.arms), frame.ordinal, span))

    def finish(self) -> tuple[Step, ...]:
        """The steps of the rule; what is still open is reported and closed."""
        for frame in self._stack[:0:-1]:
            advice = "write 'End:' after its steps"
            self._report("unclosed-branch", f"'{frame.word}:' has no 'End:'", frame.head, advice)
            self.end(frame.head)
        return tuple(self._top.steps)

    def _open(self, frame: _Frame) -> None:
        if len(self._stack) == self._nesting + 1:
            self._report(
                "too-deep",
                f"branches are nested more than {self._nesting} deep",
                frame.head,
                "end one before the next begins",
            )
        self._stack.append(frame)

    def _may_branch(self, word: str, head: Span) -> bool:
        if self._top.word != "If":
            advice = "open an 'If:' above, or close what stands between with 'End:'"
            self._report("else-without-if", f"'{word}:' has no 'If:' above it", head, advice)
        elif self._top.in_else:
            self._report("else-after-else", f"'{word}:' follows the 'Else:' of its 'If:'", head, "put it before")
        else:
            return True
        return False

    def _report(self, code: str, message: str, span: Span, advice: str) -> None:
        self.diagnostics.append(finding(code, message, span, advice))
