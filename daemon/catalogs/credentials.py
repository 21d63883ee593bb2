"""Where Crucible's key comes from, so that a PC that is already set up for Crucible works at once.

Order: the YAML file, LABFERRY_CRUCIBLE_API_KEY, the systemd credential `crucible_api_key`, CRUCIBLE_API_KEY, and
nano-crucible's `config.ini` (section `[crucible]`, keys `api_key` and `api_url`; nano-crucible 3.3.0, config.py).
"""

from __future__ import annotations

import configparser
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from daemon.errors import CredentialsRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN_VARIABLE: Final = "LABFERRY_CRUCIBLE_API_KEY"
SHARED_VARIABLE: Final = "CRUCIBLE_API_KEY"
CREDENTIAL: Final = "crucible_api_key"
_LARGEST: Final = 65536


@dataclass(frozen=True, slots=True)
class Key:
    """A key, where it was found, and a sentence if that place is not a safe one."""

    text: str = field(repr=False)
    origin: str
    warning: str = ""


def find_key(configured: str | None, environment: Mapping[str, str]) -> Key:
    """The first key of the places above. Raises CredentialsRefused that names them all if none holds one."""
    folder = environment.get("CREDENTIALS_DIRECTORY", "")
    ini = config_ini(environment)
    problems: list[str] = []
    if configured and configured.strip():
        return Key(configured.strip(), "the configuration")
    if environment.get(OWN_VARIABLE, "").strip():
        return Key(environment[OWN_VARIABLE].strip(), OWN_VARIABLE)
    if folder:
        text = _read(Path(folder) / CREDENTIAL, problems).strip()
        if text:
            return Key(text, f"the systemd credential {CREDENTIAL}")
    if environment.get(SHARED_VARIABLE, "").strip():
        return Key(environment[SHARED_VARIABLE].strip(), SHARED_VARIABLE)
    text = _settings(ini, problems).get("api_key", "").strip()
    if text:
        return Key(text, str(ini), _openness(ini))
    raise CredentialsRefused(
        "There is no key for Crucible." + "".join(f" {problem}" for problem in problems),
        f"Put one into the variable {OWN_VARIABLE}, the systemd credential {CREDENTIAL}, the variable "
        f"{SHARED_VARIABLE}, `api_key` of the catalog in the YAML file, or `[crucible] api_key` in {ini}.",
    )


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
