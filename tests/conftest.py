"""What all tests share."""

from hypothesis import HealthCheck, settings

# No test asserts a timing, those of Hypothesis included: machines that run tests are busy.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
