"""How the tests of the harness draw: without a deadline, for timing is never asserted."""

from hypothesis import settings

settings.register_profile("harness", deadline=None)
settings.load_profile("harness")
