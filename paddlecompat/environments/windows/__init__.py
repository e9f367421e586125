"""Environments of Windows builds on Linux, whose programs Wine runs."""
