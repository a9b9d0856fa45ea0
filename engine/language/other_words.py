"""Words of other tools before a colon, and what a rule says instead: one closed table."""

from __future__ import annotations

_SCHEDULE = "a schedule is a trigger: write 'Trigger: every day at 09:00'"
_WHO = "say who with 'Condition:' for the first moment, or 'Only while:' until the last action"
_CHANNEL = "write 'Action:' with the name of the action, such as 'Action: send_email \"welcome\"'"
_TEMPLATE = "it is a part of the action: write 'Action: send_email \"welcome\" to person.email with discount = 10'"
_CAP = "write 'Limit: once per person per 7 days'; what holds over several rules stands in [caps] of lapse.toml"
_TITLE = "write the title as a comment above the rule, '# Abandoned cart', and 'Rule: abandoned-cart' for its name"
_NOTE = "write it as a comment, with # in front"
_JOIN = "join conditions on one line: 'Condition: a AND NOT b', 'Condition: a OR b'"
_BRANCH = "write 'If:', 'Else if:', 'Else:' and 'End:'"
_DATES = "write 'Active: from 2026-11-20 until 2026-11-30'"
_ARMS = "write a 'Split: 50%' for each arm and 'End:' behind the last"
_AGAIN = "write 'Triggered again: restart', 'ignore', 'each' or 'replace'"
_OFF = "a rule is on while it stands in the file; 'lapse pause RULE' makes it stand still"

OTHER_WORDS: dict[str, tuple[str | None, str | None]] = {
    **dict.fromkeys(
        ("when", "whenever", "event", "events", "on", "upon", "entry", "enter", "entry event", "starts",
         "starts when", "start when", "begin", "begins", "triggers", "trigger event", "on event"),
        ("Trigger", None),
    ),
    **dict.fromkeys(
        ("condition if", "conditions", "filter", "filters", "where", "only if", "only", "requirement", "requires",
         "criteria", "gate", "and only if"),
        ("Condition", None),
    ),
    **dict.fromkeys(("delay", "pause", "sleep", "waits", "wait for", "wait until", "delays", "in"), ("Wait", None)),
    **dict.fromkeys(("do", "actions", "step", "perform", "run"), ("Action", None)),
    **dict.fromkeys(
        ("stop", "stops", "stop if", "stop when", "cancel", "cancel if", "cancel when", "cancel on", "abort", "quit",
         "end when", "end on", "exits", "exit on", "exit when", "exit event", "break", "stop on"),
        ("Exit", None),
    ),
    **dict.fromkeys(("label", "labels"), ("Tags", None)),
    **dict.fromkeys(("timezone", "time zone", "tz"), ("Zone", None)),
    **dict.fromkeys(("quiet", "quiet time", "do not disturb", "silent hours"), ("Quiet hours", None)),
    **dict.fromkeys(("conversion", "conversion event", "success"), ("Goal", None)),
    **dict.fromkeys(("control", "control group"), ("Holdout", None)),
    **dict.fromkeys(("topic", "category", "consent", "message type"), ("Purpose", None)),
    **dict.fromkeys(("id", "key", "slug"), ("Rule", None)),
    **dict.fromkeys(("elif", "elseif", "else-if", "elsif", "otherwise if"), ("Else if", None)),
    **dict.fromkeys(("otherwise",), ("Else", None)),
    **dict.fromkeys(("endif", "end-if", "fi"), ("End", None)),
    **dict.fromkeys(
        ("send window", "sending hours", "business hours", "office hours"),
        (None, "write the other hours, in which nothing is sent: 'Quiet hours: 21:00 to 09:00'"),
    ),
    "after": (None, "write 'Wait: 3 days' for a time, 'Trigger: signed_up' for an event"),
    "until": (None, "write 'Wait: until 09:00' or 'Exit:' with an event; for the rule, 'Active: until 2026-11-30'"),
    "unless": (None, "write 'Condition: NOT purchase_completed within 1 day', or 'Exit:' with the event"),
    "if not": (None, "write 'If: NOT ...' and close it with 'End:', or 'Condition: NOT ...' for the rest"),
    "then": (None, "steps run from top to bottom: write 'Action:', 'Wait:' or 'Condition:'"),
    "suppress": (None, "write 'Only while: NOT ...' for who gets nothing, or 'Exit:' with an event"),
    "while": (None, "write 'Only while:' for what must stay true until the last action"),
    "goto": (None, "there are no jumps: steps run from top to bottom, 'If:' and 'Split:' branch"),
    "loop": (None, "there are no loops: a rule with 'Trigger: every day at 09:00' does something again and again"),
    "every": (None, _SCHEDULE),
    "start": (None, "write 'Trigger: signed_up' for what starts a journey, 'Active: from 2026-11-20' for the rule"),
    "at": (None, _SCHEDULE),
    "person": (None, _WHO),
    "with": (None, _TEMPLATE),
    "cap": (None, _CAP),
    "set": (None, "write 'Action: set person.plan = pro'"),
    "track": (None, "write 'Action: track goal_reached'"),
    **dict.fromkeys(("schedule", "cron", "daily", "weekly", "monthly", "recurring", "time"), (None, _SCHEDULE)),
    **dict.fromkeys(
        ("segment", "segments", "audience", "recipients", "users", "who", "for", "target", "people", "list",
         "cohort", "eligibility", "exclude", "include"),
        (None, _WHO),
    ),
    **dict.fromkeys(
        ("send", "send email", "send push", "send sms", "email", "mail", "sms", "push", "notify", "message", "webhook",
         "call", "channel"),
        (None, _CHANNEL),
    ),
    **dict.fromkeys(("template", "subject", "body", "to", "from", "content", "variables", "data"), (None, _TEMPLATE)),
    **dict.fromkeys(
        ("frequency", "frequency cap", "caps", "throttle", "rate", "rate limit", "limits", "max", "at most", "cooldown",
         "once", "once per"),
        (None, _CAP),
    ),
    **dict.fromkeys(("name", "title", "campaign", "journey", "flow", "workflow", "automation"), (None, _TITLE)),
    **dict.fromkeys(("description", "note", "notes", "comment", "owner", "author", "version"), (None, _NOTE)),
    **dict.fromkeys(("and", "or", "not", "and not", "or not", "but not"), (None, _JOIN)),
    **dict.fromkeys(("branch", "case", "switch"), (None, _BRANCH)),
    **dict.fromkeys(("dates", "valid", "expires", "start date", "end date", "from date"), (None, _DATES)),
    **dict.fromkeys(("ab", "a-b", "ab test", "experiment", "variant", "variants", "random", "arm"), (None, _ARMS)),
    **dict.fromkeys(("reentry", "re-entry", "repeat", "re-enter", "on repeat", "again"), (None, _AGAIN)),
    **dict.fromkeys(("status", "enabled", "disabled", "priority"), (None, _OFF)),
}  # fmt: skip
"""For each word, in small letters: the word of the language that takes the same text, or the sentence that helps."""
