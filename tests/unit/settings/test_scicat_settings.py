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
    "half a technique": ("owner: Ann", "techniques: {TEM: {pid: 'http://x.org/y'}}, owner: Ann", "7:45: catalogs[0].dataset.techniques.TEM: the option `name` is missing: The technique's name, such as transmission electron microscopy"),
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
    "no scheme": ("https://scicat.example.org", "scicat.example.org", "5:5: catalogs[0].url: should be a web address such as https://catalog.example.org"),
    "a page for people": ("https://scicat.example.org", "https://scicat.example.org/datasets", "5:5: catalogs[0].url: should be the backend's address, and /datasets is a page for people; leave that away"),
    "a list for a text": ("ownerGroup: lab", "ownerGroup: [lab]", "7:15: catalogs[0].dataset.ownerGroup: should be one text and no list"),
    "a field of v3": ("owner: Ann", "proposalId: P1, owner: Ann", "7:32: catalogs[0].dataset.proposalId: is no option here; did you mean 'proposalIds'?"),
    "an ORCID with a slip": ("owner: Ann", "orcidOfOwner: 0000-0002-1825-0098, owner: Ann", "7:32: catalogs[0].dataset.orcidOfOwner: should be an ORCID such as 0000-0002-1825-0097, and '0000-0002-1825-0098' is none: its last character does not agree"),
    "an ORCID with more": ("owner: Ann", "orcidOfOwner: 'orcid.org/0000-0002-1825-0097', owner: Ann", "7:32: catalogs[0].dataset.orcidOfOwner: should be an ORCID such as 0000-0002-1825-0097, and 'orcid.org/0000-0002-1825-0097' is none"),
    "no IRI": ("owner: Ann", "techniques: {TEM: {pid: TEM, name: x}}, owner: Ann", "7:51: catalogs[0].dataset.techniques.TEM.pid: should be an IRI such as http://purl.org/pan-science/PaNET/PaNET01168, and 'TEM' is none"),
    "a PaNET with a slip": ("owner: Ann", "techniques: {TEM: {pid: 'http://purl.org/pan-science/PaNET/PaNET1168', name: x}}, owner: Ann", "7:51: catalogs[0].dataset.techniques.TEM.pid: should be an IRI such as http://purl.org/pan-science/PaNET/PaNET01168, and 'http://purl.org/pan-science/PaNET/PaNET1168' is none"),
    "a licence with a slip": ("owner: Ann", "license: CC-BY4, owner: Ann", "7:32: catalogs[0].dataset.license: should be a licence's name such as CC-BY-4.0 or CC0-1.0, and 'CC-BY4' is none of Creative Commons'"),
    "levels": ("owner: Ann", "classification: secret, owner: Ann", "7:32: catalogs[0].dataset.classification: should be levels such as IN=medium,AV=low,CO=low (AU, AV, CO, IN; low, medium, high), and 'secret' is none"),
    "a comma between addresses": ("a@example.org", "'a@b.org, c@d.org'", "7:44: catalogs[0].dataset.contactEmail: should be an e-mail address, or several with ; between them, and 'a@b.org, c@d.org' is none"),
    "a folder below something": ("owner: Ann", "sourceFolder: data, owner: Ann", "7:32: catalogs[0].dataset.sourceFolder: should be a whole path such as /storage/em, P:\\em or \\\\server\\em, and 'data' is none"),
    "an empty group": ("owner: Ann", "accessGroups: [''], owner: Ann", "7:32: catalogs[0].dataset.accessGroups: should be a list of texts, none of them empty"),
    "a number's format for a text": ("owner: Ann", "description: '{measurement:.2f}', owner: Ann", "7:32: catalogs[0].dataset.description: has the format '.2f' for measurement, which is no number; leave it away"),
    "a time's format for a name": ("owner: Ann", "description: '{project_id|session_name:%Y}', owner: Ann", "7:32: catalogs[0].dataset.description: has the format '%Y' for project_id, which is no time; leave it away"),
    "a layout for files in place": ("username: ingestor", "username: ingestor\n    transfer: {layout: '{unique_id}'}", "7:16: catalogs[0].transfer.layout: has no meaning where files stay in place; say `mode: copy` or `mode: remote`"),
    "options for a copy": ("username: ingestor", "username: ingestor\n    transfer: {mode: copy, to: /tmp, options: {port: 1}}", "7:38: catalogs[0].transfer.options: has no meaning for `mode: copy`; options are fsspec's, for `mode: remote`"),
    "a protocol with a slip": ("username: ingestor", "username: ingestor\n    transfer: {mode: remote, to: 'sftpp://h/x'}", "7:30: catalogs[0].transfer.to: has the protocol 'sftpp', which nothing speaks; did you mean 'sftp'?"),
    "a secret among options": ("username: ingestor", "username: ingestor\n    transfer: {mode: remote, to: 'sftp://h/x', options: {password: s3cret}}", "7:58: catalogs[0].transfer.options.password: others may read this file: run `chmod 600 DIR/instrument.yaml`, or move this to LABFERRY_SCICAT_STORAGE_PASSWORD or a systemd credential"),
    "a secret in a URL": ("username: ingestor", "username: ingestor\n    transfer: {mode: remote, to: 'sftp://u:s3cret@h/x'}", "7:30: catalogs[0].transfer.to: others may read this file: run `chmod 600 DIR/instrument.yaml`, or move this to LABFERRY_SCICAT_STORAGE_PASSWORD or a systemd credential"),
    "a map that leads nowhere": ("username: ingestor", "username: ingestor\n    path_map: [{here: /nowhere, there: /b}]", "7:5: catalogs[0].path_map: no entry leads to DIR/data, so nothing from there could be delivered; add one whose `here` is DIR/data or above it"),
    "a map beside the copy": ("username: ingestor", "username: ingestor\n    transfer: {mode: copy, to: /tmp}\n    path_map: [{here: /data, there: /b}]", "8:5: catalogs[0].path_map: no entry leads to /tmp, so nothing from there could be delivered; add one whose `here` is /tmp or above it"),
    "a folder with two names": ("username: ingestor", "username: ingestor\n    path_map: [{here: /, there: /b}, {here: /, there: /c}]", "7:5: catalogs[0].path_map: names / twice; one folder is called one thing"),
    "a name that is no path": ("username: ingestor", "username: ingestor\n    path_map: [{here: /, there: b}]", "7:26: catalogs[0].path_map[0].there: should be a whole path such as /storage/em, P:\\em or \\\\server\\em, and 'b' is none"),
    "a page for all": ("username: ingestor", "username: ingestor\n    page: https://x.org/datasets", "7:5: catalogs[0].page: needs {pid}, which stands for the dataset's pid: https://scicat.example.org/datasets/{pid}"),
    "an authority that is not there": ("username: ingestor", "username: ingestor\n    verify_tls: ca.pem", "7:5: catalogs[0].verify_tls: there is no file DIR/ca.pem; name a certificate authority's file"),
    "a password for nobody": ("username: ingestor", "password: s3cret", "6:5: catalogs[0].password: needs `username`, the account whose password it is"),
    "an account and a token": ("username: ingestor", "username: ingestor\n    token: s3cret", "7:5: catalogs[0].token: has no meaning beside `username`, whose password makes tokens; give one of the two"),
    "two of one name": ("    username: ingestor\n", "    username: ingestor\n    dataset: {ownerGroup: a, owner: b, contactEmail: c@d.org}\n  - type: scicat\n    url: https://x.org\n", "8:5: catalogs[1]: the catalog in line 4 is called 'scicat' too; give one of them another `name:`"),
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
    told = problems(tmp_path, LEAST.replace(before, after, 1))
    assert expected in told
    assert all("others may read" in text for text in told if text != expected)


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


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("license", "CC0"), ("license", "CC-BY-NC-SA-4.0"), ("license", "CC BY 4.0"), ("license", "https://example.org/terms"),
        ("license", "the facility's own"), ("license", "ODbL-1.0"), ("classification", "AV=high"), ("orcidOfOwner", "0000-0002-1694-233X"),
        ("sourceFolder", "\\\\server\\em"), ("sourceFolder", "/storage/{project_id}"), ("type", "calibration"),
        ("description", "{timestamp:%Y} {metadata.voltage:.1f} {metadata.begin|timestamp:%H:%M}"), ("license", "{metadata.licence}"),
    ],
)  # fmt: skip
def test_what_facilities_write_is_taken(field: str, text: str) -> None:
    """Rules of ours stop slips, not licences, types or paths that we do not know."""
    dataset = {"ownerGroup": "a", "owner": "b", "contactEmail": "c@d.org", field: text}
    values = {"type": "scicat", "url": "https://scicat.example.org", "dataset": dataset}
    assert getattr(SciCatCatalog.model_validate(values).dataset, field) == text
