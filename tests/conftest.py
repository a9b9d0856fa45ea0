"""How the suite searches: the same examples in every run, so that a change is judged by what it changed.

Hypothesis seeds its search with the numbers and texts of the modules that happen to be loaded; without them neither
an edit elsewhere nor the choice of files to run changes what is searched. ``pytest --hypothesis-profile=searching``
looks for new examples.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture.providers import Constants, HypothesisProvider

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.register_profile("searching", deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("steady")
HypothesisProvider._local_constants = Constants()  # type: ignore[assignment]
