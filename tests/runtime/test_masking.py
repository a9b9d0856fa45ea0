"""What is hidden under a workspace's secret: shown again here, and to nobody else, changed or for another use."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

from engine.runtime.engine import Engine
from engine.runtime.masking import TAG, Mask

from .conftest import Lab

PLAIN = [b"", b"a", b"b", b"a" * 16, b"a" * 15 + b"b", b"\0" * 500]


def of(engine: Engine, label: str = "one") -> Mask:
    with engine.store.read() as connection:
        return Mask(connection, engine.workspace, label)


def test_what_is_hidden_is_shown_again_and_the_same_looks_the_same(lab: Lab) -> None:
    with lab() as here:
        for plain in PLAIN:
            hidden = of(here.engine).hide(plain)
            assert len(hidden) == TAG + len(plain)
            assert of(here.engine).show(hidden) == plain
            assert of(here.engine).hide(plain) == hidden


def test_what_differs_a_little_looks_nothing_alike(lab: Lab) -> None:
    with lab() as here:
        hidden = [of(here.engine).hide(b"a" * 15 + bytes([last])) for last in range(20)]
        for one, other in combinations(hidden, 2):
            assert sum(a == b for a, b in zip(one, other, strict=True)) < len(one) // 3


def test_a_change_anywhere_shows(lab: Lab) -> None:
    with lab() as here:
        mask = of(here.engine)
        hidden = mask.hide(b"somebody")
        for place in range(len(hidden)):
            assert mask.show(bytes(byte ^ (at == place) for at, byte in enumerate(hidden))) is None
        for cut in range(len(hidden)):
            assert mask.show(hidden[:cut]) is None
        assert mask.show(hidden + b"\0") is None


def test_it_is_good_for_one_use_of_one_workspace(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"
    with Engine.open(url, workspace="one") as one, Engine.open(url, workspace="two") as two:
        hidden = of(one).hide(b"somebody")
        assert of(one, "another use").show(hidden) is None
        assert of(two).show(hidden) is None
        assert of(one).show(hidden) == b"somebody"
