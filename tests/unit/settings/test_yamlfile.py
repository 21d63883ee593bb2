from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.errors import ConfigurationError
from daemon.settings import CrucibleCatalog, Instrument, LocalCatalog, catalogs_of
from daemon.yamlfile import MAX_BYTES, load

GOOD = """\
instrument: hip-microscope
roots:
  - path: data
settle:
  quiet: 500ms
  patterns: {"*.dat": 30s, "*.log": 1.5}
session:
  path: "(?P<project_id>MFP\\\\d+)/(?P<session_name>[^/]+)/"
  gap: 45min
extract: {memory: 512MiB}
attributes: {project_id: MFP01234, public: false}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a root called `data`."""
    (tmp_path / "data").mkdir()
    return tmp_path


def write(folder: Path, text: str | bytes, mode: int = 0o644) -> Path:
    """Write the configuration."""
    path = folder / "instrument.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def problems(folder: Path, text: str | bytes, mode: int = 0o644) -> list[str]:
    """What is wrong with the configuration, with the folder spelled DIR."""
    path = write(folder, text, mode)
    with pytest.raises(ConfigurationError) as caught:
        load(path, environment={"HOME": str(folder)})
    assert caught.value.exit_code == 78
    return [problem.replace(str(folder), "DIR") for problem in caught.value.problems]


def test_a_good_file_becomes_values_in_seconds_and_bytes(folder: Path) -> None:
    """Durations are seconds, sizes are bytes, the pattern keeps its backslash."""
    instrument = load(write(folder, GOOD))
    assert instrument.settle.quiet == 0.5
    assert instrument.settle.patterns == {"*.dat": 30.0, "*.log": 1.5}
    assert instrument.session.gap == 2700.0
    assert instrument.extract.memory == 512 * 2**20
    assert re.compile(instrument.session.path or "").search("MFP01234/monday/a.h5")


def test_paths_are_absolute_and_relative_to_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths start at the YAML file whatever the working directory, and `~` at the home folder."""
    monkeypatch.setenv("HOME", "/somewhere")
    text = GOOD + "state: ~/state\ncatalogs:\n  - {type: local, path: ../catalog}\n"
    path = write(folder, text)
    monkeypatch.chdir(folder.parent)
    instrument = load(Path(folder.name, path.name))
    assert instrument.roots[0].path == folder / "data"
    assert instrument.state == Path("/somewhere/state")
    assert catalogs_of(instrument)[0] == LocalCatalog(path=folder.parent / "catalog")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/labferry/x:/var/lib/y", "HOME": "/h"}, "/var/lib/labferry/x"),
        ({"HOME": "/h"}, "/h/.local/state/labferry/hip-microscope"),
        ({"HOME": "/h", "XDG_STATE_HOME": "/s"}, "/s/labferry/hip-microscope"),
        ({}, "/var/lib/labferry/hip-microscope"),
    ],
)
def test_the_state_folder_has_a_default(folder: Path, environment: dict[str, str], expected: str) -> None:
    """Systemd's folder comes first, then the user's state folder."""
    assert load(write(folder, GOOD), environment=environment).state == Path(expected)


def test_the_environment_wins_for_the_state_folder_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LABFERRY_STATE replaces `state:`, while other LABFERRY_ variables change nothing."""
    monkeypatch.setenv("LABFERRY_STATE", str(folder / "elsewhere"))
    monkeypatch.setenv("LABFERRY_INSTRUMENT", "another")
    monkeypatch.setenv("LABFERRY_ROOTS", "rubbish")
    instrument = load(write(folder, GOOD + "state: here\n"))
    assert instrument.state == folder / "elsewhere"
    assert instrument.instrument == "hip-microscope"


def test_without_catalogs_the_embedded_one_lies_in_the_state_folder(folder: Path) -> None:
    """An empty `catalogs:` means the embedded catalog."""
    instrument = load(write(folder, GOOD + f"state: {folder}/state\ncatalogs:\n"), folders=False)
    assert catalogs_of(instrument) == (LocalCatalog(path=folder / "state" / "catalog"),)


def test_anchors_and_merge_keys_work(folder: Path) -> None:
    """What YAML offers against repetition is understood."""
    (folder / "more").mkdir()
    text = "instrument: xy\nroots:\n  - &one {path: data, include: ['*.xy']}\n  - {<<: *one, path: more}\n"
    instrument = load(write(folder, text))
    assert [root.include for root in instrument.roots] == [("*.xy",), ("*.xy",)]
    assert instrument.roots[1].path == folder / "more"


def test_a_key_may_stand_in_a_file_that_nobody_else_reads(folder: Path) -> None:
    """The same text is refused when others may read it, and the key is never shown."""
    text = GOOD + "catalogs:\n  - {type: crucible, api_key: s3cr3t}\n"
    instrument = load(write(folder, text, 0o600))
    catalog = instrument.catalogs[0]
    assert isinstance(catalog, CrucibleCatalog)
    assert catalog.api_key is not None
    assert catalog.api_key.get_secret_value() == "s3cr3t"
    assert "s3cr3t" not in repr(instrument)
    (line,) = problems(folder, text, 0o640)
    assert line.startswith("DIR/instrument.yaml:13:22: catalogs[0].api_key: others may read this file")
    assert "s3cr3t" not in line


BROKEN = {
    "unknown key": ("instrument: ab\nroots: [{path: data}]\nsesion: {}\n", "3:1: sesion: is no option here; did you mean 'session'?"),
    "key of another section": ("instrument: ab\nroots: [{path: data}]\nquiet: 2s\n", "3:1: quiet: is no option here; it belongs to `settle:`"),
    "nested unknown key": ("instrument: ab\nroots:\n  - path: data\n    exlude: []\n", "4:5: roots[0].exlude: is no option here; did you mean 'exclude'?"),
    "duplicate key": ("instrument: ab\ninstrument: cd\nroots: [{path: data}]\n", "2:1: instrument: stands here again, first in line 1; keep one of them"),
    "wrong type": ("instrument: ab\nroots:\n  - path: data\n    include: '*.h5'\n", '4:5: roots[0].include: should be a list, such as ["one", "two"]'),
    "number for text": ("instrument: 42\nroots: [{path: data}]\n", "1:1: instrument: should be text; what looks like a number or true/false needs quotes"),
    "missing option": ("instrument: ab\n", "1:1: the option `roots` is missing: The folders that the instrument writes to"),
    "missing nested option": ("instrument: ab\nroots:\n  - include: []\n", "3:5: roots[0]: the option `path` is missing: The folder. Relative to the YAML file; `~` is the service's home"),
    "empty list": ("instrument: ab\nroots: []\n", "2:1: roots: should not be empty"),
    "duration": ("instrument: ab\nroots: [{path: data}]\nsettle: {quiet: 2 seconds}\n", "3:10: settle.quiet: should be a duration such as 500ms, 2s, 45min, 1h or 7d"),
    "endless duration": ("instrument: ab\nroots: [{path: data}]\nsettle: {quiet: .inf}\n", "3:10: settle.quiet: should be a duration such as 500ms, 2s, 45min, 1h or 7d, from 0 to 10 years"),
    "size": ("instrument: ab\nroots: [{path: data}]\nextract:\n  memory: lots\n", "4:3: extract.memory: should be a size such as 512MiB or 2GB"),
    "expression": ("instrument: ab\nroots: [{path: data}]\nsession:\n  path: '(?P<session_name>'\n", "4:3: session.path: is not a regular expression: missing ), unterminated subpattern at position 0"),
    "expression without groups": ("instrument: ab\nroots: [{path: data}]\nsession: {path: abc}\n", "3:11: session.path: has no named group such as (?P<session_name>[^/]+), so it would say nothing"),
    "unknown group": ("instrument: ab\nroots: [{path: data}]\nsession: {path: '(?P<sesion_name>a)'}\n", "3:11: session.path: has the group 'sesion_name', which is no attribute; did you mean 'session_name'?"),
    "glob": ("instrument: ab\nroots:\n  - path: data\n    exclude: ['a', '../b']\n", "4:20: roots[0].exclude[1]: the pattern '../b' leads out of the root; write it relative to the root, without '..'"),
    "companion": ("instrument: ab\nroots: [{path: data}]\ndatasets: {companions: ['*.png']}\n", "3:25: datasets.companions[0]: needs {stem} or {name} (one of them), so that it says whose companion a file is"),
    "sequence": ("instrument: ab\nroots: [{path: data}]\ndatasets: {sequences: ['*.tif']}\n", "3:24: datasets.sequences[0]: needs exactly one numbered field, such as [0-9]* or [0-9][0-9][0-9]"),
    "instrument name": ("instrument: a b\nroots: [{path: data}]\n", "1:1: instrument: should be a name of 2 to 64 letters, digits, `-` and `_` that begins with a letter or digit"),
    "same root": ("instrument: ab\nroots:\n  - path: data\n  - path: ./data\n", "4:5: roots[1].path: DIR/data is the same folder as DIR/data (line 3); watch it once"),
    "missing root": ("instrument: ab\nroots:\n  - path: nowhere\n", "3:5: roots[0].path: there is no folder DIR/nowhere; is the disk or share mounted, is the name right?"),
    "root is a file": ("instrument: ab\nroots:\n  - path: instrument.yaml\n", "3:5: roots[0].path: DIR/instrument.yaml is a file; a root is a folder"),
    "state in a root": ("instrument: ab\nroots: [{path: data}]\nstate: data/state\n", "3:1: state: the state folder DIR/data/state lies inside the root DIR/data; labferry never writes there: choose another"),
    "catalog in a root": ("instrument: ab\nroots: [{path: data}]\ncatalogs:\n  - {type: local, path: data}\n", "4:19: catalogs[0].path: the catalog's folder DIR/data lies inside the root DIR/data; labferry never writes there: choose another"),
    "catalog type": ("instrument: ab\nroots: [{path: data}]\ncatalogs:\n  - type: scicta\n", "4:5: catalogs[0].type: 'scicta' is no type of catalog; did you mean 'scicat'?"),
    "catalog without type": ("instrument: ab\nroots: [{path: data}]\ncatalogs:\n  - name: x\n", "4:5: catalogs[0]: the option `type` is missing; known types are atproto, crucible, local, scicat"),
    "catalog's option": ("instrument: ab\nroots: [{path: data}]\ncatalogs:\n  - type: crucible\n    port: 80\n", "5:5: catalogs[0].port: is no option here; known are api_key, bandwidth, ingestion, known_files, large, metadata, name, quiet_hours, rewritten, type, url, verify_tls, workers"),
    "catalog's address": ("instrument: ab\nroots: [{path: data}]\ncatalogs:\n  - type: crucible\n    url: crucible.lbl.gov\n", "5:5: catalogs[0].url: should be a web address such as https://catalog.example.org"),
    "catalogs of one name": ("instrument: ab\nroots: [{path: data}]\ncatalogs:\n  - {type: crucible}\n  - {type: crucible}\n", "5:5: catalogs[1]: the catalog in line 4 is called 'crucible' too; give one of them another `name:`"),
    "catalogs in one folder": ("instrument: ab\nroots: [{path: data}]\ncatalogs:\n  - {type: local, path: c}\n  - {type: local, name: b, path: ./c}\n", "5:28: catalogs[1].path: DIR/c is used in line 4 already; each needs its own folder"),
    "number too large": ("instrument: ab\nroots: [{path: data}]\ncatalogs:\n  - {type: local, port: 99999}\n", "4:19: catalogs[0].port: should be at most 65535"),
    "attribute name": ("instrument: ab\nroots: [{path: data}]\nattributes: {projet_id: x}\n", "3:14: attributes.projet_id: is no attribute that can be given here; did you mean 'project_id'?"),
    "attribute type": ("instrument: ab\nroots: [{path: data}]\ndefaults:\n  public: no\n", "4:3: defaults.public: should be true or false"),
    "attribute that is a number": ("instrument: ab\nroots: [{path: data}]\ndefaults: {project_id: 007}\n", '3:12: defaults.project_id: should be text; what looks like a number needs quotes: project_id: "0042"'),
    "choice": ("instrument: ab\nroots: [{path: data, events: sometimes}]\n", "2:22: roots[0].events: should be one of 'auto', 'never'"),
    "tab": ("instrument: ab\nroots:\n\t- path: data\n", "3:1: a tab stands where spaces belong; YAML is indented with spaces only"),
    "colon": ("instrument: ab: c\n", "1:15: a `:` in the wrong place; look at the indentation, or put a text that contains `: ` in quotes"),
    "open list": ("instrument: ab\nroots: [\n", "3:1: the file ends in the middle of a list `[...]` or mapping `{...}`; close it"),
    "open quotation": ("instrument: 'ab\n", "2:1: a quotation mark is opened here and not closed"),
    "second document": ("instrument: ab\n---\ninstrument: cd\n", "2:1: a second document begins here; one file describes one instrument"),
    "tag": ("instrument: !include ab\nroots: [{path: data}]\n", "1:13: instrument: tags such as !include are not used here; write the value itself"),
    "unknown alias": ("instrument: *ab\n", "1:13: an alias `*name` without its anchor `&name`; a text that begins with `*` needs quotes"),
    "alias in itself": ("instrument: &a [*a]\n", "1:13: is nested too deeply, or an alias contains itself"),
    "control character": ("instrument: ab\nroots: \x07\n", "2:8: a control character stands here that YAML does not allow; delete it"),
    "directive": ("%YAML 1.1\n---\ninstrument: ab\n", "1:1: a line that begins with % is not used here; delete it"),
    "empty": ("# nothing\n", "1:1: the file is empty; it needs at least `instrument:` and `roots:`"),
    "a list": ("- instrument: ab\n", "1:1: should be a mapping of `key: value` lines, beginning with `instrument: NAME`"),
    "order to pydantic-settings": ("instrument: ab\nroots: [{path: data}]\n_env_file: /etc/passwd\n", "3:1: _env_file: is no option here; known are attributes, catalogs, datasets, defaults, extract, ingestor, instrument, roots, scan, session, settle, state, store"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_each_kind_of_mistake_has_its_line_and_its_sentence(folder: Path, kind: str) -> None:
    """A mistake is told once, as file:line:column, the option, what is wrong and what to do."""
    text, expected = BROKEN[kind]
    assert problems(folder, text) == [f"DIR/instrument.yaml:{expected}"]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(folder: Path) -> None:
    """Schema, folders, names and duplicates are looked at in one go."""
    text = "instrument: a b\nroots:\n  - path: nowhere\n    inclde: []\n  - {}\nsettle: {quiet: x, quiet: 1}\ncatalogs: [{type: x}]\n"
    lines = [int(problem.split(":")[1]) for problem in problems(folder, text)]
    assert lines == [1, 3, 4, 5, 6, 6, 7]


def test_roots_that_overlap_through_a_link_are_found(folder: Path) -> None:
    """Overlaps are looked for after following symbolic links."""
    (folder / "link").symlink_to(folder / "data")
    (folder / "data" / "below").mkdir()
    text = "instrument: ab\nroots:\n  - path: link/below\n  - path: data\n"
    assert problems(folder, text) == [
        "DIR/instrument.yaml:4:5: roots[1].path: DIR/data contains DIR/link/below (line 3); watch it once"
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_root_names_the_user(folder: Path) -> None:
    """The sentence says who may not read which folder."""
    (folder / "data").chmod(0)
    (line,) = problems(folder, "instrument: ab\nroots: [{path: data}]\n")
    assert re.search(r"the user \S+ may not read DIR/data", line)


def test_bad_encoding_is_told_with_its_place(folder: Path) -> None:
    """Latin-1 in a file is found at its line and column."""
    assert problems(folder, b"instrument: ab\nroots: [{path: d\xe4ta}]\n") == [
        "DIR/instrument.yaml:2:17: is not UTF-8 text; save the file with the encoding UTF-8"
    ]


def test_files_that_are_no_configuration_are_refused(folder: Path) -> None:
    """A missing file, a folder, a pipe and a file of a megabyte get a sentence each."""
    os.mkfifo(folder / "pipe")
    (folder / "large").write_bytes(b"#" * (MAX_BYTES + 1))
    for name, sentence in [
        ("none", "there is no such file"),
        ("data", "is a folder"),
        ("pipe", "is not a regular file"),
        ("large", "is larger than 1 MiB"),
        ("nul\0", "this is no path"),
    ]:
        with pytest.raises(ConfigurationError, match=sentence):
            load(folder / name)


def test_aliases_that_multiply_are_bounded(folder: Path) -> None:
    """A file of a few lines that stands for billions of values is refused at once."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (line,) = problems(folder, "\n".join(lines))
    assert "has more than 20000 values" in line


def test_deep_nesting_is_refused(folder: Path) -> None:
    """Brackets and indentation that would exhaust the stack get a sentence."""
    assert "nested too deeply" in problems(folder, "a: " + "[" * 5000)[0]
    assert len(problems(folder, "- " * 5000 + "x")) == 1


WORDS = st.sampled_from(
    [
        "instrument", "roots", "path", "settle", "quiet", "patterns", "session", "catalogs", "type", "local", "crucible",
        "url", "api_key", "attributes", "state", "data", ".", "~", "~x", "2s", "true", "no", "null", ".inf", "0x1f", "1e400",
        ":", ": ", "- ", "\n", "\n  ", "\n    ", "[", "]", "{", "}", ", ", "&a ", "*a", "<<", "!x ", "|", ">", "'", '"', "%",
        "\t", "\\", "\0", "\x85", "\u2028", "\ud800", "\ufeff", "?", "#", "---\n", "...\n", "é", "*.dat", "\\ud800",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=40).map("".join))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS, bottom=st.booleans())
def test_any_text_is_an_instrument_or_a_configuration_error(folder: Path, text: str, *, bottom: bool) -> None:
    """Nothing in a file makes any other exception, and every problem is one line with a place."""
    whole = ("instrument: ab\nroots: [{path: data}]\n" + text) if bottom else text
    path = write(folder, whole.encode("utf-8", "surrogatepass"))
    try:
        assert isinstance(load(path, environment={}), Instrument)
    except ConfigurationError as error:
        for problem in error.problems:
            assert re.fullmatch(re.escape(str(path)) + r":\d+:\d+: .+", problem), problem


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OPTIONS = st.sampled_from(sorted(Instrument.model_fields))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.dictionaries(OPTIONS, VALUES, max_size=6))
def test_any_values_are_an_instrument_or_a_configuration_error(folder: Path, values: dict[str, object]) -> None:
    """Whatever type stands at an option, the answer is a sentence without pydantic's words."""
    import json  # noqa: PLC0415 JSON is YAML

    path = write(folder, json.dumps(values))
    try:
        load(path, environment={})
    except ConfigurationError as error:
        for problem in error.problems:
            assert re.fullmatch(re.escape(str(path)) + r":\d+:\d+: .+", problem), problem
            assert not re.search(r"pydantic|validation error|tuple|Input should|NoneType", problem)
