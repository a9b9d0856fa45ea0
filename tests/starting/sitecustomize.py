"""Run by each Python process that a test starts, before anything else: it finds what an installation of users has.

Where Lark finds ``interegular``, which only the developers' environment has, it compares the terminals of the grammar
in each process that reads a rule, which takes longer than all else that a command does.
``tests/language/test_grammar.py`` compares them once.
"""

from __future__ import annotations

import sys

sys.modules["interegular"] = None  # type: ignore[assignment]
