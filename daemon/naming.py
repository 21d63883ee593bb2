"""Attributes that the configuration makes of other values: `dataset_name: "{measurement} {sample} {timestamp:%H:%M}"`. Pure.

A template sees what holds without any template. One that misses a value is left out as a whole, never half filled: then
the next-strongest value holds, and a warning says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.forms import METADATA, is_template
from daemon.model import Attribute, Source
from daemon.placeholders import Template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Layers = tuple[tuple[Source, "Mapping[str, Any]"], ...]
_OPTIONS = {Source.CONFIGURATION: "attributes", Source.DEFAULT: "defaults"}


@dataclass(frozen=True, slots=True)
class Named:
    """The layers with every template filled or left out; the templates that were filled; and those that miss a value."""

    layers: Layers
    filled: Mapping[tuple[Source, str], str]
    failed: Mapping[tuple[Source, str], str]

    def used(self, attributes: Mapping[str, Attribute]) -> dict[str, str]:
        """The templates whose values hold, by attribute."""
        return {
            name: text
            for (source, name), text in self.filled.items()
            if name in attributes and attributes[name].source is source
        }

    def warnings(self, attributes: Mapping[str, Attribute]) -> list[str]:
        """A sentence for each template that would hold if nothing were missing."""
        said = []
        for (source, name), why in self.failed.items():
            holds = attributes.get(name)
            if holds is not None and _strength(holds.source) < _strength(source):
                continue
            instead = "nothing is used instead" if holds is None else f"{holds.value!r} ({holds.source.value}) is used"
            said.append(f"{_OPTIONS[source]}.{name}: {why}; {instead}")
        return said


def without_templates(layers: Layers) -> Layers:
    """The layers without the configuration's templates."""
    return tuple(
        (source, {name: value for name, value in values.items() if not _made(source, name, value)})
        for source, values in layers
    )


def named(
    layers: Layers,
    attributes: Mapping[str, Attribute],
    *,
    samples: Sequence[str],
    file: str,
    metadata: Mapping[str, Any],
) -> Named:
    """Fill the templates in the layers. `attributes` is what holds without them; `file` the primary file's name."""
    values: dict[str, Any] = {name: attribute.value for name, attribute in attributes.items()}
    values.setdefault("sample", ", ".join(samples))
    values |= {"name": file, "stem": file.rpartition(".")[0] or file, METADATA: metadata}
    filled: dict[tuple[Source, str], str] = {}
    failed: dict[tuple[Source, str], str] = {}
    made: list[tuple[Source, dict[str, Any]]] = []
    for source, given in layers:
        layer = dict(given)
        for name, value in given.items():
            if not _made(source, name, value):
                continue
            text, why = _fill(str(value), values)
            if text:
                layer[name] = text
                filled[source, name] = str(value)
            else:
                del layer[name]
                failed[source, name] = why
        made.append((source, layer))
    return Named(tuple(made), filled, failed)


def _strength(source: Source) -> int:
    return list(Source).index(source)


def _made(source: Source, name: str, value: object) -> bool:
    return source in _OPTIONS and is_template(name, value)


def _fill(text: str, values: Mapping[str, Any]) -> tuple[str, str]:
    """The filled text, or why there is none."""
    template = Template.parse(text)  # the configuration was checked: this cannot fail
    try:
        found = template.fill(values)
    except ValueError as error:
        return "", f"the template {text!r} cannot be filled: {error}"
    if found is None:
        return "", f"the template {text!r} cannot be filled: nothing says {{{template.missing(values)}}}"
    return " ".join(found.split()), f"the template {text!r} gives an empty text"
