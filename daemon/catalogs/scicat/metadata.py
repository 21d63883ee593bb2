"""Scientific metadata as SciCat can keep it: no nulls, no NaN, keys and units that it knows, no accidental quantities. Pure.

Facts (backend 4.27 and 5.2, src/common/utils.ts): an object that has a key with `u` and one with `v` at its beginning is
taken for a quantity and gets `valueSI` and `unitSI`; a null at the top crashes some versions; a key with a dot or a
leading `$` comes back encoded, and one with a `%` is decoded first, which fails for `Yield (%)`; `__proto__` and
`constructor` vanish; mathjs knows `um`, not `µm`.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

EXACT: Final = 2**53
"""JavaScript's numbers are exact up to here; a larger integer is sent as text."""

_DEEPEST: Final = 60
_MOST_NOTES: Final = 50
_FORBIDDEN_KEYS: Final = frozenset({"__proto__", "constructor", "prototype"})
_LETTERS: Final = str.maketrans(
    {"µ": "u", "μ": "u", "Ω": "ohm", "\u2126": "ohm", "\u212b": "Å", "·": "*", "⋅": "*", "\u00d7": "*"}
)
_RAISED: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_WHOLE: Final = {
    "°C": "degC",
    "℃": "degC",
    "°F": "degF",
    "℉": "degF",
    "°": "deg",
    "Torr": "torr",
    "mTorr": "mtorr",
    "Ohm": "ohm",
    "kOhm": "kohm",
    "MOhm": "Mohm",
    "M": "mol/L",
    "mM": "mmol/L",
    "uM": "umol/L",
    "nM": "nmol/L",
}
_SUPERSCRIPT: Final = re.compile(r"(?<=[A-Za-zÅ)])[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_EXPONENT: Final = re.compile(
    r"(?<![A-Za-z])(Å|[kcmunp]?m|[munp]?s|K|T|k?V|[mun]?A|[mk]?g|m?L|J|[kM]?eV|Pa)(-?[1-9])(?![\w^])"
)


@dataclass
class _Notes:
    """What was changed, for people; the first of them."""

    lines: list[str] = field(default_factory=list)

    def add(self, path: tuple[str, ...], what: str) -> None:
        if len(self.lines) < _MOST_NOTES:
            self.lines.append(f"{'/'.join(path)}: {what}")


def cleaned(metadata: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The metadata as SciCat can keep it, and a line for each thing that could not stay as it was."""
    notes = _Notes()
    return _object(metadata, (), notes, quantities=False), notes.lines


def spelled(unit: str) -> str:
    """A unit as mathjs knows it; one that has no other spelling there stays as it is."""
    text = unicodedata.normalize("NFC", unit.strip())
    text = _SUPERSCRIPT.sub(lambda match: "^" + match[0].translate(_RAISED), text).replace("**", "^")
    text = text.translate(_LETTERS)
    return _WHOLE.get(text) or _EXPONENT.sub(r"\1^\2", text).replace("°C", "degC")


def _value(value: Any, path: tuple[str, ...], notes: _Notes) -> Any:
    """One value; None if there is nothing to keep."""
    if len(path) > _DEEPEST and isinstance(value, (dict, list)):
        notes.add(path, "nested too deeply, kept as text")
        return json.dumps(value, default=str)
    match value:
        case dict():
            return _object(value, path, notes, quantities=True)
        case list() | tuple():
            return [_value(item, (*path, str(index)), notes) for index, item in enumerate(value)]
        case bool() | None:
            return value
        case int() | float():
            return _number(value, path, notes)
        case _:
            return str(value).encode("utf-8", "replace").decode()


def _number(value: float, path: tuple[str, ...], notes: _Notes) -> float | str | None:
    if isinstance(value, int):
        if abs(value) <= EXACT:
            return value
        notes.add(path, "an integer that JavaScript would round, kept as text")
        return str(value)
    if math.isfinite(value):
        return value
    notes.add(path, f"{value} is no number in JSON")
    return None


def _object(tree: Mapping[str, Any], path: tuple[str, ...], notes: _Notes, *, quantities: bool) -> dict[str, Any]:
    """An object without nulls; a quantity that has no value left is left out by its parent."""
    kept: dict[str, Any] = {}
    for name, value in tree.items():
        key = _free(_key(str(name)), kept)
        below = (*path, key)
        if key != str(name):
            notes.add(below, f"was called {str(name)!r}")
        item = _value(value, below, notes)
        if item is None or (_is_quantity(value) and "value" not in item):
            continue
        kept[key] = _plain_if_bare(item)
    return _unmistakable(kept, path, notes) if quantities else kept


def _unmistakable(tree: dict[str, Any], path: tuple[str, ...], notes: _Notes) -> dict[str, Any]:
    """Spell a quantity's unit; give every other pair of u… and v… keys a capital letter, so that it is taken for none."""
    own = {"value", "unit"} if _is_quantity(tree) else set()
    if own and isinstance(tree["unit"], str):
        tree = {**tree, "unit": spelled(tree["unit"])}
    u_keys = [key for key in tree if key.startswith("u") and not key.endswith("SI") and key not in own]
    v_keys = [key for key in tree if key.startswith("v") and not key.endswith("SI") and key not in own]
    wrong = [*u_keys, *v_keys] if own else u_keys if v_keys else []
    result: dict[str, Any] = {}
    for key, value in tree.items():
        new = (
            _free(key.capitalize() if key.isupper() else key[0].upper() + key[1:], {**tree, **result})
            if key in wrong
            else key
        )
        if new != key:
            notes.add((*path, new), f"was called {key!r}, which SciCat would take for a part of a quantity")
        result[new] = value
    return result


def _is_quantity(value: Any) -> bool:
    return isinstance(value, dict) and "value" in value and "unit" in value


def _plain_if_bare(item: Any) -> Any:
    """A quantity without a unit is its value."""
    if isinstance(item, dict) and set(item) == {"value", "unit"} and item["unit"] == "":
        return item["value"]
    return item


def _key(name: str) -> str:
    text = name.encode("utf-8", "replace").decode().replace("\0", "").replace(".", "_").replace("%", "percent")
    if text.startswith("$"):
        text = "_" + text[1:]
    return f"{text}_" if text in _FORBIDDEN_KEYS else text or "_"


def _free(key: str, taken: Mapping[str, Any]) -> str:
    number, free = 2, key
    while free in taken:
        free = f"{key}_{number}"
        number += 1
    return free
