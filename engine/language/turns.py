"""The turns of English that are known, in the order in which they are tried; see :mod:`.english`."""

from __future__ import annotations

from .english import Turn, Written, absent, beside, choice, each, inside_where, on_day, outside_where, turn
from .figure_turns import FIGURE_TURNS, NUMBERS
from .words import CLOCK_WORDS

_NOT_DONE = (
    "(?:not yet|no|never|without|(?:not )?(?:the )?(?:(?:user|person|customer|contact|who|they) )?"
    "(?:has|have|had|did|does|do|was|is)(?:n't| never)(?: (?:yet|done|any|a))?)"
)
_DONE = "(?:(?:the )?(?:user|person|customer|contact|who|they)(?: (?:has|have|had|did|does))?|has|have|had|did|does)"
_IF = "(?:if|when|whenever|only if|only when|as long as|provided)"
_BECOMES = "(?:has |have )?(?:changes|changed|change|turns|turned|becomes|became|become|gets|switches|switched)"
_TEST = r"(?P<first>(?<![\w.-])[\w.-]+\s*(?:!=|>=|<=|=|>|<)\s*[^\s,;()]+)"
_ASKED = (
    r"(?:same [\w.-]+|[\w.-]+(?:\s*(?:!=|>=|<=|=|>|<)\s*[^\s,;()]+| is(?: not)? set<end>"
    r"| (?:is not|is|contains|starts with|ends with) [^\s,;()]+| (?:not )?in \([^()]*\)"
    r"| between \S+ and [^\s,;()]+))"
)
_FIRST = rf"(?P<first>(?<![\w.-]){_ASKED})"
_NEXT = rf"(?P<field>{_ASKED})"
_BEHIND_WHERE = r"\s+(?=(?:within|in the|since|at least|at most|exactly|once|twice|more than)\b|[<>=!])"
_SEVERAL = "write NOT in front of what must not happen; around several it takes a bracket, as in 'NOT (a OR b)'"
_BESIDE = "write 'AND NOT' and what must not happen; beside an OR, brackets say what belongs together"
_NO_NOT = "a 'where' has no NOT: it asks 'is not', 'not in', 'is not set'"
_NEGATED = "'{}' is said with NOT in front"
_SIGN = "'{}' is written with a sign"
_CHANGE = "'{}' is a change, and conditions ask about a state"
_MOMENT = "for the moment at which it becomes so, write 'Trigger: None' and below it 'Condition: {path} = {value}'"
_LATER = "'{}' is a form that the language keeps for later"
_LIST = "'{}' is not how a list is asked"
_ONE_VALUE = "'contains' takes one value"
_NO_WINDOW = "'{}' is no window"
_ONE_EVENT = "a journey starts at one event"
_ONE_DAY = "'{}' is more than one day"

_COMPARED = (
    (">=", "(?:at least|greater than or equal to|no less than|not less than)"),
    ("<=", "(?:at most|less than or equal to|no more than|not more than|up to)"),
    (">", "(?:(?:greater|more|higher|larger|bigger|older) than|over|above)"),
    ("<", "(?:(?:less|fewer|lower|smaller|younger) than|under|below)"),
)
_COUNTED = (
    ("at least", "(?:at least|no fewer than|no less than|minimum)"),
    ("at most", "(?:at most|no more than|not more than|up to|maximum)"),
    ("more than", "(?:more than|over|above)"),
    ("fewer than", "(?:fewer than|less than|under|below)"),
    ("exactly", "(?:exactly|only|just)"),
)


def _date_behind_until(match: Written) -> str | None:
    word = match["path"].casefold()
    if word in ("next", "end", "first"):
        return None
    moment = CLOCK_WORDS.get(word, match["path"])
    return moment and f"until {moment}"


_CHANGES = (
    turn("expression trigger", f"<path> {_BECOMES}(?: from \\S+)? to <value>", _CHANGE, None, _MOMENT),
    turn("expression trigger", f"<path> {_BECOMES} (?!from )<value>", _CHANGE, None, _MOMENT),
    turn(
        "expression trigger",
        f"<path> {_BECOMES}<end>",
        _CHANGE,
        None,
        "write 'Trigger: None' and below it a condition on the value it gets, or send an event when it changes",
    ),
    turn(
        "trigger",
        r"\A<path>\s*(?:=|\bis<end>|\bequals<end>)\s*<value>",
        "'{}' is a state, and an event starts a journey",
        None,
        _MOMENT,
    ),
    turn(
        "expression trigger",
        r"(?:enter|enters|entered|joins|joined) (?:the )?(?:segment )?<value>",
        _LATER,
        None,
        "write 'Trigger: None' and below it, as its 'Condition:', what makes somebody belong to the segment",
    ),
    turn(
        "expression trigger",
        r"(?:leave|leaves|left|exits|exited) (?:the )?(?:segment )?<value>",
        _LATER,
        None,
        "write 'Trigger: None' and below it 'Condition: NOT (...)' around what makes somebody belong to the segment",
    ),
    turn(
        "expression",
        r"(?:is )?(?:not )?in (?:the )?segment \S+",
        _LATER,
        None,
        "write what makes somebody belong to it, or keep it as an attribute: 'person.segments contains vip'",
    ),
)


_EXITS = (
    turn(
        "exit",
        "(?:enter|enters|entered|leave|leaves|left|exits) (?:the )?(?:segment )?<value>",
        _LATER,
        None,
        "write 'Only while:' and what makes somebody belong to the segment",
    ),
)

_LISTS = (
    turn("expression", "<path> (?:is |are )?(?:not (?:one|any)|none) of <list>", _LIST, choice("not in")),
    turn("expression", "<path> (?:is|are)n't (?:one|any) of <list>", _LIST, choice("not in")),
    turn("expression", "<path> (?:is |are )?(?:one|any|either) of <list>", _LIST, choice("in")),
    turn(
        "expression",
        "<path> (?:contains?|includes?|has) none of <list>",
        _ONE_VALUE,
        outside_where(each("NOT ({})", "OR", "{path} contains {item}")),
        _NO_NOT,
    ),
    turn(
        "expression",
        "<path> (?:contains?|includes?|has) (?:any|one|some)(?: of)? <list>",
        _ONE_VALUE,
        outside_where(each("({})", "OR", "{path} contains {item}")),
        "ask for each value in an event of its own, joined with OR",
    ),
    turn(
        "expression",
        "<path> (?:contains?|includes?|has) (?:all|each|both)(?: of)? <list>",
        _ONE_VALUE,
        outside_where(each("({})", "AND", "{path} contains {item}")),
        "ask 'contains' for each value, with commas between",
    ),
)

_FACTS = (
    turn(
        "expression",
        "<path> (?:(?:does|do|did)n't|not) (?:contains?|includes?|have) <value>",
        _NEGATED,
        outside_where("NOT {path} contains {value}"),
        _NO_NOT,
    ),
    turn(
        "expression",
        "<path> (?:excludes?|lacks) <value>",
        _NEGATED,
        outside_where("NOT {path} contains {value}"),
        _NO_NOT,
    ),
    turn(
        "expression",
        "<path> (?:(?:does|do|did)n't|not) (?P<edge>start|end)s? with <value>",
        _NEGATED,
        outside_where("NOT {path} {edge}s with {value}"),
        _NO_NOT,
    ),
    turn(
        "expression",
        "<path> (?:(?:(?:does|do|did)n't|not) equals?|is(?:n't| not) equal)(?: to)? <value>",
        _SIGN,
        "{path} != {value}",
    ),
    turn(
        "expression",
        "<path> (?:(?:does|do|did)n't exist|is missing|is unset|missing|has no value)<end>",
        "'{}' is said otherwise",
        "{path} is not set",
    ),
    turn(
        "expression",
        "<path> (?:exists?|is present|is known|has (?:a |any )?value)<end>",
        "'{}' is said otherwise",
        "{path} is set",
    ),
    turn(
        "expression", "<path> (?:is|are)n['’]?t (?!equal )<value>", "'{}' is written in full", "{path} is not {value}"
    ),
    turn(
        "expression",
        r"(?P<path>(?:person|trigger)\.[\w.-]*\w) not (?!(?:in|within|since|contains?|set|starts|ends)<end>)<value>",
        "'{}' lacks its comparison",
        "{path} is not {value}",
    ),
    turn("expression", "<path> (?:is )?(?:equals|equal to|equal|the same as) <value>", _SIGN, "{path} = {value}"),
    turn("expression", "<path> is (?:now|currently) <value>", "a condition asks about now anyway", "{path} is {value}"),
    turn(
        "expression",
        r"<path> is between <value> and (?P<high>[^\s,;()]+)",
        "'between' takes no 'is'",
        "{path} between {value} and {high}",
    ),
    turn(
        "expression",
        r"<path> between (?P<value>\d[\d.]*)(?:\s*[-–—]\s*| to )(?P<high>\d[\d.]*)",
        "'between' takes 'and'",
        "{path} between {value} and {high}",
    ),
    *(
        turn("expression", f"<path> (?:is )?{spelled} <number>", _SIGN, f"{{path}} {sign} {{value}}")
        for sign, spelled in _COMPARED
    ),
    turn(
        "expression",
        "<path> (?:matches|match|like|similar to) <value>",
        "there are no patterns",
        None,
        "there are 'contains', 'starts with' and 'ends with'",
    ),
    turn(
        "expression",
        "<path> (?:was|has been|had been|used to be) <value>",
        "'{}' asks what a value was",
        None,
        "a condition sees what it is now; keep an earlier value in an attribute of its own, with 'Action: set'",
    ),
    turn(
        "expression",
        "(?P<path>(?:person|trigger)\\.[\\w.-]*\\w|tags|[a-z_]*segments|[a-z_]*list) (?:includes?|has|have) <value>",
        "'{}' is asked with 'contains'",
        "{path} contains {value}",
    ),
)

_WHERES = (
    turn(
        "expression",
        rf"{_FIRST} and {_NEXT}{_BEHIND_WHERE}",
        "AND ends the 'where', and a comma continues it",
        inside_where("{first}, {field} "),
        "write the window right behind the event it belongs to",
    ),
    turn(
        "trigger exit wait goal",
        f"{_FIRST} and {_NEXT}",
        "AND ends the 'where', and a comma continues it",
        inside_where("{first}, {field}"),
        "several events are joined with OR, several fields behind 'where' with commas",
    ),
    turn(
        "expression",
        f"{_FIRST} and (?P<field>same [\\w.-]+)",
        "AND ends the 'where', and a comma continues it",
        inside_where("{first}, {field}"),
        "'same' stands in a 'where', behind the event it is about",
    ),
    turn(
        "expression",
        r"(?<=where) (?P<field>[\w.-]+) and ",
        "a 'where' compares fields",
        None,
        "write 'where {field} is set' or 'where {field} = 1', and a comma before the next",
    ),
    turn(
        "expression trigger exit goal",
        r"<event> (?:with|when|having|whose|that has) "
        r"(?P<field>same [\w.-]+|[\w.-]+\s*(?:!=|>=|<=|=|>|<)\s*[^\s,;()]+)",
        "the fields of an event stand behind 'where'",
        "{event} where {field}",
    ),
    turn(
        "expression trigger exit goal",
        "<event> (?:with|having|whose|that has) ",
        "the fields of an event stand behind 'where'",
        None,
        "write '{event} where amount > 50'",
    ),
)

_WINDOWS = (
    turn(
        "expression goal",
        "(?:(?:within|in|during|over|for) (?:the )?)?(?:last|past|previous) <length><end>",
        "a window back is written 'in the last'",
        "in the last {length}",
    ),
    turn(
        "expression goal",
        "(?:(?:within|in|during|over|for) (?:the )?)?(?:next|coming|following) <length><end>",
        "a window forward is written 'in the next'",
        "in the next {length}",
    ),
    turn("expression", "within <length> ago", _NO_WINDOW, "in the last {length}"),
    turn("expression", r"(?<=\s)(?:less|fewer) than <length> ago", _NO_WINDOW, "in the last {length}"),
    turn(
        "expression",
        "<event> <length> ago",
        "'{}' is one moment",
        None,
        "write 'in the last {length}' for a window, 'last {event} more than {length} ago' for longer ago",
    ),
    turn(
        "expression goal",
        r"(?<=\s)(?:in|during) <length><end>",
        "a window forward is written 'in the next'",
        "in the next {length}",
    ),
    turn(
        "expression",
        r"(?<=\s)after <length><end>",
        "time passes in a 'Wait:', not in a condition",
        None,
        "write 'Wait: {length}' above",
    ),
    turn(
        "expression",
        r"(?<=\s)(?:today|yesterday|tonight|recently|lately|this (?:week|month|year|morning))<end>",
        _NO_WINDOW,
        None,
        "windows are lengths, not days of the calendar: 'in the last 24 hours', 'in the last 7 days'",
    ),
    turn(
        "expression",
        r"(?<=\s)(?:ever|already|before now|at any time)<end>",
        _NO_WINDOW,
        None,
        "leave it out: without a window everything up to now is asked",
    ),
    turn(
        "expression",
        "<event> followed by <other>",
        "an order is written with 'then'",
        None,
        "write '{event} within 1 day then {other} within 3 days'",
    ),
    turn(
        "expression",
        "<event> after <other>",
        "an order is written with 'then'",
        None,
        "write '{other} within 1 day then {event} within 3 days'",
    ),
)

_COUNTS = (
    *(
        turn(
            "expression",
            f"<start>{spelled} (?P<n>\\d+) <event>",
            "how often stands behind the event",
            f"{{event}} {kind} {{n}} times",
        )
        for kind, spelled in _COUNTED
    ),
    *(
        turn(
            "expression", f"(?<=\\s){spelled} (?P<n>\\d+) times?<end>", "'{}' is said otherwise", f"{kind} {{n}} times"
        )
        for kind, spelled in _COUNTED
    ),
    turn("expression", r"(?<=\s)(?P<n>\d+) or more times", "'{}' is said otherwise", "at least {n} times"),
    turn("expression", r"(?<=\s)(?:only|just) (?P<n>once|twice)", "'{}' is said otherwise", "exactly {n}"),
    turn(
        "expression",
        f"(?P<word>{NUMBERS}) times",
        "numbers are written in figures, and could mean at least or exactly",
        None,
        "write 'at least 3 times' or 'exactly 3 times'",
    ),
    turn(
        "expression",
        r"<start>(?P<n>\d+) <event>",
        "how often stands behind the event",
        None,
        "write '{event} at least {n} times' or '{event} exactly {n} times'",
    ),
    turn("expression", "number of <event>", "'{}' is written 'count of'", "count of {event}"),
)

_EVENTS = (
    turn(
        "expression",
        "<start>(?:no|not any|without(?: any)?) (?:events?|activity)<end>(?! where)",
        _NEGATED,
        absent("NOT any event"),
        _SEVERAL,
    ),
    turn(
        "expression",
        "<start>(?:nothing|nobody|no one) (?:has |was |is )?(?:happened|happens?|done|did anything)<end>",
        _NEGATED,
        absent("NOT any event"),
        _SEVERAL,
    ),
    turn("expression", "<start>any events<end>", "'{}' is written 'any event'", "any event"),
    turn("expression", "<start>(?:none|neither) of <names>", _NEGATED, each("NOT ({})", "OR"), _SEVERAL),
    turn("expression", "<start>neither <names>", _NEGATED, each("NOT ({})", "OR"), _SEVERAL),
    turn(
        "expression",
        "<start>(?:any|one|either) of <names>",
        "'{}' is said with OR in brackets",
        each("({})", "OR"),
        "write '(a OR b)'",
    ),
    turn(
        "expression",
        "<start>(?:all|each|both) of <names>",
        "'{}' is said with AND in brackets",
        each("({})", "AND"),
        "write '(a AND b)'",
    ),
    turn("expression", f"<start>{_NOT_DONE} <event>", _NEGATED, absent("NOT {event}"), _SEVERAL),
    turn(
        "expression",
        f"<start>(?:{_IF} not|unless) <event>",
        _NEGATED,
        absent("NOT {event}"),
        _SEVERAL,
    ),
    turn("expression", f"<start>{_IF} (?P<word>not <other>|<event>)", "a condition begins with what it asks", "{word}"),
    turn("expression", f"<start>{_DONE} <event>", "a condition begins with the event", "{event}"),
    turn("expression", "<start>(?:a|an|the|some) <event>", "the name of an event stands alone", "{event}"),
    turn(
        "expression",
        "<start>(?:the )?first <event>",
        "there is no first event of a kind",
        None,
        "'Limit: once per person' lets only the first journey act; '{event} exactly once' asks for one",
    ),
    turn(
        "expression",
        "<event> (?:(?:does|did|do|has|was|is)n't|never) (?:happened|happens?|occurred|occurs?|done)<end>",
        _NEGATED,
        absent("NOT {event}"),
        _SEVERAL,
    ),
    turn(
        "expression",
        "<event> (?:has |was |is )?(?:happened|happens?|occurred|occurs?|done)<end>",
        "the name of an event says that it happens",
        "{event}",
    ),
    turn("expression", "<event> not(?= (?:within|in the) )", _NEGATED, absent("NOT {event}"), _SEVERAL),
    turn("expression", "but (?:not|no)(?= )", "'{}' is said with AND NOT", beside("AND NOT"), _BESIDE),
    turn("expression", "(?:without|unless) <event>", "'{}' is said with AND NOT", beside("AND NOT {event}"), _BESIDE),
    turn("expression", "but(?= )", "'but' is said with AND", beside("AND"), _BESIDE),
)

_TRIGGERS = (
    turn(
        "trigger",
        "every (?:weekday|working day|workday|business day)s?<end>",
        _ONE_DAY,
        None,
        "write five rules, from 'Trigger: every monday at 09:00' to 'Trigger: every friday at 09:00'",
    ),
    turn(
        "trigger",
        "on (?:weekday|working day|workday|business day)s<end>",
        _ONE_DAY,
        None,
        "write five rules, from 'Trigger: every monday at 09:00' to 'Trigger: every friday at 09:00'",
    ),
    turn(
        "trigger",
        "(?:every|on) weekends?<end>",
        _ONE_DAY,
        None,
        "write two rules, 'Trigger: every saturday at 09:00' and 'Trigger: every sunday at 09:00'",
    ),
    turn(
        "trigger",
        r"(?:every|on) <day>(?:\s*,\s*|\s+(?:and|or) )(?:and )?[a-z]+",
        _ONE_DAY,
        None,
        "write a rule for each day, such as 'Trigger: every monday at 09:00'",
    ),
    turn(
        "trigger",
        "every (?:day|morning|evening|night|single day) (?:at )?<time>",
        "a schedule names the day and 'at'",
        "every day at {time}",
    ),
    turn("trigger", "(?:daily|at|each day)(?: at)? <time>", "'{}' is no schedule", "every day at {time}"),
    turn(
        "trigger",
        "(?:every|on|each) <day><end>(?: at)? <time>",
        "'{}' is no schedule",
        on_day("every {day} at {time}"),
        "write 'every monday at {time}'",
    ),
    turn(
        "trigger",
        "every (?:day|morning)\\Z",
        "the schedule lacks its time",
        None,
        "write it behind 'at', as in 'every day at 09:00'",
    ),
    turn(
        "trigger",
        "(?:every <day>|every week|weekly)<end>",
        "a weekly schedule has a day and a time",
        None,
        "write them as in 'every monday at 09:00'",
    ),
    turn(
        "trigger",
        "(?:every month|monthly)<end>",
        "a monthly schedule has a day and a time",
        None,
        "write them as in 'every month on day 1 at 09:00'",
    ),
    turn(
        "trigger",
        r"(?:every (?:\d+ \w+|\d+\w+|other \w+|hour|minute|second|quarter|year)|hourly)<end>",
        "'{}' is no schedule",
        None,
        "write 'every day at 09:00', 'every monday at 09:00' or 'every month on day 1 at 09:00'",
    ),
    turn(
        "trigger",
        r"on (?P<path>person\.[\w.-]*\w)",
        "'on' takes a date of the calendar",
        None,
        "write 'every year on {path} at 09:00', or 'Trigger: None' and below it 'Condition: {path} in the last 1 day'",
    ),
    turn(
        "trigger",
        r"(?:on )?(?P<date>\d{4}-\d{2}-\d{2})<end>(?: at <time>)?",
        "'{}' is no schedule",
        lambda match: f"on {match['date']} at {match['time']}" if match["time"] else None,
        "write 'on {date} at 09:00'",
    ),
    turn(
        "trigger",
        f"<start>{_NOT_DONE} <event>",
        "what does not happen starts no journey",
        None,
        "write 'Trigger: None' and below it 'Condition: NOT {event} within 30 days'",
    ),
    turn("trigger", "<start>(?:any|one|either) of <names>", "several events are joined with OR", each("{}", "OR")),
    turn("exit", "<event> and <other>", "one event ends a journey", None, "write '{event} OR {other}' for either"),
    turn(
        "trigger",
        "<event> and <other>",
        _ONE_EVENT,
        None,
        "write '{event} OR {other}' for either; for both, write one here and the other in a 'Condition:'",
    ),
    turn("trigger exit", r"<event>\s*,\s*<other>", "several events are joined with OR", "{event} OR {other}"),
    turn(
        "trigger",
        f"<start>(?:{_IF}|on|upon|after|{_DONE}|a|an|the) <event>",
        "a trigger is the name of the event alone",
        "{event}",
    ),
    turn(
        "trigger",
        "<start>(?:the )?first <event>",
        "there is no first event of a kind",
        None,
        "write '{event}', and 'Limit: once per person' for its first journey alone",
    ),
    turn(
        "trigger",
        "<event> (?:unless|without|if not|but not) <other>",
        "a trigger is the name of the event alone",
        None,
        "write 'Condition: NOT {other} within 1 day' below",
    ),
    turn(
        "trigger",
        "<event> (?:after|for|in|within) <length>",
        "time passes in a 'Wait:' or in a condition",
        None,
        "write 'Wait: {length}' below",
    ),
    turn(
        "trigger",
        "<event> (?:if|when|and) ",
        "a trigger is the name of the event alone",
        None,
        "write what must hold as a 'Condition:' below, or behind 'where' if it is a field of the event",
    ),
)

_WAITS = (
    turn(
        "wait",
        r"until (?:on )?(?:the )?(?:day|date|morning) of (?:the )?<path>(?:(?: at)? <time>)?",
        "a date stands right behind 'until'",
        lambda match: f"until {match['path']} at {match['time'] or '00:00'}",
    ),
    turn(
        "wait",
        r"until (?:the )?day (?P<side>before|after) (?:the )?<path>(?: at <time>)?",
        "a length stands before '{}'",
        lambda match: (
            f"until 1 day {match['side']} {match['path']}" + (f" at {match['time']}" if match["time"] else "")
        ),
    ),
    turn(
        "wait",
        r"until <length> (?P<side>before|after) the <path>",
        "a date stands without 'the'",
        "until {length} {side} {path}",
    ),
    turn(
        "wait",
        r"until (?:the )?(?:next day|tomorrow|weekday|end of \w+|\d+(?:st|nd|rd|th))<end>",
        "'{}' is no moment",
        None,
        "write 'until 09:00' for the next 09:00, 'until monday 09:00', or '1 day'",
    ),
    turn(
        "wait",
        r"until (?:on |the )<path><end>",
        "a date stands right behind 'until'",
        _date_behind_until,
        "write 'until 09:00', 'until monday 09:00' or 'until person.renewal_date'",
    ),
    turn(
        "wait",
        r"until (?:on )?(?P<date>\d{4}-\d{2}-\d{2})<end>(?: at <time>)?",
        "a wait ends at a date of the person or the trigger",
        None,
        "write 'until person.x' for the date in an attribute, or 'Trigger: on {date} at 09:00' for the whole rule",
    ),
    turn(
        "wait",
        r"until (?:on )?(?:the )?\d{1,2}(?:st|nd|rd|th|\.)?(?: of)? "
        r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*(?: \d{4})?",
        "a wait ends at a date of the person or the trigger",
        None,
        "write 'until person.x' for the date in an attribute, or 'Trigger: on 2026-05-02 at 09:00' for the rule",
    ),
    turn(
        "wait",
        r"until (?:next |the next |on )?<day>(?:,? (?:at )?)<time>",
        "'{}' is said otherwise",
        on_day("until {day} {time}"),
        "write 'until monday {time}'",
    ),
    turn(
        "wait",
        r"until (?:next |the next |on )?<day><end>",
        "a day of the week lacks its time",
        None,
        "write it behind the day, as in 'until monday 09:00'",
    ),
    turn(
        "wait",
        r"until <time> on <day>",
        "the day stands before the time",
        on_day("until {day} {time}"),
        "write 'until monday {time}'",
    ),
    turn(
        "wait",
        r"until (?:tomorrow|today|tonight)(?: at)? <time>",
        "'{}' is said otherwise",
        None,
        "'until {time}' is the next {time}; behind an action or another wait always a later one",
    ),
    turn(
        "wait",
        r"until <event> (?:or|within|for|in|max|or after|for up to) <length>",
        "waiting for an event ends with 'for at most'",
        "until {event} for at most {length}",
    ),
    turn("wait", "<length> (?:then|later|long)<end>", "a length stands alone", "{length}"),
    turn("wait", r"(?:for|about|another) <length>", "a length stands alone", "{length}"),
    turn(
        "wait",
        r"<length> (?:after|from|since) (?:the )?<event>",
        "a length counts from the step before",
        None,
        "write '{length}'; from a date it is 'until {length} after person.x'",
    ),
)

_OTHERS = (
    turn("action", '\\A<event> <other>(?= ["“„])', "the name of an action is one word", "{event}_{other}"),
    turn(
        "action",
        "(?:if|when|unless|only if|where) ",
        "an action has no condition in its line",
        None,
        "write 'Condition:' or 'If:' on a line above",
    ),
    turn(
        "action",
        "(?:after|in) <length>",
        "an action has no time in its line",
        None,
        "write 'Wait: {length}' on a line above",
    ),
    turn("action", f"{_TEST} and {_NEXT}", "arguments are parted by commas", "{first}, {field}"),
    turn("action", "set <path> to <value>", "a value is set with '='", "set {path} = {value}"),
    turn(
        "action",
        r"(?:do not|don['’]?t|no|never) (?P<word>[\w.-]+)",
        "an action is something that is done",
        None,
        "write 'Exit:' or 'Condition:' for when nothing is to be done",
    ),
    turn(
        "limit",
        r"(?:at most|max|maximum|no more than|up to|only) (?P<n>(?:\d+|once|twice) .+)",
        "a limit is a greatest number anyway",
        "{n}",
    ),
    turn(
        "limit",
        r"once (?:a|an|every|each) (?:per )?(?P<unit>day|week|month|year|hour)(?: per person)?",
        "a limit says for whom it counts",
        None,
        "write 'once per person per {unit}', or 'once per {unit} over all people'",
    ),
    turn(
        "limit",
        r"(?P<n>once|twice|\d+ times) every <length> per person",
        "'every' is written 'per'",
        "{n} per person per {length}",
    ),
    turn(
        "quiet",
        r"(?:between|from) <time> (?:and|to|until) (?P<end>\d{1,2}:\d{2})",
        "'{}' is said otherwise",
        "{time} to {end}",
    ),
    turn("quiet", "(?:on )?weekends?<end>", "days are named one by one", "saturday, sunday"),
)

TURNS: tuple[Turn, ...] = (
    *_CHANGES,
    *_EXITS,
    *_LISTS,
    *_FACTS,
    *_WHERES,
    *_WINDOWS,
    *FIGURE_TURNS,
    *_COUNTS,
    *_EVENTS,
    *_TRIGGERS,
    *_WAITS,
    *_OTHERS,
)
