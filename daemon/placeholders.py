"""Templates over extracted values: `{measurement} {sample} {timestamp:%H:%M}`. Pure: standard library only.

A placeholder is a name, perhaps with a path below it (`{metadata.laser.power}`), alternatives that count where the first
one has no value (`{project_id|session_name|'lab'}`), and a format (`%…` for a time, Python's own for a number). Nothing
of Python can be reached through one: values are looked up in plain JSON, never by attribute.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ALTERNATIVES: Final = "|"
_QUOTES: Final = "'\""
_FORMATS: Final = "<>=^+- 0123456789,._bcdeEfFgGnosxX%"
_EXAMPLE: Final = datetime(2026, 1, 31, 13, 5, 7)  # noqa: DTZ001 only tries a format out
_WIDEST: Final = 64
_DATE_ONLY: Final = re.compile(r"\d{4}-?\d{2}-?\d{2}", re.ASCII)
_TIME_OF_DAY: Final = ("%H", "%I", "%M", "%S", "%f", "%p", "%T", "%R", "%X", "%c")


@dataclass(frozen=True, slots=True)
class _Placeholder:
    """One `{…}`: the alternatives in order, each a name or a quoted text, and how the value is written."""

    alternatives: tuple[str, ...]
    format: str

    def names(self) -> Iterator[str]:
        """Those alternatives that are looked up."""
        return (name for name in self.alternatives if name[0] not in _QUOTES)

    def value(self, values: Mapping[str, Any]) -> Any:
        """The first alternative that has a value, or None."""
        for name in self.alternatives:
            found = name[1:-1] if name[0] in _QUOTES else look_up(values, name)
            if found not in (None, "", [], {}):
                return found
        return None


@dataclass(frozen=True, slots=True)
class Template:
    """A text with placeholders. Two of the same text are equal."""

    text: str
    _parts: tuple[str | _Placeholder, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a template. Raises ValueError with a sentence about the text."""
        parts: list[str | _Placeholder] = []
        try:
            pieces = list(string.Formatter().parse(text))
        except ValueError as error:
            raise ValueError(f"has a brace without its other half ({error}); write {{{{ for a brace itself") from None
        for literal, field, form, conversion in pieces:
            if literal:
                parts.append(literal)
            if field is not None:
                parts.append(_placeholder(field, form or "", conversion))
        return cls(text, tuple(parts))

    def names(self) -> frozenset[str]:
        """Every name that is looked up."""
        return frozenset(name for part in self._parts if isinstance(part, _Placeholder) for name in part.names())

    def formats(self) -> Iterator[tuple[tuple[str, ...], str, bool]]:
        """Each placeholder that has a format: its alternatives, the format, and whether it is one for times."""
        for part in self._parts:
            if isinstance(part, _Placeholder) and part.format:
                yield part.alternatives, part.format, _is_of_times(part.format)

    def fill(self, values: Mapping[str, Any]) -> str | None:
        """The text with its values; None if a placeholder has none. Raises ValueError if a format does not fit a value."""
        texts = []
        for part in self._parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            value = part.value(values)
            if value is None:
                return None
            texts.append(_formatted(value, part.format))
        return "".join(texts)

    def fill_all(self, values: Mapping[str, Any]) -> list[str]:
        """The same for a list of texts: a template that is one placeholder alone gives every item of a list."""
        only = self._parts[0] if len(self._parts) == 1 else None
        value = only.value(values) if isinstance(only, _Placeholder) else None
        if isinstance(value, (list, tuple)):
            return [_written(item) for item in value if item not in (None, "")]
        text = self.fill(values)
        return [text] if text else []

    def missing(self, values: Mapping[str, Any]) -> str:
        """The first placeholder without a value, as it is written; an empty text if there is none."""
        for part in self._parts:
            if isinstance(part, _Placeholder) and part.value(values) is None:
                return _ALTERNATIVES.join(part.alternatives)
        return ""


def look_up(values: Mapping[str, Any], name: str) -> Any:
    """The value at a dotted name; a key that has a dot itself is found too. None if there is none."""
    if name in values:
        return values[name]
    head, dot, rest = name.partition(".")
    while dot:
        below = values.get(head)
        if isinstance(below, list) and rest.isdecimal() and rest.isascii() and int(rest) < len(below):
            return below[int(rest)]
        if isinstance(below, dict):
            found = look_up(below, rest)
            if found is not None:
                return found
        more, dot, rest = rest.partition(".")
        head = f"{head}.{more}"
    return None


def _placeholder(field: str, form: str, conversion: str | None) -> _Placeholder:
    shown = f"{{{field}{':' + form if form else ''}}}"
    alternatives = tuple(part.strip() for part in field.split(_ALTERNATIVES))
    if conversion or not all(alternatives) or any(_broken(name) for name in alternatives):
        raise ValueError(f"has the placeholder {shown}, which is none; it should look like {{name}} or {{name|'text'}}")
    if "{" in form or (form and not _usable(form)):
        raise ValueError(f"has the placeholder {shown}, whose format {form!r} is none, such as %Y-%m-%d or .2f")
    return _Placeholder(alternatives, form)


def _broken(name: str) -> bool:
    return name[0] in _QUOTES and (len(name) < 2 or name[-1] != name[0])  # noqa: PLR2004 both quotes


def _usable(form: str) -> bool:
    digits = [number for number in "".join(c if c.isdecimal() else " " for c in form).split() if int(number) > _WIDEST]
    if digits:
        return False
    try:
        if _is_of_times(form):
            written = _EXAMPLE.strftime(form.replace("%%", ""))
            return bool(written) and "%" not in written  # what it does not know it leaves as it stands
        return all(character in _FORMATS for character in form) and bool(format(1.5, form) or True)
    except ValueError:
        try:
            return bool(format(1, form))
        except ValueError:
            return False


def _is_of_times(form: str) -> bool:
    return "%" in form and form != "%" and not form.rstrip("%").replace(".", "").isdecimal()


def _formatted(value: Any, form: str) -> str:
    if not form:
        return _written(value)
    if isinstance(value, dict) and "value" in value:
        value = value["value"]
    if isinstance(value, str):
        if _DATE_ONLY.fullmatch(value) and any(code in form for code in _TIME_OF_DAY):
            raise ValueError(f"{value!r} knows no time of day for {form!r}")
        try:
            return datetime.fromisoformat(value).strftime(form)
        except ValueError:
            raise ValueError(f"{value!r} is no time that could be written as {form!r}") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{value!r} is no number that could be written as {form!r}")  # noqa: TRY004 one kind of error
    try:
        return format(value, form)
    except (ValueError, OverflowError):
        raise ValueError(f"{value!r} is no number that could be written as {form!r}") from None


def _written(value: Any) -> str:
    """A value as a person would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict) and "value" in value:
        return f"{_written(value['value'])} {value.get('unit', '')}".strip()
    if isinstance(value, (list, tuple)):
        return ", ".join(_written(item) for item in value)
    return f"{value:.15g}" if isinstance(value, float) else str(value)
