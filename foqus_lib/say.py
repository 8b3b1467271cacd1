"""What a command says while it works."""

import sys


def say(text: str) -> None:
    """Progress goes to stderr, so that results can be piped."""
    print(text, file=sys.stderr, flush=True)
