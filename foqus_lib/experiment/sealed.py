"""A record that notices damage: {"sha256": ..., "body": "<canonical JSON>"}."""

import json
from collections.abc import Mapping
from hashlib import sha256

import orjson

from foqus_lib.experiment.key import canonical


def parsed(text: str | bytes) -> object:
    """The value of a JSON text; json alone reads half a character, as a file's name may hold."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def sealed(body: Mapping) -> bytes:
    """The bytes of a record that holds this body."""
    text = canonical(body)
    return json.dumps({"sha256": sha256(text.encode()).hexdigest(), "body": text}).encode()


def opened(raw: bytes) -> str:
    """The text of a record's body, its SHA-256 checked; ValueError for what is no record."""
    record = parsed(raw)
    if not isinstance(record, dict) or set(record) != {"sha256", "body"}:
        raise ValueError("expected a JSON object of sha256 and body")
    got = sha256(record["body"].encode()).hexdigest()
    if got != record["sha256"]:
        raise ValueError(f"expected sha256 {record['sha256'][:16]}..., got {got[:16]}...")
    return record["body"]


def unsealed(raw: bytes) -> dict:
    """The body of a record."""
    return parsed(opened(raw))
