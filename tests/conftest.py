"""What all tests share."""

from hypothesis import HealthCheck, settings

# Fixtures for all that want real services; each is started when it is first asked for.
from tests.services.pgbouncer import pgbouncer
from tests.services.postgres import postgres, postgres_server

# No test asserts a timing, those of Hypothesis included: machines that run tests are busy.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

__all__ = ["pgbouncer", "postgres", "postgres_server"]
