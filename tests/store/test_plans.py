"""Every hot statement goes by an index, however large the tables grow."""

from __future__ import annotations

import re
from itertools import chain

import pytest
from sqlalchemy import Connection

from engine.store import (
    addresses,
    answers,
    erasing,
    events,
    faults,
    guarding,
    imports,
    journeys,
    keys,
    listing,
    merging,
    operations,
    outbox,
    pausing,
    people,
    quarantine,
    reading,
    records,
    redriving,
    rule_pages,
    rules,
    secrets,
    tallying,
    watches,
)
from engine.store import changes as counted_changes
from engine.store.prepared import Prepared

BIG = "people identifiers events attribute_changes idempotency journeys watches outbox api_keys answers"
ERASED = ("timeline (person_id=?)", "ix_idempotency_doors (public_id=?", "INTEGER PRIMARY KEY")
STATEMENTS: dict[str, tuple[Prepared, str]] = {
    "resolve": (people.RESOLVE, "PRIMARY KEY"),
    "names": (people.NAMES, "ix_identifiers_person_id"),
    "first_seen": (people.FIRST_SEEN, "INTEGER PRIMARY KEY"),
    "earlier": (people.EARLIER, "INTEGER PRIMARY KEY"),
    "find": (people.FIND, "PRIMARY KEY"),
    "by_public_id": (people.BY_PUBLIC_ID, "sqlite_autoindex_people_1"),
    "types": (events.TYPES, "event_types"),
    "holders": (events.HOLDERS, "PRIMARY KEY"),
    "expire": (events.EXPIRE, "ix_idempotency_expires_at"),
    "timelines": (events.TIMELINES, "ix_events_timeline (person_id=? AND at>?)"),
    "timelines_of": (events.TIMELINES_OF, "ix_events_timeline (person_id=? AND at>?)"),
    "shown_by_history": (events.SHOWN_BY_HISTORY, "ix_events_timeline (person_id=? AND at=?)"),
    "changes": (events.CHANGES, "ix_attribute_changes_timeline (person_id=?)"),
    "load": (journeys.LOAD, "ix_journeys_person (person_id=? AND rule=? AND ended_at"),
    "decided_since": (journeys.DECIDED_SINCE, "ix_journeys_person (person_id=? AND rule=? AND ended_at"),
    "by_id": (journeys.BY_ID, "INTEGER PRIMARY KEY"),
    "delete": (journeys.DELETE, "INTEGER PRIMARY KEY"),
    "due": (journeys.DUE, "ix_journeys_due (workspace_id=? AND due_at>? AND due_at<?)"),
    "watches_due": (journeys.WATCHES_DUE, "ix_watches_due (workspace_id=? AND due_at>? AND due_at<?)"),
    "due_of_pairs": (journeys.DUE_OF_PAIRS, "ix_journeys_person (person_id=? AND rule=? AND ended_at=?)"),
    "next_due": (journeys.NEXT, "ix_journeys_due"),
    "acted": (journeys.ACTED, "ix_journeys_person (person_id=? AND rule=?)"),
    "acted_times": (journeys.ACTED_TIMES, "COVERING INDEX ix_journeys_acted (rule=? AND acted_at>?)"),
    "of_person": (journeys.OF_PERSON, "ix_journeys_person (person_id=?)"),
    "waiting": (journeys.WAITING, "ix_journeys_person (person_id>?)"),
    "faults_of_pairs": (faults.OF_PAIRS, "PRIMARY KEY (workspace_id=? AND rule=? AND person_id=?)"),
    "faults_due": (faults.DUE, "ix_faults_next_at (workspace_id=? AND next_at<?)"),
    "faults_people": (faults.PEOPLE, "PRIMARY KEY (workspace_id=? AND rule=?)"),
    "rest_journeys": (faults.REST_JOURNEYS, "ix_journeys_person (person_id=? AND rule=?"),
    "load_watches": (watches.LOAD, "(workspace_id=? AND person_id=? AND rule=?)"),
    "waiting_under": (rule_pages.WAITING, "ix_journeys_waiting (rule=? AND version=? AND rowid>?)"),
    "next_version": (rule_pages.NEXT_VERSION, "ix_journeys_waiting (rule=? AND version>?)"),
    "waiting_of_pairs": (rule_pages.OF_PAIRS, "ix_journeys_person (person_id=? AND rule=?"),
    "rouse": (rule_pages.ROUSE, "INTEGER PRIMARY KEY"),
    "end": (rule_pages.END, "INTEGER PRIMARY KEY"),
    "rouse_watches": (rule_pages.ROUSE_WATCHES, "INTEGER PRIMARY KEY"),
    "watches_of": (watches.OF_RULE, "ix_watches_rule (rule=? AND rowid>?)"),
    "watchable": (rule_pages.WATCHABLE, "INTEGER PRIMARY KEY (rowid>?)"),
    "to_hold": (rule_pages.TO_HOLD, "ix_outbox_status (workspace_id=? AND status=? AND rule=?)"),
    "to_release": (rule_pages.TO_RELEASE, "ix_outbox_status (workspace_id=? AND status=? AND rule=?)"),
    "to_withdraw": (rule_pages.TO_WITHDRAW, "ix_outbox_status (workspace_id=? AND status=? AND rule=?)"),
    "hold": (rule_pages.HOLD, "INTEGER PRIMARY KEY"),
    "release": (rule_pages.RELEASE, "INTEGER PRIMARY KEY"),
    "withdraw": (rule_pages.WITHDRAW, "INTEGER PRIMARY KEY"),
    "operation_ready": (operations.READY, "ix_operations_under_way (workspace_id=? AND ready_at<?)"),
    "operation_next": (operations.NEXT, "ix_operations_under_way (workspace_id=?)"),
    "operations_under_way": (operations.UNDER_WAY, "ix_operations_under_way (workspace_id=?)"),
    "known": (outbox.KNOWN, "(workspace_id=? AND key=?)"),
    "by_key": (outbox.BY_KEY, "(workspace_id=? AND key=?)"),
    "of_people": (outbox.OF_PEOPLE, "ix_outbox_person_id (person_id=?)"),
    "left": (outbox.LEFT, "ix_outbox_left (person_id=? AND left_at>?)"),
    "is_claimed": (outbox.CLAIMED, "INTEGER PRIMARY KEY"),
    "outbox_by_id": (outbox.BY_ID, "INTEGER PRIMARY KEY"),
    "seal": (outbox.SEAL, "INTEGER PRIMARY KEY"),
    "on_the_wire": (erasing.ON_THE_WIRE, "ix_outbox_person_id (person_id=?)"),
    "guarded_people": (guarding.PEOPLE, "ix_outbox_sent (rule=? AND left_at>?)"),
    "owners": (addresses.OWNERS, "COVERING INDEX ix_attribute_changes_email (workspace_id=? AND email=?)"),
    "unreachable": (addresses.FOUND, "PRIMARY KEY (workspace_id=? AND kind=? AND digest=?)"),
    "unreachable_page": (addresses.PAGE, "PRIMARY KEY (workspace_id=?)"),
    "unreachable_told": (addresses.TOLD, "ix_events_by_time (workspace_id=? AND at=? AND type_id=?)"),
    "forget_unreachable": (addresses.FORGET, "PRIMARY KEY (workspace_id=? AND kind=? AND digest=?)"),
    "cancel": (outbox.CANCEL, "INTEGER PRIMARY KEY"),
    "claimable": (outbox.CLAIMABLE, "ix_outbox_ready (workspace_id=? AND name=? AND ready_at<?)"),
    "beyond": (outbox.BEYOND, "ix_outbox_status (workspace_id=? AND status=?)"),
    "outbox_next": (outbox.NEXT, "ix_outbox_ready (workspace_id=? AND name>?)"),
    "listing": (outbox.LISTING, "INTEGER PRIMARY KEY (rowid>?)"),
    "of_person_outbox": (outbox.OF_PERSON, "ix_outbox_person_id"),
    "outbox_counts": (outbox.COUNTS, "COVERING INDEX ix_outbox_status"),
    "set_aside_known": (pausing.KNOWN, "PRIMARY KEY (workspace_id=? AND rule=? AND person_id=?)"),
    "set_aside_of_rule": (pausing.OF_RULE, "PRIMARY KEY (workspace_id=? AND rule=?)"),
    "set_aside_forget": (pausing.FORGET, "PRIMARY KEY (workspace_id=? AND rule=? AND person_id=?)"),
    "versions_in_use": (rules.VERSIONS, "ix_journeys_waiting (rule=? AND version=?)"),
    "undecided": (tallying.UNDECIDED, "ix_outbox_status (workspace_id=? AND status=?)"),
    "rule_changes": (counted_changes.CHANGES, "PRIMARY KEY (workspace_id=? AND key=?)"),
    "secret": (secrets.SECRET, "PRIMARY KEY (workspace_id=? AND key=?)"),
    "import_by_public_id": (imports.BY_PUBLIC_ID, "sqlite_autoindex_imports_1"),
    "import_save": (imports.SAVE, "INTEGER PRIMARY KEY"),
    "import_seen": (imports.SEEN, "PRIMARY KEY (workspace_id=? AND import_id=? AND digest=?)"),
    "import_again": (imports.AGAIN, "PRIMARY KEY (workspace_id=? AND import_id=? AND digest=?)"),
    "import_words": (imports.FORGET_WORDS, "sqlite_autoindex_imports_1 (workspace_id=?)"),
    "import_forget": (imports.FORGET, "PRIMARY KEY (workspace_id=? AND import_id=?)"),
    "page_person": (reading.PAGES[True, False], "ix_events_timeline (person_id=? AND at"),
    "page_person_names": (reading.PAGES[True, True], "ix_events_timeline (person_id=? AND at"),
    "page_names": (reading.PAGES[False, True], "ix_events_by_name (workspace_id=? AND type_id=? AND at"),
    "page_all": (reading.PAGES[False, False], "ix_events_by_time (workspace_id=? AND at"),
    "key": (keys.BY_PUBLIC_ID, "ix_api_keys_public_id (public_id=?)"),
    "keys": (keys.OF_WORKSPACE, "sqlite_autoindex_api_keys_1 (workspace_id=?)"),
    "journeys_all": (listing.JOURNEYS[False, False], "INTEGER PRIMARY KEY (rowid<?)"),
    "journeys_person": (listing.JOURNEYS[True, False], "ix_journeys_person (person_id=?"),
    "journeys_person_rule": (listing.JOURNEYS[True, True], "ix_journeys_person (person_id=? AND rule=?"),
    "journeys_rule": (listing.JOURNEYS[False, True], "ix_journeys_acted (rule=?"),
    "actions_all": (listing.ACTIONS["all"], "INTEGER PRIMARY KEY (rowid<?)"),
    "actions_person": (listing.ACTIONS["person"], "ix_outbox_person_id (person_id=? AND rule=? AND rowid<?)"),
    "actions_rules": (
        listing.ACTIONS["rules"],
        "ix_outbox_status (workspace_id=? AND status=? AND rule=? AND rowid<?)",
    ),
    "action_by_key": (listing.BY_KEY, "(workspace_id=? AND key=?)"),
    "redrive_page": (redriving.PAGE, "ix_outbox_status (workspace_id=? AND status=? AND rule=? AND rowid<?)"),
    "redrive_keys": (redriving.OF_KEYS, "(workspace_id=? AND key=?)"),
    "redrive_take_up": (redriving.TAKE_UP, "INTEGER PRIMARY KEY"),
    "suppressed": (tallying.SUPPRESSED, "ix_outbox_status (workspace_id=? AND status=?)"),
    "record": (records.ONE, "sqlite_autoindex_events_1 (workspace_id=? AND public_id=?)"),
    "arrivals_person": (records.ARRIVALS[True, False], "ix_events_timeline (person_id=?)"),
    "arrivals_person_type": (records.ARRIVALS[True, True], "ix_events_timeline (person_id=?"),
    "arrivals_type": (records.ARRIVALS[False, True], "ix_events_arrivals (workspace_id=? AND type_id=? AND id<?)"),
    "arrivals_all": (records.ARRIVALS[False, False], "ix_events_arrivals (workspace_id=? AND type_id=? AND id<?)"),
    "total_person": (records.TOTALS[True, False], "ix_events_timeline (person_id=?)"),
    "total_person_type": (records.TOTALS[True, True], "ix_events_timeline (person_id=?"),
    "total_type": (records.TOTALS[False, True], "COVERING INDEX ix_events_arrivals (workspace_id=? AND type_id=?)"),
    "total_all": (records.TOTALS[False, False], "COVERING INDEX ix_events_arrivals (workspace_id=?)"),
    "happenings": (records.HAPPENINGS[False][0], "ix_events_timeline (person_id=? AND at>? AND at<?)"),
    "happenings_name": (records.HAPPENINGS[True][0], "ix_events_timeline (person_id=? AND at>? AND at<?)"),
    "happenings_total": (records.HAPPENINGS[False][1], "ix_events_timeline (person_id=? AND at>? AND at<?)"),
    "happenings_total_name": (records.HAPPENINGS[True][1], "ix_events_timeline (person_id=? AND at>? AND at<?)"),
    "public_ids": (people.PUBLIC_IDS, "INTEGER PRIMARY KEY"),
    "answers": (answers.ANSWERS, "sqlite_autoindex_answers_1 (workspace_id=? AND namespace=? AND key=?)"),
    "holds": (answers.HOLDS, "PRIMARY KEY (workspace_id=? AND namespace=? AND key=?)"),
    "expire_answers": (answers.EXPIRE, "ix_answers_expires_at"),
    "save": (outbox.SAVE, "INTEGER PRIMARY KEY"),
    "buried": (erasing.BURIED, "PRIMARY KEY (workspace_id=? AND digest=?)"),
    "any_buried": (erasing.ANY, "PRIMARY KEY (workspace_id=?)"),
    "expire_tombstones": (erasing.EXPIRE, "ix_tombstones_until"),
    "merged": (erasing.MERGED, "ix_people_merged_into"),
    "forget_messages": (erasing.FORGET_MESSAGES, "PRIMARY KEY (workspace_id=? AND namespace=? AND key=?)"),
    **{f"events_{index}": (one, index) for one, index in zip(erasing.EVENTS, ERASED, strict=True)},
    **{
        f"changes_{place}": (one, index) for place, (one, index) in enumerate(zip(erasing.CHANGES, ERASED, strict=True))
    },
    "answers_of_person": (erasing.ANSWERS, "ix_answers_person_id (person_id=?)"),
    "forget_answer": (erasing.FORGET_ANSWER, "(workspace_id=? AND namespace=? AND key=?)"),
    "forget_identifiers": (erasing.FORGET_IDENTIFIERS, "ix_identifiers_person_id (person_id=?)"),
    "journeys_of_erased": (erasing.JOURNEYS, "COVERING INDEX ix_journeys_person (person_id=?)"),
    "actions_of_erased": (erasing.ACTIONS, "COVERING INDEX ix_outbox_person_id (person_id=?)"),
    "others": (erasing.OTHERS, "ix_people_merged_into (merged_into=?)"),
    "unwatch_erased": (erasing.UNWATCH, "(workspace_id=? AND person_id=?)"),
    "take_up": (erasing.TAKE_UP, "PRIMARY KEY (workspace_id=? AND rule=? AND person_id=?)"),
    "forget_people": (erasing.FORGET_PEOPLE, "INTEGER PRIMARY KEY"),
    "blank_journeys": (erasing.BLANK_JOURNEYS, "INTEGER PRIMARY KEY"),
    "blank_actions": (erasing.BLANK_ACTIONS, "INTEGER PRIMARY KEY"),
    "blank_person": (erasing.BLANK_PERSON, "INTEGER PRIMARY KEY"),
    "quarantine_page": (quarantine.PAGE, "COVERING INDEX ix_quarantine_size (workspace_id=? AND id<?)"),
    "quarantine_total": (quarantine.TOTAL, "COVERING INDEX ix_quarantine_size (workspace_id=?)"),
    "quarantine_drop": (quarantine.DROP_OLDEST, "COVERING INDEX ix_quarantine_size (workspace_id=?)"),
    "quarantine_sizes": (quarantine.SIZES, "COVERING INDEX ix_quarantine_size (workspace_id=?)"),
    "quarantine_rows": (quarantine.ROWS_OF, "COVERING INDEX sqlite_autoindex_quarantine_1 (workspace_id=?)"),
    "span": (reading.SPAN, "COVERING INDEX ix_events_by_time (workspace_id=?)"),
    "counts_all": (reading.COUNTS[False], "COVERING INDEX ix_events_by_time (workspace_id=? AND at"),
    "counts_names": (reading.COUNTS[True], "COVERING INDEX ix_events_by_name (workspace_id=? AND type_id=? AND at"),
}
STATEMENTS |= {
    f"merge_{place}": (statement, "")
    for place, statement in enumerate(
        chain((merging.RENAME, *merging.MOVES, merging.UNWATCH), merging.EARLIER, (merging.RESOLVES_TO,))
    )
}


def plan(connection: Connection, statement: Prepared) -> str:
    text, _ = statement.text(connection)
    values = ("[]",) * text.count("?")
    return "\n".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values))


@pytest.mark.parametrize("name", STATEMENTS)
def test_it_goes_by_its_index(connection: Connection, name: str) -> None:
    statement, index = STATEMENTS[name]
    found = plan(connection, statement)
    assert index in found, found
    allowed = {"outbox_counts"} | ({"waiting"} if name == "waiting" else set())
    scanned = set(re.findall(r"^SCAN (\w+)", found, re.MULTILINE)) & set(BIG.split())
    assert not scanned or (name in allowed and "COVERING" in found), found


@pytest.mark.parametrize("name", ["due", "watches_due", "page_all", "listing", "actions_all", "span"])
def test_the_first_rows_need_no_sorting_of_all(connection: Connection, name: str) -> None:
    found = plan(connection, STATEMENTS[name][0])
    whole = [line for line in found.splitlines() if line == "USE TEMP B-TREE FOR ORDER BY"]
    assert not whole, found


@pytest.mark.parametrize("name", ["due", "watches_due"])
def test_what_falls_due_at_one_moment_is_not_sorted(connection: Connection, name: str) -> None:
    found = plan(connection, STATEMENTS[name][0])
    assert "ORDER BY" not in found, found


@pytest.mark.parametrize("statement", [listing.ACTIONS["rules"], redriving.PAGE])
def test_of_each_state_and_rule_only_the_newest_are_looked_at(connection: Connection, statement: Prepared) -> None:
    """They come in order; what is sorted are a page of each, never all that are in a state."""
    found = plan(connection, statement)
    assert found.count("ORDER BY") == 1
    assert found.index("ix_outbox_status") < found.index("ORDER BY")


def test_of_what_may_leave_only_the_page_is_sorted(connection: Connection) -> None:
    """Each name gives its own first ones in order; what is sorted are these, never all that waits."""
    inner, _, outer = plan(connection, outbox.CLAIMABLE).partition("ix_outbox_ready")
    assert "ORDER BY" not in inner
    assert outer.count("ORDER BY") == 1
