"""What the Nox sessions call: from `fixtures/releases.toml` to `reports/`, left to right.

The words (release, build, place, cell, property, outcome, verdict) are explained in README.md.
Nothing here imports Paddle: it lives in the cells' own environments.
"""
