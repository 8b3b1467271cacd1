"""A SigMF recording's metadata: of a bounded size, as the standard wants them, each name once."""

import json
import warnings
from pathlib import Path

import jsonschema
import sigmf
from sigmf.error import SigMFError
from sigmf.validate import validate

from foqus_lib.datasets import door

META, DATA = ".sigmf-meta", ".sigmf-data"
NOTES, CAPTURES = sigmf.SigMFFile.ANNOTATION_KEY, sigmf.SigMFFile.CAPTURE_KEY
LARGEST_META = 2**23  # bytes
MOST_NOTES = 100_000  # annotations and captures: validation takes 30 microseconds for each


def opened(path: Path) -> sigmf.SigMFFile:
    """A recording whose metadata follow the standard and whose samples are all there."""
    data = path.with_suffix(DATA)
    try:
        door.plain_file(path)
        if path.stat().st_size > LARGEST_META:
            raise ValueError(
                f"{path.stat().st_size} bytes of metadata, at most {LARGEST_META}: split it"
            )
        said = _said(path)
        with warnings.catch_warnings(action="ignore"):  # what they say is checked here and below
            file = sigmf.SigMFFile(metadata=said)
            _validate(file, said)
            if not data.exists():
                raise ValueError(f"no {data.name} beside it")
            door.plain_file(data)
            _refuse_extensions(said)
            _refuse_other_data(said, data)
            has_sum = "core:sha512" in said["global"]
            file.set_data_file(data, skip_checksum=not has_sum)
    except jsonschema.ValidationError as error:
        field = "/".join(str(step) for step in error.absolute_path) or "the whole"
        raise ValueError(
            f"{path}: {field}: not as SigMF wants it ({error.message[:120]}). Mend the metadata"
        ) from None
    except (SigMFError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{path}: not a SigMF recording that can be read ({str(error)[:300]}). Mend or remove "
            "it"
        ) from None
    return file


def _said(path: Path) -> dict:
    """What the metadata say; ValueError for more of it than a recording has."""
    text = path.read_text(encoding="utf-8")
    found = text.count("{")  # each of them is made an object before it can be looked at
    if found <= 2 * MOST_NOTES:
        said = json.loads(
            text, parse_float=_number, parse_constant=_no_number, object_pairs_hook=_each_once
        )
        lists = [said.get(key) for key in (NOTES, CAPTURES)] if isinstance(said, dict) else []
        found = sum(len(notes) for notes in lists if isinstance(notes, list))
        if found <= MOST_NOTES:
            return said
    raise ValueError(
        f"annotations and captures: expected at most {MOST_NOTES:,} together, got {found:,}: split "
        "the recording"
    )


def _validate(file: sigmf.SigMFFile, said: dict) -> None:
    """ValidationError for the first field that breaks the standard; none is looked at after it."""
    whole, schema = said | {"global": file.get_global_info()}, file.get_schema()
    wrong = next(jsonschema.validators.validator_for(schema)(schema).iter_errors(whole), None)
    if wrong is not None:
        raise wrong
    validate(whole, {})  # what no schema says: they stand in the order of their samples


def _number(text: str) -> int | float:
    """1000.0 is an integer to JSON, and may count samples."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number in JSON")


def _each_once(pairs: list[tuple[str, object]]) -> dict:
    """An object of JSON, which would keep the last of two."""
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name[:60]}: expected each name once, got it again; remove one")
        found[name] = value
    return found


def _refuse_extensions(said: dict) -> None:
    """ValueError for an extension that has to be understood: only SigMF itself is, and ours."""
    for extension in said["global"].get("core:extensions", ()):
        name = extension["name"]
        if not extension["optional"] and name != "foqus":
            raise ValueError(
                f"core:extensions: expected none that a reader must know, got {name[:60]!r}; "
                "convert it, or say optional: true if its samples can be read without"
            )


def _refuse_other_data(said: dict, data: Path) -> None:
    facts = said["global"]
    skipped = facts.get("core:trailing_bytes") or any(
        capture.get("core:header_bytes") for capture in said["captures"]
    )
    if "core:dataset" in facts or skipped:
        raise ValueError("its samples stand in a file of another format; convert it to SigMF")
    kind = sigmf.sigmffile.dtype_info(facts["core:datatype"])
    if not kind["is_complex"] or facts.get("core:num_channels", 1) != 1:
        raise ValueError(
            f"expected one channel of complex samples, got {facts['core:datatype']} in "
            f"{facts.get('core:num_channels', 1)} channels"
        )
    if data.stat().st_size % kind["sample_size"]:
        raise ValueError(
            f"{data.name} is cut short: {data.stat().st_size} bytes are no whole number of samples"
        )
