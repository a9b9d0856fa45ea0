"""How the suite searches: the same examples in every run, so that a change is judged by what it changed.

``pytest --hypothesis-profile=searching`` looks for new ones.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.register_profile("searching", deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("steady")
