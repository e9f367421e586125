"""How the tests of the harness draw: timing is never asserted, and nothing depends on other runs."""

from hypothesis import settings

# `find` keeps what it finds under its condition alone: tests that share one would share examples.
settings.register_profile("harness", deadline=None, database=None)
settings.load_profile("harness")
