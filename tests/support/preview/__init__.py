"""A made-up building behind the pages, for people who work on them: `python -m preview`."""
