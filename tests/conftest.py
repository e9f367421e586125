"""How the tests of the harness draw: no timing is asserted, nothing depends on other runs."""

import signal

from hypothesis import settings

# `find` keeps what it finds under its condition alone: tests that share one would share examples.
settings.register_profile("harness", deadline=None, database=None)
settings.load_profile("harness")

# Under nohup some signals are ignored, and what the tests start would ignore them, too.
for name in ("SIGINT", "SIGHUP"):
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)
