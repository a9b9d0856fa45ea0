"""``lapse backup`` and ``lapse restore``."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys

import pytest

from engine.daemon import Daemon
from engine.runtime.engine import Engine
from engine.runtime.workspaces import Workspaces
from engine.store import backup as copying
from engine.testing import Clock

EVENT = {"event": "signed_up", "user_id": "ann"}
RULES = "Rule: welcome\nTrigger: signed_up\nAction: hello\n"
WRITE = """
import sys
from engine.runtime.engine import Engine
with Engine.open("sqlite:///lapse.db") as engine:
    number = 0
    while True:
        number += 1
        engine.ingest({"event": "a", "user_id": sys.argv[1], "message_id": f"{sys.argv[1]}-{number}"})
        print(number, flush=True)
"""


@pytest.fixture
def filled(place):
    """A store with three people, and two actions of two workspaces that have not left."""
    (place / "rules").mkdir()
    (place / "rules" / "some.rules").write_text(RULES)
    (place / "lapse.toml").write_text('[workspaces.shop]\nrules = "rules"\n')
    with Workspaces.open("sqlite:///lapse.db", clock=Clock()) as workspaces:
        workspaces.create("shop")
        workspaces.load()
        for name in ("default", "shop"):
            workspaces.named(name).pause_delivery()
            workspaces.named(name).ingest(EVENT)
            workspaces.named(name).resume_delivery()
        workspaces.default.ingest([{"event": "other", "user_id": user} for user in ("bob", "cleo")])


def events(store):
    with Engine.open(f"sqlite:///{store}") as engine:
        return len(engine.events().events)


def test_a_backup_is_checked_whole_and_its_owners_alone(lapse, place, filled):
    ran = lapse("backup", "copy.db", "--format", "json")
    assert ran.code == 0
    told = ran.json
    assert (told["events"], told["people"], told["open_actions"]) == (4, 4, 2)
    assert told["bytes"] == (place / "copy.db").stat().st_size
    assert stat.S_IMODE((place / "copy.db").stat().st_mode) == 0o600
    assert (place / "copy.db").read_bytes()[18] == 1, "it needs no log"
    assert not list(place.glob(".copy*"))
    copy = sqlite3.connect("file:copy.db?immutable=1", uri=True)
    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert copy.execute("SELECT count(*) FROM events").fetchone() == (4,)
    copy.close()


def test_a_file_that_is_there_is_overwritten_by_force_alone(lapse, place, filled):
    (place / "copy.db").write_text("precious")
    ran = lapse("backup", "copy.db")
    assert (ran.code, ran.err) == (
        2, f"error: there is a file '{place}/copy.db' already; name another one, or overwrite it with --force\n"
    )  # fmt: skip
    assert (place / "copy.db").read_text() == "precious"
    assert lapse("backup", "copy.db", "--force").code == 0
    assert events("copy.db") == 3


@pytest.mark.parametrize("target", ["lapse.db", "lapse.db-wal", "lapse.db.lock", "link.db", "no/folder.db", "rules"])
def test_what_may_not_be_written_is_refused_even_by_force(lapse, place, filled, target):
    (place / "link.db").symlink_to("lapse.db")
    before = (place / "lapse.db").read_bytes()
    assert lapse("backup", target, "--force").code == 2
    assert (place / "lapse.db").read_bytes() == before
    assert not list(place.glob("**/.*"))


def test_a_backup_that_fails_leaves_what_was_there(lapse, place, filled, monkeypatch):
    (place / "copy.db").write_text("precious")
    monkeypatch.setattr(copying.checking, "deep", lambda _connection: iter(["page 7 is upside down"]))
    ran = lapse("backup", "copy.db", "--force")
    assert ran.code == 2
    assert "is not sound: page 7 is upside down" in ran.err
    assert (place / "copy.db").read_text() == "precious"
    assert not list(place.glob(".copy*"))


def test_a_copy_that_lacks_rows_is_not_kept(lapse, place, filled, monkeypatch):
    counted = copying.checking.counts
    monkeypatch.setattr(
        copying.checking, "counts", lambda one: {**counted(one), "events": 4 + len(counts)} | counts.pop()
    )
    counts = [{}, {}]
    ran = lapse("backup", "copy.db")
    assert ran.code == 2
    assert "rows in 'events' in place of" in ran.err
    assert not (place / "copy.db").exists()


def test_a_log_that_grows_too_long_meanwhile_ends_a_backup(lapse, place, filled, monkeypatch):
    """Another process writes while the pages are copied."""
    monkeypatch.setattr(copying, "STEP_BYTES", 4_096)
    monkeypatch.setenv("LAPSE_BACKUP_LOG_BYTES", "100000")
    with Engine.open("sqlite:///lapse.db") as engine:
        flushed = os.fdatasync
        monkeypatch.setattr(
            os, "fdatasync", lambda file: (flushed(file), engine.ingest({**EVENT, "properties": {"a": "b" * 30_000}}))
        )
        ran = lapse("backup", "copy.db")
    assert ran.code == 2
    assert "the store's log grew by" in ran.err
    assert "'backup_log_bytes'" in ran.err
    assert not (place / "copy.db").exists()


def test_a_backup_is_of_one_moment_while_several_processes_write(lapse, place):
    with Engine.open("sqlite:///lapse.db") as engine:
        engine.ingest(
            [{"event": "a", "user_id": f"u{number}", "properties": {"x": "y" * 500}} for number in range(3_000)]
        )
    command, pipe = [sys.executable, "-c", WRITE], subprocess.PIPE
    writers = [subprocess.Popen([*command, name], stdout=pipe, text=True) for name in ("one", "two")]
    try:
        before = [int(one.stdout.readline()) for one in writers]
        ran = lapse("backup", "copy.db", "--format", "json")
        after = [int(one.stdout.readline()) for one in writers]
    finally:
        for one in writers:
            one.kill()
            one.communicate()
    assert ran.code == 0, ran.err
    copy = sqlite3.connect("file:copy.db?immutable=1", uri=True)
    for name, first in zip(("one", "two"), before, strict=True):
        numbers = sorted(
            int(key.split("-")[1])
            for (key,) in copy.execute("SELECT message_id FROM events WHERE message_id LIKE ? || '-%'", (name,))
        )
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= first
    copy.close()
    assert min(after) > 0


def test_a_restore_holds_all_sending_until_it_is_resumed(lapse, place, filled):
    assert lapse("backup", "copy.db").code == 0
    (place / "lapse.db").rename(place / "lost.db")
    ran = lapse("restore", "copy.db", "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.json["open_actions"] == 2
    assert ran.json["kept"] is None
    (held,) = lapse("pause", "--format", "json").json["pauses"]
    assert held["kind"] == "all"
    assert held["reason"] == (
        f"restored from a backup of {ran.json['at']}: 1 action was open then and may have left since"
    )
    (other,) = lapse("pause", "--workspace", "shop", "--format", "json").json["pauses"]
    assert other["reason"] == held["reason"]
    assert any("restored from a backup" in problem for problem in lapse("doctor", "--format", "json").json["problems"])
    sent = []
    with Engine.open("sqlite:///lapse.db", actions={"hello": sent.append}) as engine:
        engine.ingest({"event": "signed_up", "user_id": "dora"})
        engine.run_due()
        assert sent == []
    assert lapse("resume", "--all").out == "all that leaves goes on\n"
    assert lapse("pause").out == "nothing is paused\n"
    assert lapse("pause", "--workspace", "shop").out == "nothing is paused\n"
    with Engine.open("sqlite:///lapse.db", actions={"hello": sent.append}) as engine:
        engine.run_due()
    assert [one.person for one in sent] == ["dora"], "the other is too late by now"


def test_a_backup_that_is_put_in_place_by_hand_holds_all_sending_too(lapse, place, filled):
    assert lapse("backup", "copy.db").code == 0
    (place / "lapse.db").unlink()
    (place / "copy.db").rename(place / "lapse.db")
    assert "restored from a backup" in lapse("pause").out.replace("\n", " ")
    lapse("resume", "--all")
    assert lapse("pause").out == "nothing is paused\n", "once"


def test_a_store_that_is_there_is_kept_beside_the_new_one(lapse, place, filled):
    assert lapse("backup", "copy.db").code == 0
    with Engine.open("sqlite:///lapse.db") as engine:
        engine.ingest({**EVENT, "user_id": "late"})
    ran = lapse("restore", "copy.db")
    assert ran.code == 2
    assert (
        ran.err == f"error: there is a store '{place}/lapse.db' already; name another with --store, or say --replace\n"
    )
    ran = lapse("restore", "--replace", "copy.db", "--format", "json")
    assert ran.code == 0, ran.err
    assert (events(ran.json["kept"]), events("lapse.db")) == (4, 3)
    assert lapse("restore", "--replace", "copy.db").code == 0, "twice in a second"
    assert len(list(place.glob("lapse.db.20*Z")) + list(place.glob("lapse.db.20*Z-2"))) == 2


def test_the_log_of_a_damaged_store_is_kept_with_it(lapse, place, filled):
    assert lapse("backup", "copy.db").code == 0
    (place / "lapse.db").write_bytes(b"spoiled" * 1_000)
    (place / "lapse.db-wal").write_bytes(b"its log")
    ran = lapse("restore", "--replace", "copy.db", "--format", "json")
    assert ran.code == 0, ran.err
    kept = ran.json["kept"]
    assert (place / f"{kept}-wal").read_bytes() == b"its log"
    assert not (place / "lapse.db-wal").exists()
    assert events("lapse.db") == 3


def test_a_log_without_its_store_is_not_replayed_into_a_restored_one(lapse, place, filled):
    assert lapse("backup", "copy.db").code == 0
    (place / "lapse.db").unlink()
    (place / "lapse.db-wal").write_bytes(b"of another store")
    assert f"there is a store '{place}/lapse.db-wal' already" in lapse("restore", "copy.db").err
    assert lapse("restore", "--replace", "copy.db").code == 0
    assert events("lapse.db") == 3


def test_a_store_that_is_in_use_is_not_replaced(lapse, place, filled):
    assert lapse("backup", "copy.db").code == 0
    with Engine.open("sqlite:///lapse.db"):
        assert "is in use by this process" in lapse("restore", "--replace", "copy.db").err
    process = subprocess.Popen([sys.executable, "-c", WRITE, "ann"], stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        ran = lapse("restore", "--replace", "copy.db")
    finally:
        process.kill()
        process.communicate()
    assert ran.code == 2
    assert "is in use: stop every process" in ran.err
    assert lapse("restore", "--replace", "copy.db").code == 0


def test_a_store_with_a_daemon_names_it(lapse, place, filled):
    assert lapse("backup", "copy.db").code == 0
    with Engine.open("sqlite:///lapse.db") as engine:
        daemon = Daemon(engine)
        ran = lapse("restore", "--replace", "copy.db")
        daemon.stop()
    assert ran.err == f"error: process {os.getpid()} runs the daemon of '{place}/lapse.db'; stop it first\n"


def _spoiled(place):
    content = bytearray((place / "copy.db").read_bytes())
    content[3 * 4096 : 4 * 4096] = os.urandom(4096)
    (place / "copy.db").write_bytes(content)


def _without_a_table(place):
    copy = sqlite3.connect(place / "copy.db")
    copy.execute("DROP TABLE unreachable")
    copy.close()


def _newer(place):
    copy = sqlite3.connect(place / "copy.db")
    copy.execute("UPDATE alembic_version SET version_num = '9999'")
    copy.commit()
    copy.close()


def _other(place):
    (place / "copy.db").unlink()
    copy = sqlite3.connect(place / "copy.db")
    copy.execute("CREATE TABLE mine (a)")
    copy.close()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_spoiled, "not sound"),
        (_without_a_table, "the table 'unreachable' is missing"),
        (_newer, "its version '9999' is not known to this Lapse"),
        (_other, "it has no tables of a store"),
        (lambda place: (place / "copy.db").write_text("text"), "file is not a database"),
        (lambda place: (place / "copy.db").unlink(), "there is no file"),
    ],
)
def test_a_copy_that_is_not_sound_changes_nothing(lapse, place, filled, spoil, told):
    assert lapse("backup", "copy.db").code == 0
    before = (place / "lapse.db").read_bytes()
    spoil(place)
    ran = lapse("restore", "--replace", "copy.db")
    assert ran.code == 2
    assert told in ran.err
    assert (place / "lapse.db").read_bytes() == before
    assert not list(place.glob(".lapse*"))


def test_a_copy_of_a_store_in_use_without_its_log_is_taken_when_asked_for(lapse, place, filled):
    with Engine.open("sqlite:///lapse.db") as engine:
        engine.ingest({**EVENT, "user_id": "late"})
        (place / "copy.db").write_bytes((place / "lapse.db").read_bytes())
        (place / "whole.db").write_bytes((place / "lapse.db").read_bytes())
        (place / "whole.db-wal").write_bytes((place / "lapse.db-wal").read_bytes())
    assert "without its log" in lapse("doctor", "--store", "sqlite:///copy.db").err
    assert "without its log" in lapse("restore", "--replace", "copy.db").err
    assert "without its log" in lapse("backup", "--store", "sqlite:///copy.db", "third.db").err
    assert lapse("restore", "--replace", "--incomplete", "copy.db").code == 0
    assert events("lapse.db") == 3
    assert "restored from a backup:" in lapse("pause").out.replace("\n", " ")
    assert lapse("restore", "--replace", "whole.db").code == 0, "the log lies beside it"
    assert events("lapse.db") == 4


def test_a_backup_of_an_earlier_version_stays_in_it(lapse, place, filled):
    """It can be taken before a newer Lapse brings the store up to date."""
    store = sqlite3.connect(place / "lapse.db")
    (head,) = store.execute("SELECT version_num FROM alembic_version").fetchone()
    store.close()
    old = sqlite3.connect(place / "old.db")
    old.close()
    from sqlalchemy import create_engine

    from engine.store import migrations

    engine = create_engine("sqlite:///old.db")
    with engine.connect() as connection:
        migrations.upgrade_to(connection, "0012")
    engine.dispose()
    assert lapse("backup", "copy.db", "--store", "sqlite:///old.db").code == 0
    copy = sqlite3.connect(place / "copy.db")
    assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == ("0012",)
    copy.close()
    assert lapse("restore", "copy.db", "--store", "sqlite:///new.db").code == 0
    new = sqlite3.connect(place / "new.db")
    assert new.execute("SELECT version_num FROM alembic_version").fetchone() == (head,)
    new.close()


def test_stores_in_memory_have_neither(lapse, place, filled):
    assert lapse("backup", "copy.db", "--store", "sqlite://").code == 2
    lapse("backup", "copy.db")
    assert lapse("restore", "copy.db", "--store", "sqlite://").code == 2
