"""`labferry inspect`: what the ingestors make of a file. Touches no store and no network."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from daemon.errors import LabferryError, NotFoundError
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from daemon.extract.outcome import ChildOutcome
    from daemon.extract.sandbox import Outcome

_MAX_BESIDE: Final = 10_000
_MAX_LINES: Final = 150
_MAX_ITEMS: Final = 6
_MAX_WIDTH: Final = 100


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each file, on a line of its own.")
@click.option("--thumbnail", type=click.Path(path_type=Path), metavar="OUT.png", help="Write the first picture there.")
def command(files: tuple[Path, ...], *, as_json: bool, thumbnail: Path | None) -> None:
    """Show what the ingestors make of a file: which one reads it and why, metadata with units, pictures, companions.

    Example: labferry inspect scan.h5 --thumbnail scan.png
    """
    from daemon.extract.sandbox import Sandbox
    from daemon.settings import Extract

    if thumbnail is not None and len(files) > 1:
        raise click.UsageError("--thumbnail takes one FILE.")
    limits = Extract()
    sandbox = Sandbox(timeout=limits.timeout, memory=limits.memory)
    failed = False
    try:
        for path in files:
            try:
                companions = beside(path)
                outcome = sandbox.extract(path.absolute(), [path.absolute().parent / name for name in companions])
                report = described(path, companions, outcome)
                click.echo(json.dumps(report, ensure_ascii=False) if as_json else "\n".join(readable(report)))
                if thumbnail is not None:
                    write_thumbnail(outcome, path, thumbnail)
            except LabferryError as error:
                click.echo(f"labferry: {error}", err=True)
                failed = True
    finally:
        sandbox.close()
    if failed:
        sys.exit(1)


def beside(path: Path) -> list[str]:
    """The companions of a file by the default rules, relative to its folder. Raises NotFoundError for an unreadable file."""
    from daemon.grouping.datasets import CompanionRules, stem
    from daemon.settings import Datasets

    try:
        if path.is_dir():
            raise NotFoundError(f"{_shown(path)} is a folder.", "Name the files in it.")
        if path.exists() and not path.is_file():  # opening a pipe would wait for its writer
            raise NotFoundError(f"{_shown(path)} is no regular file.", "Name a file.")
        with path.open("rb"):
            pass
        start = stem(path.name)
        known = list(_below(path.absolute().parent, start))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NotFoundError(
            f"{_shown(path)} cannot be read: {reason}.", "Check the path and its permissions."
        ) from error
    return CompanionRules(Datasets()).companions_of(path.name, known)


def described(path: Path, companions: Sequence[str], outcome: Outcome) -> dict[str, Any]:
    """The report that other programs read: its shape is a contract."""
    failures = [f"The ingestor {one.ingestor} could not read it: {one.reason}" for one in outcome.failures]
    parts = _parts(outcome)
    return {
        "file": _shown(path),
        "ingestor": outcome.ingestor,
        "claims": [
            {"ingestor": one.ingestor, "specificity": one.specificity, "reason": one.reason} for one in outcome.claims
        ],
        **{name: parts[name] for name in ("attributes", "scientific_metadata", "keywords", "samples")},
        "companions": [display_name(name) for name in companions],
        "thumbnails": parts["thumbnails"],
        "warnings": [*failures, *outcome.warnings],
        **({"children": [_child(child) for child in outcome.children]} if outcome.children else {}),
    }


def _child(child: ChildOutcome) -> dict[str, Any]:
    return {"key": child.key, **_parts(child)}


def _parts(one: Outcome | ChildOutcome) -> dict[str, Any]:
    """What the report says of a dataset and of a child of it."""
    return {
        "attributes": one.attributes,
        # Where a catalog's record has them too: beside what labferry says of the reading.
        "scientific_metadata": {
            **one.scientific_metadata,
            **({"labferry": {"units": one.units}} if one.units else {}),
        },
        "keywords": list(one.keywords),
        "samples": list(one.samples),
        "thumbnails": [{"caption": pic.caption, "width": pic.width, "height": pic.height} for pic in one.thumbnails],
    }


def write_thumbnail(outcome: Outcome, path: Path, target: Path) -> None:
    """Write the first picture. Raises LabferryError with a sentence."""
    if not outcome.thumbnails:
        raise LabferryError(f"The ingestor {outcome.ingestor} made no picture of {_shown(path)}.")
    try:
        target.write_bytes(outcome.thumbnails[0].png)
    except OSError as error:
        raise LabferryError(
            f"{_shown(target)} cannot be written: {error.strerror}.", "Choose another place."
        ) from error


def readable(report: Mapping[str, Any]) -> Iterator[str]:
    """The same report for a person: aligned, units behind the numbers, long lists shortened."""
    yield click.style(report["file"], bold=True)
    yield f"read by {report['ingestor']}"
    yield from _section(
        "claims", (f"{one['ingestor']:14} {one['specificity']:3}  {one['reason']}" for one in report["claims"])
    )
    yield from _section("attributes", _aligned(report["attributes"]))
    lines = list(_tree(report["scientific_metadata"]))
    yield from _section("scientific metadata", lines[:_MAX_LINES])
    if len(lines) > _MAX_LINES:
        yield f"  … and {len(lines) - _MAX_LINES} more lines; --json shows all"
    yield from _section("keywords", [", ".join(report["keywords"])] if report["keywords"] else [])
    yield from _section(
        "samples", (" ".join(filter(None, (one["name"], one["unique_id"]))) for one in report["samples"])
    )
    yield from _section("companions", _shortened(report["companions"]))
    pictures = (f"{one['width']} x {one['height']}  {one['caption']}" for one in report["thumbnails"])
    yield from _section("pictures", pictures)
    children = report.get("children", ())
    names = [f"{child['key']}  {child['attributes'].get('dataset_name', '')}" for child in children]
    yield from _section("child datasets", _shortened(names))
    yield from _section("warnings", report["warnings"])


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    """A title with its lines below; nothing at all without lines. Control characters of files never reach a terminal."""
    shown = [_one_line(line) for line in lines]
    if shown:
        yield click.style(title, fg="cyan")
        yield from (f"  {line}" for line in shown)


def _aligned(mapping: Mapping[str, Any]) -> Iterator[str]:
    width = max(map(len, mapping), default=0)
    return (f"{name:{width}}  {_value(item)}" for name, item in mapping.items())


def _tree(value: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    """Nested metadata, indented; a table's columns and a quantity on one line each."""
    leaves = {key: item for key, item in value.items() if not _is_branch(item)}
    width = min(max(map(len, leaves), default=0), 40)
    for key, item in value.items():
        indent = "  " * depth
        if not _is_branch(item):
            yield f"{indent}{key:{width}}  {_value(item)}"
        elif isinstance(item, dict):
            yield f"{indent}{key}"
            yield from _tree(item, depth + 1)
        else:
            yield f"{indent}{key}"
            for row in item[: 4 * _MAX_ITEMS]:
                yield f"{indent}  - {_row(row)}"
            if len(item) > 4 * _MAX_ITEMS:
                yield f"{indent}  … {len(item)} in all"


def _is_branch(item: Any) -> bool:
    if isinstance(item, dict):
        return bool(item) and set(item) != {"value", "unit"}
    return isinstance(item, list) and any(isinstance(one, dict) for one in item)


def _row(row: Any) -> str:
    """One line of a list of objects; a table's column as `name [unit]  min … max`."""
    if not isinstance(row, dict) or set(row) == {"value", "unit"}:
        return _value(row)
    rest = {key: item for key, item in row.items() if item not in (None, "")}
    named = [_value(rest.pop("name"))] if "name" in rest else []
    if named and "unit" in rest:
        named.append(f"[{_value(rest.pop('unit'))}]")
    if {"min", "max"} <= set(rest):
        named.append(f" {_value(rest.pop('min'))} … {_value(rest.pop('max'))}")
    return "  ".join(filter(None, (" ".join(named), ", ".join(f"{key} {_value(item)}" for key, item in rest.items()))))


def _value(item: Any) -> str:
    if isinstance(item, dict):
        return f"{_value(item['value'])} {item['unit']}".rstrip() if set(item) == {"value", "unit"} else _row(item)
    if isinstance(item, list):
        shown = ", ".join(_value(one) for one in item[:_MAX_ITEMS])
        return f"{shown}, … ({len(item)} in all)" if len(item) > _MAX_ITEMS else shown or "(empty)"
    if isinstance(item, float):
        return f"{item:.10g}"
    return "" if item is None else str(item).lower() if isinstance(item, bool) else str(item)


def _shortened(items: Sequence[str]) -> list[str]:
    if len(items) <= _MAX_ITEMS + 1:
        return list(items)
    return [*items[: _MAX_ITEMS - 1], "…", f"{items[-1]}  ({len(items)} in all)"]


def _one_line(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip(" "))]
    plain = indent + " ".join("".join(char if char.isprintable() else " " for char in line).split(" ")).lstrip()
    plain = plain.rstrip()
    return plain if len(plain) <= _MAX_WIDTH + len(indent) else plain[: _MAX_WIDTH + len(indent) - 1] + "…"


def _below(folder: Path, start: str) -> Iterator[str]:
    """The files in the folder whose names begin like that, and those in such folders, relative to it; no links followed."""
    count = 0
    for entry in os.scandir(folder):
        if not entry.name.startswith(start):
            continue
        if entry.is_file():
            yield entry.name
        elif entry.is_dir(follow_symlinks=False):
            for parent, _, names in os.walk(entry.path):
                inside = Path(parent).relative_to(folder).as_posix()
                for name in sorted(names):
                    count += 1
                    if count > _MAX_BESIDE:
                        return
                    yield f"{inside}/{name}"


def _shown(path: Path) -> str:
    return display_name(str(path))
