"""Where the key comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from daemon.catalogs.credentials import config_ini, find_key, find_url
from daemon.errors import CredentialsRefused

if TYPE_CHECKING:
    from pathlib import Path

ITS_SERVER = "https://example.org/api/v3"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which every place holds a key of its own."""
    ini = tmp_path / "config" / "nano-crucible" / "config.ini"
    ini.parent.mkdir(parents=True)
    ini.write_text("[crucible]\napi_key = from-ini%x\napi_url = https://example.org/api/v3\n")
    ini.chmod(0o600)
    (tmp_path / "crucible_api_key").write_text("from-systemd\n")
    return {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "LABFERRY_CRUCIBLE_API_KEY": "from-labferry",
        "CREDENTIALS_DIRECTORY": str(tmp_path),
        "CRUCIBLE_API_KEY": " from-crucible ",
    }


def test_the_strongest_place_wins(environment: dict[str, str]) -> None:
    """The five places are asked in their order, and each key says where it was found."""
    found = []
    for name in ("LABFERRY_CRUCIBLE_API_KEY", "CREDENTIALS_DIRECTORY"):
        found.append(find_key("from-yaml", environment))
        del environment[name]
    found.append(find_key("from-yaml", environment))
    found.append(find_key(None, environment, url=ITS_SERVER))
    del environment["CRUCIBLE_API_KEY"]
    found.append(find_key(None, environment, url=ITS_SERVER))
    texts = [key.text for key in found]
    assert texts == ["from-labferry", "from-systemd", "from-yaml", "from-crucible", "from-ini%x"]
    assert len({key.origin for key in found}) == 5
    assert not any(key.warning for key in found)


def test_nano_crucibles_own_key_goes_to_its_own_server_only(environment: dict[str, str]) -> None:
    """A key that was made for one server is never sent to another host."""
    for name in ("LABFERRY_CRUCIBLE_API_KEY", "CREDENTIALS_DIRECTORY"):
        del environment[name]
    with pytest.raises(CredentialsRefused):
        find_key(None, environment, url="https://elsewhere.example/api/v3")


def test_each_catalog_has_a_variable_and_a_credential_of_its_own(environment: dict[str, str], tmp_path: Path) -> None:
    """Two catalogs of one instrument can have two keys."""
    (tmp_path / "second_site_api_key").write_text("second\n")
    assert find_key(None, environment, name="second-site").text == "second"
    assert find_key(None, {**environment, "LABFERRY_SECOND_SITE_API_KEY": "x"}, name="second-site").text == "x"


def test_a_key_is_never_shown() -> None:
    """A key's representation does not hold its text."""
    assert "secret" not in repr(find_key("secret", {}))


def test_an_ini_file_that_others_may_read_is_told(environment: dict[str, str]) -> None:
    """A readable config.ini is used, with a sentence that says what to do."""
    config_ini(environment).chmod(0o644)
    key = find_key(None, {"XDG_CONFIG_HOME": environment["XDG_CONFIG_HOME"]}, url=ITS_SERVER)
    assert key.text == "from-ini%x"
    assert "chmod 600" in key.warning


@pytest.mark.parametrize("content", [b"no section\n", b"\xff\xfe\x00", b"[crucible\napi_key=secret\n", b"[crucible]\n"])
def test_without_a_key_every_place_is_named(tmp_path: Path, content: bytes) -> None:
    """A missing key is one error that names all places and never quotes a broken file."""
    ini = tmp_path / "nano-crucible" / "config.ini"
    ini.parent.mkdir()
    ini.write_bytes(content)
    with pytest.raises(CredentialsRefused) as caught:
        find_key("  ", {"XDG_CONFIG_HOME": str(tmp_path), "CREDENTIALS_DIRECTORY": str(tmp_path / "none")})
    text = str(caught.value)
    for place in ("LABFERRY_CRUCIBLE_API_KEY", "crucible_api_key", "CRUCIBLE_API_KEY", str(ini), "YAML"):
        assert place in text
    assert "secret" not in text


def test_the_address_of_a_pc_that_is_set_up_is_known(environment: dict[str, str]) -> None:
    """The variable counts before the INI file, and None means that there is neither."""
    assert find_url(environment) == "https://example.org/api/v3"
    assert find_url({**environment, "CRUCIBLE_API_URL": "https://other.org"}) == "https://other.org"
    assert find_url({"HOME": "/nonexistent"}) is None
