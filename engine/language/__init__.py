"""The rule language: from text to rules, and back. Pure: no files, no clock, no store.

``read`` gives every rule of a text together with everything that is wrong or doubtful in it, ``layout`` writes
a rule in its canonical form, ``read_cases`` reads the tests that stand beside rules, and
``read_quiet_hours`` a line that stands in a setting.
"""

from . import nodes
from .cases import CaseReading, read_cases
from .catalog import Catalog
from .diagnostics import Diagnostic
from .layout import canonical, expression_text, layout, step_text
from .quiet import read_quiet_hours
from .reader import Reading, read

__all__ = [
    "CaseReading",
    "Catalog",
    "Diagnostic",
    "Reading",
    "canonical",
    "expression_text",
    "layout",
    "nodes",
    "read",
    "read_cases",
    "read_quiet_hours",
    "step_text",
]
