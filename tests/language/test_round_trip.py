"""What the formatter writes reads back as the same rule, and formatting twice changes nothing."""

from __future__ import annotations

from hypothesis import given, settings

from engine.language import layout, nodes, read

from . import strategies


@settings(max_examples=300)
@given(strategies.rules())
def test_a_rule_reads_back_from_its_canonical_text(rule: nodes.Rule) -> None:
    reading = read(layout(rule))
    assert [found for found in reading.diagnostics if found.severity == "error"] == []
    assert reading.rules == (rule,)
    assert layout(reading.rules[0]) == layout(rule)
