"""The pages that are asked: answers, releases, bugs, properties; and the badges."""
