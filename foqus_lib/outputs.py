"""How outputs of a notebook tell its runner what they are."""

PROGRESS = {"foqus": "progress"}  # metadata of what one waited for: no page shows it
UNFINISHED = "application/vnd.foqus.unfinished+json"  # says what a grid lacks: the build fails
