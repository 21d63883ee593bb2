from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from daemon.atproto_settings import ATPROTO_SECTIONS
from daemon.schema import schema
from daemon.scicat_settings import SCICAT_SECTIONS
from daemon.settings import CATALOGS, SECTIONS, Instrument
from daemon.yamlfile import load

if TYPE_CHECKING:
    from pydantic import BaseModel

HOUSE = Path(__file__).parents[3]
EXAMPLES = sorted((HOUSE / "config").glob("*.yaml"))
INSIDE = {**SCICAT_SECTIONS, **ATPROTO_SECTIONS}
MODELS: list[type[BaseModel]] = [Instrument, *SECTIONS.values(), *CATALOGS.values(), *INSIDE.values()]
SHOWN: dict[type[BaseModel], str] = {
    **dict.fromkeys([CATALOGS["scicat"], *SCICAT_SECTIONS.values()], "tem-scicat"),
    **dict.fromkeys([CATALOGS["atproto"], *ATPROTO_SECTIONS.values()], "open-data"),
}
PREFIXES = {
    "roots": "roots[].",
    "path_map": "path_map[].",
    "datasetlifecycle": "dataset.datasetlifecycle.",
    "techniques": "dataset.techniques.*.",
}


def plain(path: Path) -> Any:
    """An example's values without any checks."""
    return YAML(typ="safe", pure=True).load(path.read_text("utf-8"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_can_be_used(path: Path) -> None:
    """An example describes an instrument and satisfies the schema that editors use."""
    assert load(path, folders=False).instrument
    jsonschema.Draft202012Validator(schema()).validate(plain(path))
    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=labferry.schema.json\n")


def test_the_examples_cover_the_kinds_of_instrument() -> None:
    """ScopeFoundry, diffractometer, tables, a facility with SciCat and open data have an example each."""
    assert [path.stem for path in EXAMPLES] == ["generic-tables", "hip-microscope", "open-data", "tem-scicat", "xrd"]


def test_the_schema_is_up_to_date() -> None:
    """What `make schema` would write is what is committed."""
    assert json.loads((HOUSE / "config" / "labferry.schema.json").read_text("utf-8")) == schema()


def test_the_schema_refuses_what_the_settings_refuse() -> None:
    """An unknown option and a wrong type are underlined by editors too."""
    validator = jsonschema.Draft202012Validator(schema())
    good = {"instrument": "ab", "roots": [{"path": "/data"}]}
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, "sesion": {}})
    assert not validator.is_valid({**good, "catalogs": [{"type": "scicta"}]})


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_option_is_described(model: type[BaseModel]) -> None:
    """An option says what it means in one or two sentences, in the settings, the complete example and the README."""
    example = (HOUSE / "config" / f"{SHOWN.get(model, 'hip-microscope')}.yaml").read_text("utf-8")
    readme = (HOUSE / "README.md").read_text("utf-8")
    home = next((name for name, other in {**SECTIONS, **INSIDE}.items() if other is model), "")
    prefix = PREFIXES.get(home, f"{home}." if home else "")
    for name, field in model.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert re.search(rf"(?m)^[ #-]*{name}:", example), name
        assert f"| `{prefix}{name}` |" in readme, name
        assert field.description in readme, name


def test_the_complete_example_shows_the_true_defaults() -> None:
    """Where the example says what holds when nothing is said, it does."""
    instrument = load(HOUSE / "config" / "hip-microscope.yaml", folders=False)
    for section in ("scan", "extract"):
        assert getattr(instrument, section) == type(getattr(instrument, section))()
    assert instrument.settle.model_copy(update={"patterns": {}}) == type(instrument.settle)()
    assert instrument.session.model_copy(update={"path": None}) == type(instrument.session)()
