"""What the text of an option may look like, and the sentence for what it may not. Pure; every function raises ValueError."""

from __future__ import annotations

import difflib
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from daemon.patterns import compile_pattern, expand_braces
from daemon.placeholders import Template
from ingestors.api import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Iterable

_DURATION: Final = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)\s*(ms|s|min|h|d)?", re.ASCII)
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES: Final = re.compile(r"(\d{1,15}(?:\.\d{1,12})?)\s*(B|kB|KiB|MB|MiB|GB|GiB)?", re.ASCII)
_FACTORS: Final = {"B": 1, "kB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30}
_NUMBER_FIELD: Final = re.compile(r"(?:\[0-9\])+\*?")
_ORCID: Final = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]", re.ASCII)
_LONGEST: Final = 10 * 365 * 86400.0
_PORTS: Final = 65535

PROVIDABLE: Final = (ATTRIBUTES - {"unique_id"}) | {"public", "instrument_id", "keywords", "samples", "derived_from"}
"""The names that `attributes:` and `defaults:` may give: Crucible's settable dataset fields, keywords and samples."""
TEMPLATED: Final = frozenset(
    {"dataset_name", "measurement", "data_type", "data_format", "instrument_name", "session_name"}
)
"""The attributes that may be templates in the configuration: those that are free text."""
METADATA: Final = "metadata"
"""The field below which a template finds scientific metadata: `{metadata.laser.power}`."""
FIELDS: Final = (ATTRIBUTES - {"unique_id"}) | {"instrument_id", "sample", "name", "stem"}
"""What else a template may name: attributes, `sample` (several with commas), the file's `name` and its `stem`."""
EVERY_FILE: Final = "**"
"""The pattern that a name without one stands for."""
PATH_GROUPS: Final = PROVIDABLE - {"public"}
"""The names that a group of `session.path` may have."""


def seconds(value: object) -> object:
    """Read `2s`, `500ms`, `45min`; a number with one unit; a bare number means seconds. Raises ValueError."""
    message = "should be a duration such as 500ms, 2s, 45min, 1h or 7d"
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not 0 <= value <= _LONGEST:  # false for NaN too
            raise ValueError(f"{message}, from 0 to 10 years")
        return float(value)
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(message)
    return seconds(float(match[1]) * _SECONDS[match[2] or "s"])


def size(value: object) -> object:
    """Read `512 MiB`, `2 GB`; a bare number means bytes. Raises ValueError."""
    message = "should be a size such as 512MiB or 2GB"
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 < value < 2**63:
            raise ValueError(f"{message}, more than 0")
        return value
    match = _BYTES.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(message)
    return size(int(float(match[1]) * _FACTORS[match[2] or "B"]))


def glob(text: str) -> str:
    """Accept a pattern of root-relative paths. Raises ValueError."""
    compile_pattern(text)
    return text


def companion(text: str) -> str:
    """Accept a pattern that names its primary by exactly one of {stem} and {name}. Raises ValueError."""
    named = re.findall(r"\{([a-z_]*)\}", text)
    unknown = [name for name in named if name not in {"stem", "name"}]
    if unknown:
        raise ValueError(f"has the placeholder {{{unknown[0]}}}; {{stem}} and {{name}} are the ones there are")
    if len(set(named)) != 1:
        raise ValueError("needs {stem} or {name} (one of them), so that it says whose companion a file is")
    compile_pattern(text.replace("{stem}", "x").replace("{name}", "x"))
    return text


def sequence(text: str) -> str:
    """Accept a pattern of numbered frames: exactly one numbered field. Raises ValueError."""
    compile_pattern(text)
    if any(len(_NUMBER_FIELD.findall(choice)) != 1 for choice in expand_braces(text)):
        raise ValueError("needs exactly one numbered field, such as [0-9]* or [0-9][0-9][0-9]")
    return text


def path_expression(text: str) -> str:
    """Accept a regular expression with named groups that are attributes. Raises ValueError."""
    try:
        groups = re.compile(text).groupindex
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    wrong = sorted(set(groups) - PATH_GROUPS)
    if wrong:
        raise ValueError(did_you_mean(f"has the group {wrong[0]!r}, which is no attribute", wrong[0], PATH_GROUPS))
    if not groups:
        raise ValueError("has no named group such as (?P<session_name>[^/]+), so it would say nothing")
    return text


def web_address(text: str) -> str:
    """Accept an http(s) base address without credentials, query or final slash. Raises ValueError."""
    example = "should be a web address such as https://catalog.example.org"
    try:
        parts = urlsplit(text.strip())
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1) <= _PORTS
    except ValueError as error:
        raise ValueError(f"{example} ({error})") from error
    if not usable or re.search(r"\s", text.strip()):
        raise ValueError(example)
    if parts.username or parts.password:
        raise ValueError("must not contain a user name or password; the key has a place of its own")
    if parts.query or parts.fragment:
        raise ValueError(f"{example}, without ? and #")
    return text.strip().rstrip("/")


def filesystem_path(value: object) -> object:
    """Accept text that can be a path. Raises ValueError."""
    if isinstance(value, (str, Path)):
        try:
            bad = not str(value).strip() or b"\0" in os.fsencode(value)
        except UnicodeEncodeError:
            bad = True
        if bad:
            raise ValueError("should be a path such as /data/hip")
        return value
    raise ValueError("should be a path such as /data/hip")


class KeyProblems(ValueError):  # noqa: N818 a value that travels through pydantic
    """What is wrong with single keys of a free mapping."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{key!r} {text}" for key, text in problems.items()))
        self.problems = problems


def attributes(values: dict[str, Any]) -> dict[str, Any]:
    """Accept Crucible's settable attributes. Raises KeyProblems."""
    problems = {
        name: text
        for name, value in values.items()
        if (text := attribute_problem(name, value) or _template_problem(name, value))
    }
    if problems:
        raise KeyProblems(problems)
    return values


def is_template(name: str, value: object) -> bool:
    """Whether the value that the configuration gives for an attribute is made of other values."""
    return name in TEMPLATED and isinstance(value, str) and ("{" in value or "}" in value)


def _template_problem(name: str, value: object) -> str | None:
    if not is_template(name, value):
        braces = isinstance(value, str) and ("{" in value or "}" in value)
        return f"cannot be a template; {', '.join(sorted(TEMPLATED))} can" if braces else None
    try:
        names = Template.parse(str(value)).names()
    except ValueError as error:
        return str(error)
    unknown = sorted(field for field in names if field not in FIELDS and not field.startswith(f"{METADATA}."))
    if not unknown:
        return None
    return did_you_mean(f"has the field {{{unknown[0]}}}, which no dataset has", unknown[0], FIELDS)


def attribute_problem(name: str, value: object) -> str | None:
    """What is wrong with a value that somebody gives for an attribute, in one sentence; None if it can be used."""
    if name not in PROVIDABLE:
        return did_you_mean("is no attribute that can be given here", name, PROVIDABLE)
    if name == "public":
        return None if isinstance(value, bool) else "should be true or false"
    if name in {"keywords", "samples", "derived_from"}:
        texts = isinstance(value, list) and all(isinstance(item, str) and item.strip() for item in value)
        return None if texts else "should be a list of texts, such as [silicon, annealed]"
    if not isinstance(value, str) or not value.strip():
        return f'should be text; what looks like a number needs quotes: {name}: "0042"'
    if name == "owner_orcid" and not _ORCID.fullmatch(value):
        return "should be an ORCID such as 0000-0002-1825-0097"
    return None


def did_you_mean(sentence: str, word: str, known: Iterable[str]) -> str:
    """Add the nearest known word to a sentence, or all of them."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1)
    return f"{sentence}; did you mean {near[0]!r}?" if near else f"{sentence}; known are {', '.join(words)}"


def ingestors(value: object) -> object:
    """Read one name for every file, or names by pattern; the first pattern that matches wins. Raises ValueError."""
    if isinstance(value, str):
        value = {EVERY_FILE: value}
    if not isinstance(value, dict):
        raise ValueError('should be an ingestor\'s name, or names by pattern, such as {"*.dat": xy}')  # noqa: TRY004 pydantic's way
    problems = {key: "should be the name of an ingestor" for key, name in value.items() if not _is_name(name)}
    for pattern in value:
        try:
            compile_pattern(str(pattern))
        except ValueError as error:
            problems[pattern] = str(error)
    if problems:
        raise KeyProblems(problems)
    return value


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(name.strip()) and name.isprintable()


Duration = Annotated[float, BeforeValidator(seconds, json_schema_input_type=str | float)]
"""Seconds."""
ByteSize = Annotated[int, BeforeValidator(size, json_schema_input_type=str | int)]
"""Bytes."""
Glob = Annotated[str, AfterValidator(glob)]
Sequence = Annotated[str, AfterValidator(sequence)]
Companion = Annotated[str, AfterValidator(companion)]
FilePath = Annotated[Path, BeforeValidator(filesystem_path, json_schema_input_type=str)]
CatalogName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Provided = Annotated[dict[str, Any], AfterValidator(attributes)]
Ingestors = Annotated[dict[str, str], BeforeValidator(ingestors, json_schema_input_type=str | dict[str, str])]
PathExpression = Annotated[str, AfterValidator(path_expression)]
WebAddress = Annotated[str, AfterValidator(web_address)]
Port = Annotated[int, Field(ge=0, le=_PORTS)]
