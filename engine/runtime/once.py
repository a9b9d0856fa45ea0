"""The key that makes a call count once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Once:
    """A key under which only the first call is carried out; the others get its answer.

    Keys of different namespaces and workspaces have nothing to do with each other. ``lasts`` says for how long the key
    holds, microseconds from when the call is carried out; None: as long as the call's one event is kept. ``digest``
    stands for what the call says: another one under the same key differs. A call of which nothing was accepted uses no
    key up, unless it ``keeps_refusals``.
    """

    namespace: str
    key: str
    lasts: int | None
    digest: bytes
    keeps_refusals: bool = False

    def __post_init__(self) -> None:
        if self.lasts is None and self.keeps_refusals:
            raise ValueError("a key that an event holds cannot be held by a call that stored none")
