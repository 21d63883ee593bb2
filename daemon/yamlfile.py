"""Read an instrument's YAML file: one value, or every mistake at once as `file:line:column: key: sentence`."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Any, Final, Protocol

from pydantic import ValidationError

from daemon.errors import ConfigurationError
from daemon.locations import examine, make_absolute, user_name
from daemon.printable import escaped
from daemon.sentences import report, unknown
from daemon.settings import CATALOGS, Instrument
from daemon.yamltext import Document, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from daemon.yamltext import Trail


class PluginName(Protocol):
    """An ingestor of this installation; `error` says why it cannot be used, if so."""

    @property
    def name(self) -> str:
        """What configuration and logs call it."""

    @property
    def error(self) -> str:
        """Empty if it can be used."""


MAX_BYTES: Final = 1 << 20
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_SECRETS: Final = ("api_key", "password", "token")
_SECRET_OPTION: Final = re.compile(r"pass(word|phrase|wd)|secret|token|account_key|connection_string")


def load(
    path: Path,
    *,
    folders: bool = True,
    environment: Mapping[str, str] | None = None,
    installed: Callable[[], Iterable[PluginName]] | None = None,
) -> Instrument:
    """Read one instrument; every path in the result is absolute and `state` is set.

    `folders=False` does not ask whether the roots are there, for commands that only read the store. `installed` is asked
    for the ingestors that there are if the file names one. Raises ConfigurationError with all problems in the order of
    the file.
    """
    environment = os.environ if environment is None else environment
    text, mode = _read(path)
    document = parse(text)
    instrument = None
    if isinstance(document.values, dict):
        document.values = _given(document.values, ())
        make_absolute(document, path.absolute(), environment)
        examine(document, environment, folders=folders)
        _examine_catalogs(document, path, mode)
        instrument = _instrument(document)
        if installed is not None:
            _examine_ingestors(document, installed)
    elif document.values is not None or not document.problems:
        document.problem((), "should be a mapping of `key: value` lines, beginning with `instrument: NAME`")
    if instrument is None or document.problems:
        shown = escaped(str(path))
        found = sorted(set(document.problems))
        raise ConfigurationError(
            [f"{shown}:{p.place.line}:{p.place.column}: {escaped(_concerning(p.key) + p.text)}" for p in found]
        )
    return instrument


def _concerning(key: str) -> str:
    return f"{key}: " if key else ""


def _given(value: Any, trail: tuple[str, ...]) -> Any:
    """The values without options that say nothing: a section whose lines are all comments is as good as none."""
    if isinstance(value, dict) and trail not in {("attributes",), ("defaults",)}:
        return {key: _given(item, (*trail, key)) for key, item in value.items() if item is not None}
    return [_given(item, (*trail, "")) for item in value] if isinstance(value, list) else value


def _instrument(document: Document) -> Instrument | None:
    """The values as settings, or None and problems."""
    values: dict[str, Any] = document.values
    for word in [word for word in values if word not in Instrument.model_fields]:
        # Here, because pydantic-settings takes keys such as `_env_file` as orders to itself.
        document.problem((word,), unknown(word, Instrument))
        del values[word]
    try:
        return Instrument(**values)
    except ValidationError as error:
        report(error, document)
    return None


def _examine_catalogs(document: Document, path: Path, mode: int) -> None:
    """Catalogs have names of their own, and a key stands only in a file that nobody else may read."""
    catalogs = document.values.get("catalogs")
    names: dict[str, int] = {}
    for index, catalog in enumerate(catalogs if isinstance(catalogs, list) else []):
        if not isinstance(catalog, dict):
            continue
        model = CATALOGS.get(str(catalog.get("type")))
        name = catalog.get("name", model.model_fields["name"].default if model else None)
        if isinstance(name, str):
            # Variables and credentials are named after catalogs, where `-` and `_` are one.
            first = names.setdefault(name.lower().replace("-", "_"), index)
            if first != index:
                line = document.place(("catalogs", first)).line
                text = f"the catalog in line {line} is called {name!r} too; give one of them another `name:`"
                document.problem(("catalogs", index, *(["name"] if "name" in catalog else [])), text)
        for trail, what in _secrets(catalog) if mode & _OTHERS else ():
            variable = f"LABFERRY_{str(name or 'NAME').replace('-', '_').upper()}_{what.upper()}"
            text = (
                f"others may read this file: run `chmod 600 {path}`, or move this to {variable} or a systemd credential"
            )
            document.problem(("catalogs", index, *trail), text)


def _secrets(catalog: Mapping[str, Any]) -> Iterator[tuple[Trail, str]]:
    """Where a secret stands in a catalog's section, and the name of the variable that it could be in."""
    for option in _SECRETS:
        if catalog.get(option) is not None:
            yield (option,), option
    for section in ("transfer", "storage"):
        given = catalog.get(section)
        options = given.get("options") if isinstance(given, dict) else None
        for key in options if isinstance(options, dict) else ():
            if _SECRET_OPTION.search(str(key).lower()):
                yield (section, "options", key), "storage_password"
        to = given.get("to") if isinstance(given, dict) else None
        if isinstance(to, str) and re.match(r"[a-z0-9+.-]+://[^/@]*:[^/@]+@", to):
            yield (section, "to"), "storage_password"


def _examine_ingestors(document: Document, installed: Callable[[], Iterable[PluginName]]) -> None:
    """The ingestors that the file names are there. Nobody is asked if it names none."""
    given = document.values.get("ingestor")
    pairs: list[tuple[Trail, Any]] = [(("ingestor",), given)]
    if isinstance(given, dict):
        pairs = [(("ingestor", key), name) for key, name in given.items()]
    named = {trail: name for trail, name in pairs if isinstance(name, str) and name.strip()}
    rows = list(installed()) if named else []
    known = sorted(row.name for row in rows if not row.error)
    for trail, name in named.items():
        if name not in known:
            broken = [f"{row.name} cannot be loaded: {row.error}" for row in rows if row.error and name in row.name]
            text = f"there is no ingestor {name!r}; installed are {', '.join(known)}"
            document.problem(trail, "; ".join([text, *broken]))


def _read(path: Path) -> tuple[str, int]:
    """The file's text and mode. Raises ConfigurationError."""
    shown = escaped(str(path))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ConfigurationError([f"{shown}:1:1: is not a regular file; name an instrument's YAML file"])
            data = stream.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise ConfigurationError([f"{shown}:1:1: is a folder; name an instrument's YAML file in it"]) from None
    except FileNotFoundError:
        raise ConfigurationError([f"{shown}:1:1: there is no such file; is the path right?"]) from None
    except PermissionError:
        text = f"the user {user_name()} may not read this file; change its owner, group or mode"
        raise ConfigurationError([f"{shown}:1:1: {text}"]) from None
    except (OSError, ValueError) as error:
        text = (error.strerror if isinstance(error, OSError) else None) or "this is no path"
        raise ConfigurationError([f"{shown}:1:1: cannot be read: {text}"]) from error
    if len(data) > MAX_BYTES:
        raise ConfigurationError([f"{shown}:1:1: is larger than {MAX_BYTES >> 20} MiB; this is no configuration"])
    try:
        return data.decode("utf-8-sig"), status.st_mode
    except UnicodeDecodeError as error:
        line, column = data.count(b"\n", 0, error.start) + 1, error.start - data.rfind(b"\n", 0, error.start)
        text = "is not UTF-8 text; save the file with the encoding UTF-8"
        raise ConfigurationError([f"{shown}:{line}:{column}: {text}"]) from error
