"""Rule files as they change: what is read again, which programs stay, and what is said about them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from engine.errors import ConfigError
from engine.language import Reading, reader
from engine.runtime.engine import Engine
from engine.runtime.rulefiles import Found, RuleFiles
from engine.testing import Travel

Lab = Callable[..., Travel]


def rule(name: str, action: str = "hello") -> str:
    return f"# The rule {name}\nRule: {name}\nTrigger: {name}_done\nWait: 5 minutes\nAction: {action}\n"


@pytest.fixture
def files(tmp_path: Path) -> RuleFiles:
    """Twenty files of ten rules each, read once."""
    for number in range(20):
        text = "\n".join(rule(f"{tmp_path.name}-{number}-{place}") for place in range(10))
        (tmp_path / f"{number:02}.rules").write_text(text)
    found = RuleFiles((tmp_path,))
    assert found.load().ok
    return found


def reload(files: RuleFiles) -> tuple[Found, int]:
    """What a reload gives, and how many rules it has parsed."""
    with patch.object(reader, "_judge", wraps=reader._judge) as parsed:
        return files.load(), parsed.call_count


def same(before: Found, after: Found) -> bool:
    """Whether the programs are the very same objects."""
    return list(map(id, before.programs)) == list(map(id, after.programs))


def changed(files: RuleFiles) -> bool:
    """Whether the files have changed, now that nobody writes them."""
    files.have_changed()
    return files.have_changed()


def test_nothing_is_parsed_when_nothing_has_changed(files: RuleFiles) -> None:
    before = files.load()
    with patch("engine.runtime.rulefiles.read") as read:
        after = files.load()
    read.assert_not_called()
    assert same(before, after)


def test_a_touched_file_is_not_read_again(files: RuleFiles, tmp_path: Path) -> None:
    assert not changed(files)
    (tmp_path / "07.rules").touch()
    assert changed(files)
    with patch("engine.runtime.rulefiles.read") as read:
        files.load()
    read.assert_not_called()
    assert not changed(files)


def test_a_file_that_comes_or_goes_is_a_change(files: RuleFiles, tmp_path: Path) -> None:
    (tmp_path / "07.rules").rename(tmp_path / "07.text")
    assert changed(files)
    files.load()
    assert not changed(files)
    (tmp_path / "07.text").rename(tmp_path / "20.rules")
    assert changed(files)


def test_a_file_that_takes_another_s_place_is_a_change_though_size_and_time_are_the_same(
    files: RuleFiles, tmp_path: Path
) -> None:
    before = tmp_path / "07.rules"
    stamp = before.stat()
    after = tmp_path / "after"
    after.write_text(before.read_text().replace("hello", "howdy"))
    os.utime(after, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    after.replace(before)
    assert changed(files)


def test_files_have_changed_when_they_are_at_rest(files: RuleFiles, tmp_path: Path) -> None:
    for length in range(3):
        (tmp_path / "07.rules").write_text("#" * length)
        assert not files.have_changed()
    assert files.have_changed()


def test_what_changes_while_it_is_read_is_not_taken(files: RuleFiles, tmp_path: Path) -> None:
    def reading(path: Path) -> Reading:
        found = read(path)
        (tmp_path / "00.rules").write_text(rule("meanwhile"))
        return found

    read = files._reading
    with patch.object(files, "_reading", reading), pytest.raises(ConfigError, match="changed while they were read"):
        files.load()
    assert changed(files)


def test_an_edit_of_one_rule_parses_that_rule_and_keeps_all_other_programs(files: RuleFiles, tmp_path: Path) -> None:
    before = files.load()
    changed = tmp_path / "07.rules"
    changed.write_text(changed.read_text().replace("7-3_done", "7-3_begun", 1))
    after, parsed = reload(files)
    assert parsed == 1
    kept = [one is other for one, other in zip(before.programs, after.programs, strict=True)]
    assert [place for place, one in enumerate(kept) if not one] == [73]
    assert "7-3_begun" in after.programs[73].text


def test_a_change_is_seen_though_size_and_time_stay(files: RuleFiles, tmp_path: Path) -> None:
    changed = tmp_path / "07.rules"
    stamp = changed.stat()
    changed.write_text(changed.read_text().replace("hello", "howdy"))
    os.utime(changed, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    after, parsed = reload(files)
    assert parsed == 10
    assert "howdy" in after.programs[70].text


def test_rules_that_move_keep_their_programs(files: RuleFiles, tmp_path: Path) -> None:
    before = files.load()
    first, last = tmp_path / "00.rules", tmp_path / "19.rules"
    moved, rest = first.read_text().split("\n\n", 1)
    first.write_text(rest)
    last.write_text(f"{rule('a-new-first')}\n{moved}\n\n{last.read_text()}")
    after, parsed = reload(files)
    assert parsed == 1
    new = [one for one in after.programs if one not in before.programs]
    assert [one.id for one in new] == ["a-new-first"]
    assert {id(one) for one in before.programs} == {id(one) for one in after.programs if one not in new}


def test_a_moved_rule_is_found_where_it_stands_now(files: RuleFiles, tmp_path: Path) -> None:
    path = tmp_path / "03.rules"
    path.write_text(f"{rule('above')}\n{path.read_text()}")
    reading = files.load().readings[3]
    for one in reading.rules:
        assert reading.source.text[slice(*one.trigger.span)] == f"{one.id}_done"


def test_a_deleted_file_takes_its_rules_along(files: RuleFiles, tmp_path: Path) -> None:
    before = files.load()
    (tmp_path / "00.rules").unlink()
    after, parsed = reload(files)
    assert parsed == 0
    assert list(map(id, after.programs)) == list(map(id, before.programs[10:]))
    assert len(after.readings) == 19


def test_what_has_gone_is_forgotten(files: RuleFiles, tmp_path: Path) -> None:
    for path in tmp_path.glob("1*.rules"):
        path.unlink()
    files.load()
    assert len(files._programs) == 100
    assert len(files._readings) == 10


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are no rules at"):
        RuleFiles((tmp_path / "missing",)).load()


def test_an_id_in_two_files_is_an_error_of_the_second(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.rules").write_text(rule("double"))
    found = RuleFiles((tmp_path,)).load()
    ((reading, one),) = found.findings
    assert one.code == "duplicate-id"
    assert reading.source.name.endswith("b.rules")


def test_a_wrong_file_leaves_the_live_rules_live(lab: Lab, tmp_path: Path) -> None:
    with lab(rule("first")) as here:
        path = tmp_path / "r0.rules"
        (program,) = here.engine.live.programs
        path.write_text(rule("first").replace("minutes", "minuten") + "\n" + rule("second"))
        assert not here.engine.reload().ok
        assert here.engine.live.programs == [program]
        path.write_text(rule("first") + "\n" + rule("second"))
        assert here.engine.reload().ok
        assert [one.id for one in here.engine.live.programs] == ["first", "second"]
        assert here.engine.live.programs[0] == program


# ------------------------------------------------------------------------------------------- encodings


def test_a_file_that_is_not_utf_8_leaves_the_live_rules_live(lab: Lab, tmp_path: Path) -> None:
    with lab(rule("first")) as here:
        (program,) = here.engine.live.programs
        (tmp_path / "r0.rules").write_bytes(rule("first", "zażółć").encode("cp1250"))
        found = here.engine.reload()
        ((_, one),) = found.findings
        assert one.code == "not-utf-8"
        assert here.engine.live.programs == [program]


def test_the_other_files_are_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "a.rules").write_bytes(rule("first", "zażółć").encode("cp1250"))
    (tmp_path / "b.rules").write_text("Trigger: b\nWait: 3 dayz\n")
    assert [one.code for _, one in RuleFiles((tmp_path,)).load().findings] == ["not-utf-8", "unknown-unit"]


@pytest.mark.parametrize(("before", "after"), [(b"\xb3", "\ufffd"), (b"\xb3", "ł"), (b"\xb3", "\\xb3")])
def test_a_file_that_was_saved_anew_is_read_anew(tmp_path: Path, before: bytes, after: str) -> None:
    path, files = tmp_path / "a.rules", RuleFiles((tmp_path,))
    path.write_bytes(b"Trigger: a # " + before)
    assert not files.load().ok
    path.write_text(f"Trigger: a # {after}", "utf-8")
    assert files.load().ok
    path.write_bytes(b"Trigger: a # " + before)
    assert not files.load().ok


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.rules"
    path.write_text("# Welcome\nTrigger: a\nWait: 3 dayz\n", "utf-8-sig")
    (reading,) = RuleFiles((path,)).load().readings
    (found,) = reading.diagnostics
    assert reading.source.place(found.span[0]) == (3, 9)
    path.write_text("# Welcome\nTrigger: a\n", "utf-8-sig")
    found_now = RuleFiles((path,)).load()
    assert found_now.ok
    assert [one.id for one in found_now.rules] == ["welcome"]


# --------------------------------------------------------------------------------------------- renames


def untitled(title: str) -> str:
    return f"# {title}\nTrigger: cart_updated\nWait: 5 minutes\nAction: hello\n"


def test_a_title_that_changed_is_warned_about_where_it_stands(lab: Lab, tmp_path: Path) -> None:
    with lab(untitled("Cart")) as here:
        (tmp_path / "r0.rules").write_text(rule("other") + "\n" + untitled("Left cart"))
        found = here.engine.reload()
        ((reading, one),) = found.findings
        assert found.ok
        assert (one.code, one.severity) == ("renamed", "warning")
        assert one.help == "add 'Rule: cart' to keep its state"
        assert reading.source.place(one.span[0]).line == 8
        assert here.engine.reload().findings == []


def test_a_rule_that_keeps_its_title_in_another_file_is_not_warned_about(tmp_path: Path) -> None:
    (tmp_path / "a.rules").write_text(untitled("Cart") + "\n" + untitled("Twin"))
    with Travel(tmp_path) as here:
        (tmp_path / "a.rules").write_text(untitled("Twin"))
        (tmp_path / "b.rules").write_text(rule("other"))
        assert here.engine.reload().findings == []


def test_a_title_changed_while_nobody_ran_is_warned_about(tmp_path: Path) -> None:
    path = tmp_path / "a.rules"
    store = f"sqlite:///{tmp_path / 'lapse.db'}"
    path.write_text(untitled("Cart"))
    Engine.open(store, rules=path).close()
    path.write_text(untitled("Left cart"))
    with Engine.open(store) as engine:
        ((_, one),) = engine.load(path).findings
    assert one.code == "renamed"
