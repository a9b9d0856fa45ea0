"""What is said about turns of English, words of other tools and odd characters: no advice leads into silence."""

from __future__ import annotations

import re

import pytest

from engine.language import Diagnostic, Reading, read
from engine.language.characters import odd_value
from engine.language.english import LOGIC, Turn, in_english
from engine.language.other_words import OTHER_WORDS
from engine.language.turns import TURNS
from engine.language.words import CLAUSES

CLAUSE_OF = {"expression": "Condition", "trigger": "Trigger", "wait": "Wait", "exit": "Exit", "action": "Action",
             "limit": "Limit", "quiet": "Quiet hours", "goal": "Goal", "late": "Late", "again": "Triggered again",
             "holdout": "Holdout"}  # fmt: skip

SAID = {
    "Condition": [
        ("no buy within 30 days", "NOT buy within 30 days"),
        ("never buy", "NOT buy"),
        ("without buy within 3 days", "NOT buy within 3 days"),
        ("has not buy within 3 days", "NOT buy within 3 days"),
        ("didn't buy within 3 days", "NOT buy within 3 days"),
        ("didn’t buy within 3 days", "NOT buy within 3 days"),
        ("not yet buy within 3 days", "NOT buy within 3 days"),
        ("user has not buy in the last 3 days", "NOT buy in the last 3 days"),
        ("unless buy within 3 days", "NOT buy within 3 days"),
        ("unless person.plan = pro", "NOT person.plan = pro"),
        ("if not buy within 3 days", "NOT buy within 3 days"),
        ("buy not within 3 days", "NOT buy within 3 days"),
        ("buy does not happen within 3 days", "NOT buy within 3 days"),
        ("no events within 3 days", "NOT any event within 3 days"),
        ("any events within 3 days", "any event within 3 days"),
        ("no login within 3 days AND person.plan = free", "NOT login within 3 days AND person.plan = free"),
        ("has buy within 3 days", "buy within 3 days"),
        ("user has bought within 3 days", "bought within 3 days"),
        ("if buy within 3 days", "buy within 3 days"),
        ("the buy within 3 days", "buy within 3 days"),
        ("buy happened within 3 days", "buy within 3 days"),
        ("buy within 3 days but not refund within 3 days", "buy within 3 days AND NOT refund within 3 days"),
        ("buy within 3 days but refund within 3 days", "buy within 3 days AND refund within 3 days"),
        ("buy once without refund", "buy once AND NOT refund"),
        ("none of (buy, rent) within 3 days", "NOT (buy OR rent) within 3 days"),
        ("none of buy, rent", "NOT (buy OR rent)"),
        ("neither buy nor rent", "NOT (buy OR rent)"),
        ("any of buy, rent within 3 days", "(buy OR rent) within 3 days"),
        ("all of (buy, rent) within 3 days", "(buy AND rent) within 3 days"),
        ("tags does not contain vip", "NOT tags contains vip"),
        ("person.tags doesn't contain vip", "NOT person.tags contains vip"),
        ("person.tags excludes vip", "NOT person.tags contains vip"),
        ("person.name does not start with a", "NOT person.name starts with a"),
        ("person.tags has vip", "person.tags contains vip"),
        ("person.tags contains any of (x, y)", "(person.tags contains x OR person.tags contains y)"),
        ("person.tags contains all of (x, y)", "(person.tags contains x AND person.tags contains y)"),
        ("person.tags contains none of (x, y)", "NOT (person.tags contains x OR person.tags contains y)"),
        ("person.plan is one of (x, y)", "person.plan in (x, y)"),
        ("person.plan is not one of x, y", "person.plan not in (x, y)"),
        ("person.plan isn't one of (x, y)", "person.plan not in (x, y)"),
        ("person.plan isn't pro", "person.plan is not pro"),
        ("person.plan not pro", "person.plan is not pro"),
        ("person.plan doesn't equal pro", "person.plan != pro"),
        ("person.plan equals pro", "person.plan = pro"),
        ("person.plan is now pro", "person.plan is pro"),
        ("person.plan exists", "person.plan is set"),
        ("person.plan does not exist", "person.plan is not set"),
        ("person.age is between 5 and 6", "person.age between 5 and 6"),
        ("person.age between 5–6", "person.age between 5 and 6"),
        ("person.age at least 5", "person.age >= 5"),
        ("person.age at most 5", "person.age <= 5"),
        ("person.age is more than 5", "person.age > 5"),
        ("person.age less than 5", "person.age < 5"),
        ("buy in last 30 days", "buy in the last 30 days"),
        ("buy during the past 30 days", "buy in the last 30 days"),
        ("buy in next 3 days", "buy in the next 3 days"),
        ("buy in 3 days", "buy in the next 3 days"),
        ("buy within 3 days ago", "buy in the last 3 days"),
        ("buy less than 3 days ago", "buy in the last 3 days"),
        ("at least 3 buy in the last 9 days", "buy at least 3 times in the last 9 days"),
        ("at most 3 buy in the last 9 days", "buy at most 3 times in the last 9 days"),
        ("more than 3 buy in the last 9 days", "buy more than 3 times in the last 9 days"),
        ("less than 3 buy in the last 9 days", "buy fewer than 3 times in the last 9 days"),
        ("exactly 3 buy in the last 9 days", "buy exactly 3 times in the last 9 days"),
        ("buy no fewer than 3 times", "buy at least 3 times"),
        ("buy no more than 3 times", "buy at most 3 times"),
        ("buy over 3 times", "buy more than 3 times"),
        ("buy less than 3 times", "buy fewer than 3 times"),
        ("buy only 3 times", "buy exactly 3 times"),
        ("buy 3 or more times", "buy at least 3 times"),
        ("buy only once", "buy exactly once"),
        ("number of buy > 3", "count of buy > 3"),
        ("buy where x = 1 and y > 2 within 3 days", "buy where x = 1, y > 2 within 3 days"),
        ("buy with amount > 3 within 3 days", "buy where amount > 3 within 3 days"),
        ("buy with same cart_id within 3 days", "buy where same cart_id within 3 days"),
        ("$buy within 3 days", '"$buy" within 3 days'),
        ("person.$plan = pro", 'person."$plan" = pro'),
        ("person.age > −5", "person.age > -5"),
        ("person.city = New\u00a0York", 'person.city = "New York"'),
        ("Product List Viewed within 3 days", '"Product List Viewed" within 3 days'),
        ("person.plan = pro, free", "person.plan in (pro, free)"),
        ("person.age = 3 or 4 or 5", "person.age in (3, 4, 5)"),
        ("person.age is 3 or 4", "person.age in (3, 4)"),
        ("buy within three days", "buy within 3 days"),
        ("buy in the last two weeks", "buy in the last 2 weeks"),
        ("last buy more than six months ago", "last buy more than 6 months ago"),
        ("buy at least three times within 3 days", "buy at least 3 times within 3 days"),
        ("nothing happened within 3 days", "NOT any event within 3 days"),
        ("in 10 percent sample", "in 10% sample"),
        ("buy where x is set and y > 2 within 3 days", "buy where x is set, y > 2 within 3 days"),
        ("buy where x in (a, b) and y is set within 3 days", "buy where x in (a, b), y is set within 3 days"),
        ("buy where x = 1 and same cart_id", "buy where x = 1, same cart_id"),
        ("count of buy where x = 1 and y = 2 > 3", "count of buy where x = 1, y = 2 > 3"),
        ("last buy where x = 1 and y = 2 more than 3 days ago", "last buy where x = 1, y = 2 more than 3 days ago"),
        ("a before any b where x = 1 and y = 2 within 1 hour", "a before any b where x = 1, y = 2 within 1 hour"),
    ],
    "Trigger": [
        ("signed_up where x = 1 and y = 2", "signed_up where x = 1, y = 2"),
        ("signed_up where x is set and y contains b", "signed_up where x is set, y contains b"),
        ("every day at noon", "every day at 12:00"),
        ("every monday at midnight", "every monday at 00:00"),
        ("daily at midday", "every day at 12:00"),
        ("every day at 9am", "every day at 09:00"),
        ("every day at 12:30 p.m.", "every day at 12:30"),
        ("when signed_up", "signed_up"),
        ("user signed_up", "signed_up"),
        ("any of buy, rent", "buy OR rent"),
        ("buy, rent", "buy OR rent"),
        ("buy with amount > 3", "buy where amount > 3"),
        ("daily at 09:00", "every day at 09:00"),
        ("every day 09:00", "every day at 09:00"),
        ("every mon at 09:00", "every monday at 09:00"),
        ("on friday at 09:00", "every friday at 09:00"),
        ("2026-05-02 at 09:00", "on 2026-05-02 at 09:00"),
        ("$autocapture", '"$autocapture"'),
    ],
    "Exit": [("buy, rent", "buy OR rent"), ("buy where x = 1 and y = 2", "buy where x = 1, y = 2"),
             ("buy where x starts with a and y = 2", "buy where x starts with a, y = 2")],
    "Goal": [
        ("buy where x in (a, b) and y = 2 within 3 days", "buy where x in (a, b), y = 2 within 3 days"),
        ("buy within seven days", "buy within 7 days"),
    ],
    "Late": [("skip after two hours", "skip after 2 hours")],
    "Triggered again": [("restart for at most ten days", "restart for at most 10 days")],
    "Holdout": [("10 percent", "10%"), ("ten per cent", "10%")],
    "Wait": [
        ("until the day of trigger.due_at", "until trigger.due_at at 00:00"),
        ("until the day of trigger.due_at at 09:00", "until trigger.due_at at 09:00"),
        ("until the day before trigger.due_at", "until 1 day before trigger.due_at"),
        ("until 2 days before the trigger.due_at", "until 2 days before trigger.due_at"),
        ("until the trigger.due_at", "until trigger.due_at"),
        ("until next monday 09:00", "until monday 09:00"),
        ("until 09:00 on monday", "until monday 09:00"),
        ("until buy or 3 days", "until buy for at most 3 days"),
        ("for 3 days", "3 days"),
        ("3 days later", "3 days"),
        ("three days", "3 days"),
        ("until three days before trigger.due_at", "until 3 days before trigger.due_at"),
        ("until buy for at most three days", "until buy for at most 3 days"),
        ("until buy where x is set and y = 2 for at most 3 days", "until buy where x is set, y = 2 for at most 3 days"),
        ("half an hour", "30 minutes"),
        ("until monday noon", "until monday 12:00"),
        ("until monday at midnight", "until monday at 00:00"),
        ("until trigger.due_at at midday", "until trigger.due_at at 12:00"),
        ("until the noon", "until 12:00"),
    ],
    "Action": [
        ('send email "x"', 'send_email "x"'),
        ('send "x" with a = 1 and b = 2', 'send "x" with a = 1, b = 2'),
        ("set person.plan to pro", "set person.plan = pro"),
    ],
    "Limit": [
        ("at most 3 per person", "3 per person"),
        ("three per person per 7 days", "3 per person per 7 days"),
        ("three times per person", "3 per person"),
        ("once per person per three days", "once per person per 3 days"),
        ("once every 7 days per person", "once per person per 7 days"),
    ],
    "Quiet hours": [
        ("between 21:00 and 09:00", "21:00 to 09:00"),
        ("21:00–09:00", "21:00 to 09:00"),
        ("weekends", "saturday, sunday"),
        ("21:00 to midnight", "21:00 to 00:00"),
        ("midnight to noon", "00:00 to 12:00"),
        ("9pm to 9am", "21:00 to 09:00"),
    ],
}  # fmt: skip
"""For each clause: what was written, and what says the same."""

UNSURE = {
    "Condition": [
        "no buy or rent within 3 days",
        "no buy, rent",
        "never buy and rent",
        "unless buy or rent",
        "tags does not contain x or y",
        "tags does not contain x and y",
        "person.plan is one of x, y or z",
        "person.plan isn't x or y",
        "buy or rent but not refund",
        "buy or rent without refund",
        "buy where tags does not contain x",
        "person.plan changes to pro",
        "person.plan becomes pro",
        "person.plan changed",
        "person.plan was pro",
        "first buy",
        "buy today",
        "buy three times",
        "3 buy",
        "buy followed by rent",
        "buy after rent",
        "enters segment vip",
        "leaves segment vip",
        "person in segment vip",
        "person.name like x",
        "buy after 3 days",
        "person.plan equals x or y",
        "any",
        "person.age = 3 or 4 or buy",
        "person.age > 3 or 4",
        "person.plan = pro, free or buy",
        "buy where plan = pro, free",
        "person.age >= a hundred",
        "person.share > 10 percent",
        "nothing happened or buy",
    ],
    "Trigger": [
        "person.plan changes to pro",
        "person.plan = pro",
        "no buy within 3 days",
        "buy and rent",
        "buy after 3 days",
        "buy unless rent",
        "every weekday at 09:00",
        "every weekend at 09:00",
        "every monday and friday at 09:00",
        "every hour",
        "every week at 09:00",
        "every month at 09:00",
        "every day",
        "enters segment vip",
        "first buy",
        "on person.birthday at 09:00",
        "2026-05-02",
        "at",
        "any",
    ],
    "Wait": [
        "until 2026-05-02",
        "until 2026-05-02 at 09:00",
        "until 2 may",
        "until monday",
        "until tomorrow 09:00",
        "3 days after buy",
        "until the next day",
        "until tomorrow morning",
        "until tomorrow noon",
        "until the morning",
        "a few days",
        "several days",
        "two hundred days",
        "until buy where plan = pro or free for at most 3 days",
    ],
    "Goal": ["buy where plan = pro or free within 3 days"],
    "Quiet hours": ["at night", "every morning", "night", "from 9 to 21"],
    "Holdout": ["a dozen percent"],
    "Action": [
        'send "x" if person.a = 1',
        'send "x" after 3 days',
        "do not send",
        "send the welcome",
    ],
    "Limit": [
        "once a day",
    ],
    "Exit": [
        "buy and rent",
    ],
}
"""What says nothing that is sure in the language: a sentence helps, and nothing is offered to be put in its place."""


GROUPS = re.findall(
    r"\w+",
    "event other path value list bare length time day n field first edge word unit high side end date more kind clock"
    " hour minute half",
)

STANDING = next(re.finditer("".join(f"(?P<{name}>)" for name in GROUPS), ""))
"""A match of nothing in every group, by which a turn shows whether it has something to write."""


def written(word: str, body: str) -> str:
    return f"{word}: {body}" if word == "Trigger" else f"Trigger: seen\n{word}: {body}"


def errors(reading: Reading) -> list[Diagnostic]:
    return [found for found in reading.diagnostics if found.severity == "error"]


def repaired(text: str) -> str:
    """Return ``text`` with every repair that is offered."""
    for _ in range(5):
        fix = next((found.fix for found in errors(read(text)) if found.fix), None)
        if fix is None:
            break
        text = text[: fix.span[0]] + fix.text + text[fix.span[1] :]
    return text


def meaning(text: str) -> object:
    reading = read(text)
    assert reading.ok, (text, errors(reading))
    return reading.rules[0]


ALL_SAID = [(word, body, meant) for word, pairs in SAID.items() for body, meant in pairs]
ALL_UNSURE = [(word, body) for word, bodies in UNSURE.items() for body in bodies]


@pytest.mark.parametrize(("word", "body", "meant"), ALL_SAID)
def test_a_repair_says_what_was_written(word: str, body: str, meant: str) -> None:
    assert errors(read(written(word, body)))
    assert meaning(repaired(written(word, body))) == meaning(written(word, meant))


@pytest.mark.parametrize(("word", "body"), ALL_UNSURE)
def test_where_nothing_is_sure_nothing_is_put_in_its_place(word: str, body: str) -> None:
    first = errors(read(written(word, body)))[0]
    assert first.fix is None
    assert first.help


def offers(known: Turn) -> bool:
    """Whether a turn has something to write; one that looks a word up in a table has."""
    try:
        return bool(known.write(STANDING))
    except (KeyError, ValueError):
        return True


def test_every_turn_with_a_repair_is_among_those() -> None:
    met = set()
    for word, body, _ in ALL_SAID:
        text = written(word, body)
        at = text.index(body)
        first = errors(read(text))[0]
        for known in TURNS:
            for place in range(len(body) + 1):
                found = in_english((known,), body, place, next(key for key, name in CLAUSE_OF.items() if name == word))
                if found and found.moved(at) == first:
                    met.add(known)
    unmet = [known.pattern for known in TURNS if known not in met and offers(known)]
    assert not unmet


def test_no_word_of_logic_becomes_a_part_of_a_quoted_name() -> None:
    for word in LOGIC:
        for clause, body in (
            ("Condition", f"{word} purchase_completed within 3 days"),
            ("Condition", f"purchase_completed {word} within 3 days"),
            ("Condition", f"person.plan {word} pro"),
            ("Condition", f"plan {word} pro"),
            ("Trigger", f"{word} purchase_completed"),
            ("Trigger", f"purchase_completed {word}"),
            ("Wait", f"until {word} trigger.due_at"),
            ("Action", f"send {word} person.email"),
        ):
            for found in errors(read(written(clause, body))):
                quoted = re.findall(r'"([^"]*)"', f"{found.help} {found.fix.text if found.fix else ''}")
                alone = found.code == "keyword-as-name"
                assert alone or not any(word in name.casefold().split() for name in quoted), (body, found)


QUOTED_CLAUSE = re.compile(rf"'((?:{'|'.join(entry.word for entry in CLAUSES.values() if entry.grammar)}): [^']+)'")


def quoted_clauses() -> set[str]:
    helps = [found.help or "" for word, body in ALL_UNSURE for found in errors(read(written(word, body)))]
    helps += [sentence or "" for _, sentence in OTHER_WORDS.values()]
    return {
        clause
        for text in helps
        for clause in QUOTED_CLAUSE.findall(text)
        if "..." not in clause and clause != "Action: set"
    }


def test_every_clause_that_an_advice_quotes_can_be_read() -> None:
    clauses = quoted_clauses()
    assert len(clauses) > 20
    for clause in clauses:
        word = clause.partition(":")[0]
        whole = {"Split": f"{clause}\nSplit: 50%\nEnd:", "If": f"{clause}\nEnd:"}.get(word, clause)
        text = f"{whole}\nCondition: buy" if word == "Trigger" else f"Trigger: seen\n{whole}"
        assert not errors(read(text)), clause


@pytest.mark.parametrize("word", OTHER_WORDS)
def test_a_word_of_another_tool_gets_the_sentence_that_helps(word: str) -> None:
    best, sentence = OTHER_WORDS[word]
    body = {"Wait": "3 days", "Condition": "buy once", "Exit": "buy", "Action": 'send "x"'}.get(best or "", "buy")
    text = f"{word.capitalize()}: {body}"
    found = errors(read(text if best == "Trigger" else f"Trigger: seen\n{text}"))
    first = next(diagnostic for diagnostic in found if diagnostic.code == "unknown-clause")
    assert first.help == (sentence or f"write '{best}:'")
    assert (first.fix and first.fix.text) == best


def test_the_words_of_other_tools_are_none_of_the_language() -> None:
    assert not set(OTHER_WORDS) & set(CLAUSES)
    assert {best for best, _ in OTHER_WORDS.values() if best} <= {entry.word for entry in CLAUSES.values()}


def test_a_second_trigger_is_not_offered() -> None:
    first = errors(read("Trigger: seen\nWhen: person.plan = pro"))[0]
    assert (first.code, first.fix) == ("unknown-clause", None)
    assert "Condition:" in (first.help or "")


@pytest.mark.parametrize("word", ["When", "Event", "On", "Triger"])
@pytest.mark.parametrize("title", ["", "# Second\n"])
def test_a_word_that_stands_for_an_opener_opens_a_rule(word: str, title: str) -> None:
    reading = read(f"Trigger: seen\n\n{title}{word}: bought\nAction: x\n\nTrigger: returned")
    assert len(reading.written) == 3
    first = errors(reading)[0]
    assert (first.code, first.fix and first.fix.text) == ("unknown-clause", "Trigger")


def test_a_block_amid_a_rule_opens_none() -> None:
    reading = read("Trigger: seen\n\nDelay: 3 days\n\nAction: x")
    assert len(reading.written) == 1


@pytest.mark.parametrize("char", "\u200b\u200e\u202e\u2060\ufeff\u00ad\u3164\x00\U000e0041")
@pytest.mark.parametrize(
    "text",
    [
        "Trigger: sign{}ed_up",
        "Trigger: {}signed_up",
        "{}Trigger: a",
        "Trigger: a\nWait{}: 3 days",
        "Trigger: a\n\n{}Trigger: b",
        "Trigger: a where x = pro{}",
        "Trigger: a where x{} = 1",
        "Trigger: a\nWait: 3{} days",
    ],
)
def test_a_character_that_nobody_sees_is_named_with_its_place(char: str, text: str) -> None:
    first = errors(read(text.format(char)))[0]
    assert first.code == "odd-character"
    assert first.span == (text.index("{}"), text.index("{}") + 1)
    assert f"U+{ord(char):04X}" in first.message
    assert first.fix
    assert first.fix.text == ""


@pytest.mark.parametrize(
    "text", ['Trigger: a where x = "pro\u200b"', "Trigger: a where\u00a0x = می\u200cخواهم", "\ufeffTrigger: a"]
)
def test_where_it_belongs_it_may_stand(text: str) -> None:
    assert read(text.removeprefix("\ufeff")).ok


@pytest.mark.parametrize(("value", "number"), [("−5", "-5"), ("–5.5", "-5.5"), ("５", "5"), ("٥", "5")])
def test_a_number_in_other_characters_is_no_text(value: str, number: str) -> None:
    found = odd_value(value, 0)
    assert found
    assert found.fix
    assert found.fix.text == number
    assert odd_value(number, 0) is None
    assert odd_value("11–50", 0) is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("until 0 days before trigger.due_at at 09:00", "write 'until trigger.due_at at 09:00'"),
        ("until 0 hours after person.due_at", "write 'until person.due_at'"),
        ("until -2 days before trigger.due_at", "write 'until 2 days after trigger.due_at'"),
        ("until -2 days after trigger.due_at at 09:00", "write 'until 2 days before trigger.due_at at 09:00'"),
        ("0 days", "leave the 'Wait:' out, or write how long"),
    ],
)
def test_no_length_before_a_date_is_the_date_itself(body: str, said: str) -> None:
    assert [found.help for found in errors(read(written("Wait", body)))] == [said]
    quoted = re.search("'(until .*)'", said)
    assert quoted is None or read(written("Wait", quoted[1])).ok


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Trigger: a\nCondition: last.buy.total > 3", "Action: set person.x"),
        ("Trigger: a\nCondition: buy between 60 and 30 days ago", "in the last 60 days AND NOT"),
        ("Trigger: a\nCondition: 50% of people", "in 50% sample"),
        ("Trigger: a\nTriggered again: collect", "Triggered again: ignore"),
        ("For everyone with: plan\nTrigger: a", "For each:"),
        ("Trigger: enters segment vip", "Trigger: None"),
        ("Trigger: a\nExit: leaves segment vip", "Only while:"),
    ],
)
def test_a_reserved_form_names_a_way_round(text: str, part: str) -> None:
    assert part in (errors(read(text))[0].help or "")


def test_a_long_clause_that_cannot_be_read_is_explained_at_once() -> None:
    for body in ("a" * 9_000 + " b c", "no " * 3_000 + "b", "where a and " * 800, "x is one of " + "a, " * 3_000):
        assert errors(read(written("Condition", body)))
