"""Every file of `tests/data` read as a knowledgeable person would read it: the facts stand in the tables that `tests/data/expected.yaml` lists.

The facts are made by looking at the files, never by copying what the program prints. One table for each kind of
formats; a key is a path below `tests/data`, its value what a person can read there, all of it optional:

    corpus/dat/lmfit/Thurber.dat:
      ingestor: dat                           # who reads it
      companions: [a.png]                     # paths beside it that belong to it
      attributes: {dataset_name: Thurber, timestamp: null}        # equal; null: not in the file, so not said
      samples: [name, ...]                    # all of them, in order
      keywords: [word, ...]                   # these among others
      metadata:                               # a part of the scientific metadata: these keys among others
        Degrees of Freedom: 30
        Temperature: {value: 5, unit: K}
      tables:                                 # the first ones, in order; `table_count` how many there are
        - rows: 37
          title: text
          column_count: 2
          columns: [[y, null, 80.574, 1468.705], [x, null, -3.067, 2.2]]    # name, unit, least, greatest value;
      table_count: 1                          #   columns are found by their names; the last two may be left out
      thumbnails: 1                           # at least so many
      warnings: [words]                       # each stands in one of the warnings
      warning_count: 1                        # how many there are

Numbers agree to six digits. In lists every element counts; in mappings only the keys that are named, and a mapping with
numbers for keys names elements of a list (`scans: {0: {command: ascan}}`).
"""

from __future__ import annotations

import json
import math
import time
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from ruamel.yaml import YAML

from ingestors.api import Candidate, Extraction, jsonable
from ingestors.registry import Registry

DATA = Path(__file__).parents[1] / "data"
_LONGEST = 1.0
_TEXTS = {".xy", ".chi", ".dat", ".DAT", ".txt", ".csv", ".dta", ".asc", ".vms", ".ng5"}
_BINARY_DAT = {"corpus/dat/pydrs4/drs4_test.dat"}
KEYS = {
    "ingestor",
    "companions",
    "attributes",
    "samples",
    "keywords",
    "metadata",
    "tables",
    "table_count",
    "thumbnails",
    "warnings",
    "warning_count",
}


def _load() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for table in YAML(typ="safe", pure=True).load(DATA / "expected.yaml")["tables"]:
        path = DATA / table
        for name, facts in (YAML(typ="safe", pure=True).load(path) or {}).items():
            assert name not in found, f"{path.name}: {name} stands in two files"
            assert set(facts) <= KEYS, f"{path.name}: {name}: {sorted(set(facts) - KEYS)} are no facts"
            assert (DATA / name).is_file(), f"{path.name}: there is no tests/data/{name}"
            found[name] = facts
    return found


EXPECTED = _load()


@cache
def _registry() -> Registry:
    return Registry.load()


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_file_is_read_as_a_person_reads_it(name: str) -> None:
    """What a person can read in the file comes out: name, time, measurement, samples, metadata, columns and ranges."""
    facts = EXPECTED[name]
    path = DATA / name
    candidate = Candidate(path, tuple(path.parent / one for one in facts.get("companions", ())))
    claim = _registry().rank(candidate).claims[0]
    plugin = _registry().get(claim.ingestor)
    assert plugin is not None
    begin = time.process_time()
    found = plugin.ingestor.extract(candidate)
    seconds = time.process_time() - begin
    json.dumps(jsonable(found.scientific_metadata), allow_nan=False)
    wrong = _told(facts, claim.ingestor, found)
    assert not wrong, "\n" + "\n".join(wrong)
    assert seconds < _LONGEST, f"{seconds:.1f} s of the processor"


def test_no_text_file_of_the_corpus_is_forgotten() -> None:
    """Every file that a person can open in an editor has its facts."""
    texts = [path for path in (DATA / "corpus").rglob("*.*") if path.suffix in _TEXTS and path.name != "SOURCES.md"]
    assert {str(path.relative_to(DATA)) for path in texts} - set(EXPECTED) <= _BINARY_DAT


def test_no_table_is_forgotten() -> None:
    """Every table in the folder is one of those that `expected.yaml` lists."""
    listed = YAML(typ="safe", pure=True).load(DATA / "expected.yaml")["tables"]
    assert sorted(listed) == sorted(str(path.relative_to(DATA)) for path in (DATA / "expected").glob("*.yaml"))


def _stored() -> list[tuple[str, str]]:
    tables = [(name, facts.get("metadata", {}).get("datasets", {})) for name, facts in EXPECTED.items()]
    return [(name, path) for name, datasets in tables for path in datasets]


@pytest.mark.parametrize(("name", "path"), _stored())
def test_the_table_agrees_with_the_bytes(name: str, path: str) -> None:
    """Shapes, types and ranges of the table are those that plain h5py finds in the file, without any reader of ours."""
    facts = EXPECTED[name]["metadata"]["datasets"][path]
    with h5py.File(DATA / name, "r", locking=False) as file:
        data = file[path]
        assert list(data.shape) == facts.get("shape", list(data.shape))
        if {"min", "max"} & facts.keys():
            values = np.asarray(data[()], dtype=np.float64)
            values = values[np.isfinite(values)]
            ends = {"min": values.min(), "max": values.max()}
            told = {key: facts[key] for key in ends.keys() & facts.keys()}
            assert {key: ends[key] for key in told} == pytest.approx(told, rel=1e-6)


def _told(facts: dict[str, Any], ingestor: str, found: Extraction) -> list[str]:
    metadata = jsonable(found.scientific_metadata)
    wrong = _differences("ingestor", facts.get("ingestor", ingestor), ingestor)
    for key, value in facts.get("attributes", {}).items():
        wrong += _differences(key, value, found.attributes.get(key))
    if "samples" in facts:
        wrong += _differences("samples", facts["samples"], [sample.name for sample in found.samples])
    wrong += [f"keyword {word!r} is missing" for word in facts.get("keywords", ()) if word not in found.keywords]
    wrong += _differences("metadata", facts.get("metadata", {}), metadata)
    tables = [metadata["table"]] if "table" in metadata else metadata.get("tables", [])
    wrong += _differences("tables", facts.get("table_count", len(tables)), len(tables))
    for index, table in enumerate(facts.get("tables", ())):
        wrong += _table(f"table {index + 1}", table, tables[index] if index < len(tables) else {})
    if len(found.thumbnails) < facts.get("thumbnails", 0):
        wrong.append(f"{len(found.thumbnails)} thumbnails")
    said = list(found.warnings)
    wrong += [
        f"no warning says {words!r}: {said}" for words in facts.get("warnings", ()) if words not in " ".join(said)
    ]
    return wrong + _differences("warnings", facts.get("warning_count", len(said)), len(said))


def _table(where: str, facts: dict[str, Any], found: dict[str, Any]) -> list[str]:
    wrong = [
        line for key in ("rows", "title") if key in facts for line in _differences(key, facts[key], found.get(key))
    ]
    columns = found.get("columns", [])
    count = len(columns) + found.get("omitted_columns", 0)
    wrong += _differences("columns", facts.get("column_count", count), count)
    names = [column["name"] for column in columns]
    for name, *rest in facts.get("columns", ()):
        if name not in names:
            wrong.append(f"no column {name!r} among {names}")
            continue
        column = columns[names.index(name)]
        for key, value in zip(("unit", "min", "max"), rest, strict=False):
            wrong += _differences(f"{name}, {key}", value, column[key])
    return [f"{where}: {line}" for line in wrong]


def _differences(where: str, expected: Any, found: Any) -> list[str]:
    """Where the two disagree: mappings in the keys that are expected, numbers to six digits, all else in anything."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            line
            for key, value in expected.items()
            for line in _differences(f"{where} / {key}", value, found.get(str(key)))
        ]
    if isinstance(expected, dict) and isinstance(found, list):
        found = dict(enumerate(found))
        return [line for key in expected for line in _differences(f"{where}[{key}]", expected[key], found.get(key))]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return [line for index, (one, two) in pairs for line in _differences(f"{where}[{index}]", one, two)]
    numbers = [isinstance(one, (int, float)) and not isinstance(one, bool) for one in (expected, found)]
    equal = (
        math.isclose(expected, found, rel_tol=1e-6)
        if all(numbers)
        else (expected == found and numbers[0] == numbers[1])
    )
    return [] if equal else [f"{where}: {found!r} instead of {expected!r}"]
