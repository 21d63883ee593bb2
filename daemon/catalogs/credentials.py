"""Where a catalog's key comes from, so that a PC that is already set up for Crucible works at once.

Order: the variable LABFERRY_<NAME>_API_KEY, the systemd credential `<name>_api_key`, the YAML file, CRUCIBLE_API_KEY, and
nano-crucible's `config.ini` (section `[crucible]`, keys `api_key` and `api_url`; nano-crucible 3.3.0, config.py). The
last two are meant for one server: they are used only for the host that nano-crucible itself would talk to.
"""

from __future__ import annotations

import configparser
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from daemon.errors import CredentialsRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

SHARED_VARIABLE: Final = "CRUCIBLE_API_KEY"
PUBLIC: Final = "https://crucible.lbl.gov/api/v3"
_LARGEST: Final = 65536


@dataclass(frozen=True, slots=True)
class Key:
    """A key, where it was found, and a sentence if that place is not a safe one."""

    text: str = field(repr=False)
    origin: str
    warning: str = ""


def find_key(
    configured: str | None, environment: Mapping[str, str], *, name: str = "crucible", url: str = PUBLIC
) -> Key:
    """The first key of the places above for the catalog `name` at `url`.

    Raises CredentialsRefused that names them all if none holds one.
    """
    problems: list[str] = []
    own = find_secret("api_key", configured, environment, name=name, problems=problems)
    if own is not None:
        return own
    if urlsplit(url).hostname == urlsplit(find_url(environment) or PUBLIC).hostname:
        shared = _shared(environment, problems)
        if shared is not None:
            return shared
    raise CredentialsRefused(
        f"There is no key for {name}." + "".join(f" {problem}" for problem in problems),
        f"Put one into the variable {variable_of(name)}, the systemd credential {credential_of(name, 'api_key')}, the variable "
        f"{SHARED_VARIABLE}, `api_key` of the catalog in the YAML file, or `[crucible] api_key` in "
        f"{config_ini(environment)}.",
    )


def find_secret(
    what: str, configured: str | None, environment: Mapping[str, str], *, name: str, problems: list[str]
) -> Key | None:
    """The secret of this kind (`api_key`, `password`, `token`) of the catalog `name`: variable, credential, YAML file.

    What could not be read is added to `problems`.
    """
    variable, credential = variable_of(name, what), credential_of(name, what)
    folder = environment.get("CREDENTIALS_DIRECTORY", "")
    if environment.get(variable, "").strip():
        return Key(environment[variable].strip(), variable)
    if folder:
        text = _read(Path(folder) / credential, problems).strip()
        if text:
            return Key(text, f"the systemd credential {credential}")
    if configured and configured.strip():
        return Key(configured.strip(), "the configuration")
    return None


def variable_of(name: str, what: str = "api_key") -> str:
    """The variable that holds a secret of the catalog with this name."""
    return f"LABFERRY_{name.replace('-', '_').upper()}_{what.upper()}"


def credential_of(name: str, what: str) -> str:
    """The systemd credential that holds a secret of the catalog with this name."""
    return f"{name.replace('-', '_')}_{what}"


def _shared(environment: Mapping[str, str], problems: list[str]) -> Key | None:
    """The key that nano-crucible itself would use."""
    if environment.get(SHARED_VARIABLE, "").strip():
        return Key(environment[SHARED_VARIABLE].strip(), SHARED_VARIABLE)
    ini = config_ini(environment)
    text = _settings(ini, problems).get("api_key", "").strip()
    return Key(text, str(ini), _openness(ini)) if text else None


def find_url(environment: Mapping[str, str]) -> str | None:
    """The base URL that nano-crucible would use (CRUCIBLE_API_URL, `config.ini`), or None."""
    url = environment.get("CRUCIBLE_API_URL", "").strip() or _settings(config_ini(environment), []).get("api_url", "")
    return url.strip() or None


def config_ini(environment: Mapping[str, str]) -> Path:
    """Where nano-crucible keeps its settings on Linux."""
    home = environment.get("XDG_CONFIG_HOME", "").strip()
    base = Path(home) if home.startswith("/") else Path(environment.get("HOME") or "/root") / ".config"
    return base / "nano-crucible" / "config.ini"


def _read(path: Path, problems: list[str]) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_LARGEST).decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except OSError as error:
        problems.append(f"{path} cannot be read: {error.strerror}.")
    except UnicodeDecodeError:
        problems.append(f"{path} is not UTF-8 text.")
    return ""


def _settings(path: Path, problems: list[str]) -> Mapping[str, str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(_read(path, problems), str(path))
    except configparser.Error as error:
        problems.append(f"{path} is no INI file (line {getattr(error, 'lineno', '?')}).")
    return dict(parser["crucible"]) if parser.has_section("crucible") else {}


def _openness(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except OSError:
        return ""
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return f"Others on this computer may read the key in {path}: run `chmod 600 {path}`."
    return ""
