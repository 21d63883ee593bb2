"""Every mistake in a SciCat catalog is told by its place, the field and the rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.errors import ConfigurationError
from daemon.scicat_settings import SciCatCatalog
from daemon.yamlfile import load

EXAMPLE = Path(__file__).parents[3] / "config" / "tem-scicat.yaml"

LEAST = """\
instrument: tem1
roots: [{path: data}]
catalogs:
  - type: scicat
    url: https://scicat.example.org
    username: ingestor
    dataset: {ownerGroup: lab, owner: Ann, contactEmail: a@example.org}
"""

MISTAKES = {
    "no address": ("    url: https://scicat.example.org\n", "", "4:5: catalogs[0]: the option `url` is missing: The address of SciCat's backend"),
    "no fields": ("    dataset: {ownerGroup: lab, owner: Ann, contactEmail: a@example.org}\n", "", "4:5: catalogs[0]: the option `dataset` is missing: SciCat's own fields, as templates"),
    "no owner": ("owner: Ann, ", "", "7:5: catalogs[0].dataset: the option `owner` is missing: The person who owns the dataset; SciCat stores none without one"),
    "empty group": ("ownerGroup: lab", "ownerGroup: ''", "7:15: catalogs[0].dataset.ownerGroup: should not be empty"),
    "no address of a person": ("a@example.org", "ann", "7:44: catalogs[0].dataset.contactEmail: should be an e-mail address, or several with ; between them, and 'ann' is none"),
    "unknown field": ("owner: Ann", "ownr: Ann, owner: Ann", "7:32: catalogs[0].dataset.ownr: is no option here; did you mean 'owner'?"),
    "unknown placeholder": ("lab,", "'{projekt_id}',", "7:15: catalogs[0].dataset.ownerGroup: has the placeholder {projekt_id}, which is nothing known; did you mean 'project_id'?"),
    "half a brace": ("lab,", "'{project_id',", "7:15: catalogs[0].dataset.ownerGroup: has a brace without its other half (expected '}' before end of string); write {{ for a brace itself"),
    "bare host": ("owner: Ann", "sourceFolderHost: acqpc01, owner: Ann", "7:32: catalogs[0].dataset.sourceFolderHost: should be a full host name such as acq1.example.org, an IP address or a URL with one, and 'acqpc01' is none"),
    "half a technique": ("owner: Ann", "techniques: {TEM: {pid: x}}, owner: Ann", "7:45: catalogs[0].dataset.techniques.TEM: the option `name` is missing: The technique's name, such as transmission electron microscopy"),
    "text for a list": ("owner: Ann", "accessGroups: lab, owner: Ann", '7:32: catalogs[0].dataset.accessGroups: should be a list, such as ["one", "two"]'),
    "number for text": ("owner: Ann", "runNumber: 7, owner: Ann", "7:32: catalogs[0].dataset.runNumber: should be text; what looks like a number or true/false needs quotes"),
    "archivable": ("owner: Ann", "datasetlifecycle: {archivable: soon}, owner: Ann", "7:51: catalogs[0].dataset.datasetlifecycle.archivable: should be one of 'when complete', True, False"),
    "a time without offset": ("owner: Ann", "datasetlifecycle: {dateOfPublishing: '2029-01-01'}, owner: Ann", "7:51: catalogs[0].dataset.datasetlifecycle.dateOfPublishing: should be a time such as 2026-11-20T10:00:00+01:00, and '2029-01-01' is none"),
    "log-in": ("username: ingestor", "username: ingestor\n    login: oidc", "7:5: catalogs[0].login: should be one of 'local', 'ldap', 'msad'"),
    "prefix": ("username: ingestor", "username: ingestor\n    pid_prefix: a b", "7:5: catalogs[0].pid_prefix: should be a prefix such as 20.500.12345, without a slash at its end"),
    "copy to a URL": ("username: ingestor", "username: ingestor\n    transfer: {mode: copy, to: 'sftp://x/y'}", "7:28: catalogs[0].transfer.to: should be the whole path of the mounted folder that files are copied to"),
    "copy to nowhere": ("username: ingestor", "username: ingestor\n    transfer: {mode: copy}", "7:5: catalogs[0].transfer: needs `to`, where files go to with `mode: copy`"),
    "remote to a folder": ("username: ingestor", "username: ingestor\n    transfer: {mode: remote, to: /mnt}", "7:30: catalogs[0].transfer.to: should be a URL such as sftp://storage.example.org/incoming or s3://bucket/incoming"),
    "in place to somewhere": ("username: ingestor", "username: ingestor\n    transfer: {to: /mnt}", "7:16: catalogs[0].transfer.to: has no meaning where files stay in place; say `mode: copy` or `mode: remote`"),
    "a way out of the storage": ("username: ingestor", "username: ingestor\n    transfer: {layout: ../x}", "7:16: catalogs[0].transfer.layout: should be folders below `to`, such as {project_id}/{session_name}/{unique_id}"),
    "unknown mode": ("username: ingestor", "username: ingestor\n    transfer: {mode: rsync}", "7:16: catalogs[0].transfer.mode: should be one of 'in-place', 'copy', 'remote'"),
    "unknown option of the transfer": ("username: ingestor", "username: ingestor\n    transfer: {too: /x}", "7:16: catalogs[0].transfer.too: is no option here; did you mean 'to'?"),
    "a storage in a root": ("username: ingestor", "username: ingestor\n    transfer: {mode: copy, to: data/out}", "7:28: catalogs[0].transfer.to: the catalog's folder DIR/data/out lies inside the root DIR/data; labferry never writes there: choose another"),
    "path_map": ("username: ingestor", "username: ingestor\n    path_map: [{here: data, there: /x}]", "7:17: catalogs[0].path_map[0].here: should be the whole path of a folder on this computer, such as /data/hip"),
    "large pictures": ("username: ingestor", "username: ingestor\n    thumbnail: 20 MB", "7:5: catalogs[0].thumbnail: should be at most 7.5 MB, because SciCat takes no larger requests"),
    "a password for all to read": ("username: ingestor", "username: ingestor\n    password: s3cret", "7:5: catalogs[0].password: others may read this file: run `chmod 600 DIR/instrument.yaml`, or move this to LABFERRY_SCICAT_PASSWORD or a systemd credential"),
}  # fmt: skip


def problems(folder: Path, text: str) -> list[str]:
    """What is wrong with a file, with the folder as DIR."""
    (folder / "data").mkdir(exist_ok=True)
    path = folder / "instrument.yaml"
    path.write_text(text, "utf-8")
    path.chmod(0o644)
    try:
        load(path)
    except ConfigurationError as error:
        return [problem.replace(str(folder), "DIR").removeprefix("DIR/instrument.yaml:") for problem in error.problems]
    return []


def test_the_least_configuration_is_one(tmp_path: Path) -> None:
    """Address, account and the three fields that SciCat cannot do without."""
    assert problems(tmp_path, LEAST) == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_by_field_and_rule(tmp_path: Path, mistake: str) -> None:
    """Line and column, the field's name, the rule."""
    before, after, expected = MISTAKES[mistake]
    assert before in LEAST
    assert problems(tmp_path, LEAST.replace(before, after, 1)) == [expected]


def test_the_address_may_name_the_version(tmp_path: Path) -> None:
    """What people copy from elsewhere works."""
    for end in ("", "/", "/api/v3", "/api/v3/", "/api", "/api/v4"):
        values = {"type": "scicat", "url": f"https://scicat.example.org{end}", "dataset": {}}
        values["dataset"] = {"ownerGroup": "a", "owner": "b", "contactEmail": "c@d.org"}
        assert SciCatCatalog.model_validate(values).url == "https://scicat.example.org"


def test_the_example_is_taken_as_it_stands() -> None:
    """The documented file describes a SciCat with copied files."""
    catalog = next(one for one in load(EXAMPLE, folders=False).catalogs if isinstance(one, SciCatCatalog))
    assert catalog.transfer.mode == "copy"
    assert catalog.dataset.techniques["TEM"].pid.endswith("PaNET01168")
