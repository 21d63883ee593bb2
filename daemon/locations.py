"""Where an instrument's folders lie: paths made absolute, and whether they can be what the configuration says.

Works on the values as they stand in the file, so that a mistake elsewhere in it does not hide one here.
"""

from __future__ import annotations

import os
import pwd
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daemon.yamltext import Document, Trail

SERVICE_FILES: Final = Path("/etc/labferry")
SERVICE_STATES: Final = Path("/var/lib/labferry")
_SAFE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class _Folder:
    trail: Trail
    path: Path
    real: Path


def make_absolute(document: Document, file: Path, environment: Mapping[str, str]) -> None:
    """Replace each path by its absolute one (relative to the file's folder), and name the state folder if nothing does."""
    for trail, holder, key in _paths(document.values):
        try:
            path = Path(holder[key]).expanduser()
        except (RuntimeError, ValueError):
            document.problem(trail, f"nobody's home is known for {holder[key]!r}; write the whole path")
            continue
        holder[key] = os.path.normpath(file.parent / path)
    values = document.values
    if isinstance(values, dict) and values.get("state") is None:
        values["state"] = str(default_state(str(values.get("instrument", "")), file, environment))


def default_state(instrument: str, file: Path, environment: Mapping[str, str]) -> Path:
    """$STATE_DIRECTORY (systemd gives it), else `labferry/NAME` in the user's state folder (XDG Base Directory 0.8).

    A file in /etc/labferry is a service's: a person who asks about it by hand means the service's state folder.
    """
    given = environment.get("STATE_DIRECTORY", "").split(":")[0]
    if given.startswith("/"):
        return Path(given)
    if file.parent == SERVICE_FILES:
        return SERVICE_STATES / file.stem
    base = environment.get("XDG_STATE_HOME", "")
    home = environment.get("HOME", "")
    if not base.startswith("/"):
        base = f"{home}/.local/state" if home.startswith("/") else "/var/lib"
    name = instrument if _SAFE_NAME.fullmatch(instrument) else "unnamed"
    return Path(base, "labferry", name)


def examine(document: Document, environment: Mapping[str, str], *, folders: bool) -> None:
    """Note roots that cannot be watched, overlaps, and folders of our own inside of a root."""
    found = [
        _Folder(trail, Path(holder[key]), _real(Path(holder[key]))) for trail, holder, key in _paths(document.values)
    ]
    roots = [folder for folder in found if folder.trail[0] == "roots"]
    if folders:
        for root in roots:
            text = _unusable(root.path)
            if text:
                document.problem(root.trail, text)
    for index, root in enumerate(roots):
        for other in roots[:index]:
            text = _overlap(root.real, other.real)
            if text:
                line = document.place(other.trail).line
                document.problem(root.trail, f"{root.path} {text} {other.path} (line {line}); watch it once")
    for folder in found:
        if folder.trail[0] == "state" or (folder.trail[-1] in {"path", "to"} and folder.trail[0] == "catalogs"):
            _outside(folder, roots, document, environment)
        if folder.trail[-1] == "verify_tls" and folders and not folder.path.is_file():
            document.problem(folder.trail, f"there is no file {folder.path}; name a certificate authority's file")
    _mapped(document, [root.path for root in roots])
    _each_its_own([one for one in found if one.trail[0] == "state" or one.trail[::2] == ("catalogs", "path")], document)


def _mapped(document: Document, roots: list[Path]) -> None:
    """A path map leads to every folder that files are delivered from, or each dataset there would be refused."""
    catalogs = document.values.get("catalogs") if isinstance(document.values, dict) else None
    for index, catalog in enumerate(catalogs if isinstance(catalogs, list) else []):
        entries = catalog.get("path_map") if isinstance(catalog, dict) else None
        moving = catalog.get("transfer") if isinstance(catalog, dict) else None
        to = moving.get("to") if isinstance(moving, dict) and moving.get("mode") == "copy" else None
        if not isinstance(entries, list) or (isinstance(moving, dict) and moving.get("mode") == "remote"):
            continue
        heres = [entry.get("here") for entry in entries if isinstance(entry, dict)]
        known = [Path(here) for here in heres if isinstance(here, str) and here.startswith("/")]
        for folder in [Path(to)] if isinstance(to, str) else roots if known else []:
            if known and not any(folder.is_relative_to(here) for here in known):
                text = f"no entry leads to {folder}, so nothing from there could be delivered; add one whose `here` is {folder} or above it"
                document.problem(("catalogs", index, "path_map"), text)


def _each_its_own(folders: list[_Folder], document: Document) -> None:
    for index, folder in enumerate(folders):
        for other in folders[:index]:
            if folder.real == other.real:
                line = document.place(other.trail).line
                document.problem(
                    folder.trail, f"{folder.path} is used in line {line} already; each needs its own folder"
                )


def _outside(folder: _Folder, roots: list[_Folder], document: Document, environment: Mapping[str, str]) -> None:
    what, real = ("the state folder" if folder.trail[0] == "state" else "the catalog's folder"), folder.real
    said = ""
    if folder.trail[0] == "state" and environment.get("LABFERRY_STATE"):
        real, said = _real(Path(environment["LABFERRY_STATE"]).absolute()), " (from LABFERRY_STATE)"
    for root in roots:
        if real.is_relative_to(root.real):
            text = f"{what} {real}{said} lies inside the root {root.path}; labferry never writes there: choose another"
            document.problem(folder.trail, text)
            return


def _paths(values: Any) -> Iterator[tuple[Trail, dict[str, Any], str]]:
    """Every usable path in the values: its trail, and the mapping and key that hold it."""
    if not isinstance(values, dict):
        return
    for section, keys in (("roots", ("path",)), ("catalogs", ("path", "verify_tls"))):
        items = values.get(section)
        for index, item in enumerate(items if isinstance(items, list) else []):
            for key in keys:
                if isinstance(item, dict) and _usable(item.get(key)):
                    yield (section, index, key), item, key
            moving = item.get("transfer") if isinstance(item, dict) else None
            if isinstance(moving, dict) and moving.get("mode") == "copy" and _is_folder(moving.get("to")):
                yield (section, index, "transfer", "to"), moving, "to"
    if _usable(values.get("state")):
        yield ("state",), values, "state"


def _is_folder(value: object) -> bool:
    return _usable(value) and "://" not in str(value)


def _usable(value: object) -> bool:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        return False
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return False
    return True


def _real(path: Path) -> Path:
    """The path without symbolic links, as far as they can be followed."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of links
        return path


def _overlap(one: Path, other: Path) -> str:
    if one == other:
        return "is the same folder as"
    if one.is_relative_to(other):
        return "lies inside"
    return "contains" if other.is_relative_to(one) else ""


def _unusable(path: Path) -> str:
    """Why this folder cannot be watched, or an empty text."""
    try:
        if not path.exists():
            return f"there is no folder {path}; is the disk or share mounted, is the name right?{_hidden(path)}"
        if not path.is_dir():
            return f"{path} is a file; a root is a folder"
        with os.scandir(path) as entries:
            next(entries, None)
        if os.access(path, os.R_OK | os.X_OK, effective_ids=True):
            return ""
    except OSError as error:
        if not isinstance(error, PermissionError):
            return f"{path} cannot be read: {error.strerror or error}"
    return f"the user {user_name()} may not read {path}; give the user read and enter rights (r and x) on it{_hidden(path)}"


def _hidden(path: Path) -> str:
    """What the unit's sandbox has to do with it: systemd names each start of a service by INVOCATION_ID."""
    if "INVOCATION_ID" not in os.environ:
        return ""
    if path.is_relative_to("/home") or path.is_relative_to("/root") or path.is_relative_to("/run/user"):
        return " (the service does not see home folders: systemctl edit, [Service] ProtectHome=read-only)"
    if path.is_relative_to("/tmp") or path.is_relative_to("/var/tmp"):  # noqa: S108 no file is made there
        return " (the service has a /tmp of its own: systemctl edit, [Service] PrivateTmp=no)"
    return ""


def user_name() -> str:
    """The name of the user whose rights count."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"number {os.geteuid()}"
