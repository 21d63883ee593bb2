"""Every name that a Linux disk can hold, from the disk to the catalog and back; and what is not looked at."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import pytest

from ingestors.api import display_name
from tests.harness import Bench, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(120)

ODD_NAMES = {
    "not UTF-8": b"caf\xe9_\xff\xfe.dat",
    "a newline": b"two\nlines.dat",
    "a tab and a carriage return": b"tab\tand\rreturn.dat",
    "an escape sequence": b"\x1b[31mred\x07.dat",
    "255 bytes": b"n" * 251 + b".dat",
    "255 bytes of umlauts": ("ü" * 125).encode() + b"x.dat",
    "an emoji": "🚢 ferry 🧪.dat".encode(),
    "a leading dash": b"-rf.dat",
    "spaces around": b"  spaces .dat ",
    "quotes": b"\"quoted\" 'twice'.dat",
    "a backslash": b"back\\slash.dat",
    "percent and query": b"100%25?x=1&y#z;.dat",
    "markup": b"<script>alert(1)</script>.dat".replace(b"/", b"\xe2\x88\x95"),
    "right to left": "\u202etad.scan.dat".encode(),
    "a lone dot in front of nothing": b"...dat",
    "no suffix": b"README",
    "a star and brackets": b"[a-z]*{x,y}?.dat",
    "decomposed": "e\u0301.dat".encode(),
    "composed": "\u00e9.dat".encode(),
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One daemon; hidden files are wanted here, so that any name may be used, but some patterns are left out."""
    folder = tmp_path_factory.mktemp("names")
    root = {"path": "data", "include": ["**/*"], "exclude": ["**/*.bak", "**/_tmp/**", "cache/**"]}
    with Bench(
        folder, roots=[root], settle={"quiet": "200ms"}, scan={"every": "1s", "every_without_events": "1s"}
    ) as bench:
        yield bench


def test_every_name_arrives_with_its_bytes_its_hash_and_one_log_line(bench: Bench) -> None:
    """Whatever bytes a name and its folder have, content and hash reach the catalog and each event is one line of the log."""
    folder = os.fsencode(bench.data) + b"/odd \xfe\nfolder"
    os.mkdir(folder)  # noqa: PTH102 pathlib takes no bytes
    for number, name in enumerate(ODD_NAMES.values()):
        with open(folder + b"/" + name, "wb") as stream:  # noqa: PTH123 pathlib takes no bytes
            stream.write(b"%d %d\n" % (number, number))
    for number, name in enumerate(ODD_NAMES.values()):
        path = display_name(os.fsdecode(b"odd \xfe\nfolder/" + name))
        content = b"%d %d\n" % (number, number)
        shown = display_name(os.fsdecode(name))
        assert bench.files(path) == {shown: content}, shown
        settled = [event for event in bench.daemon.named("file.settled") if event["path"] == path]
        assert [event["sha256"] for event in settled] == [hashlib.sha256(content).hexdigest()]
    for line in bench.daemon.raw:
        assert json.loads(line[line.index("{") :])["event"]


def test_two_names_that_look_alike_are_two_datasets(bench: Bench) -> None:
    r"""A byte 0xE9 and the text `\xe9` are different names, and both arrive."""
    (bench.data / "alike").mkdir()
    (bench.data / "alike" / os.fsdecode(b"\xe9.dat")).write_bytes(b"1 raw\n")
    (bench.data / "alike" / "\\xe9.dat").write_bytes(b"2 text\n")
    expected = sorted(hashlib.sha256(content).hexdigest() for content in (b"1 raw\n", b"2 text\n"))

    def arrived() -> list[str]:
        return sorted(file["sha256_hash"] for file in bench.catalog.all_files() if file["sha256_hash"] in expected)

    eventually(lambda: arrived() == expected, "both files")


def test_nothing_outside_of_the_root_is_reached_through_a_link(bench: Bench) -> None:
    """Symbolic links to files and folders, a FIFO and a socket are left alone; what lies beside them arrives."""
    outside = bench.folder / "outside"
    outside.mkdir()
    (outside / "secret.dat").write_bytes(b"secret\n")
    inside = bench.data / "links"
    inside.mkdir()
    (inside / "file.dat").symlink_to(outside / "secret.dat")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    (inside / "dangling.dat").symlink_to(outside / "nothing")
    (inside / "etc").symlink_to("/etc")
    os.mkfifo(inside / "fifo.dat")
    (inside / "real.dat").write_bytes(b"real 1\n")
    bench.delivered("links/real.dat")
    scans = len(bench.daemon.named("watch.scanned"))
    eventually(lambda: len(bench.daemon.named("watch.scanned")) > scans + 1, "a whole scan")
    settled = {event["path"] for event in bench.daemon.named("file.settled") if event["path"].startswith("links/")}
    assert settled == {"links/real.dat"}
    secret = hashlib.sha256(b"secret\n").hexdigest()
    assert secret not in {file["sha256_hash"] for file in bench.catalog.all_files()}


def test_a_file_that_becomes_a_link_is_not_followed(bench: Bench) -> None:
    """A name that is swapped for a symbolic link while it settles delivers nothing from behind the link."""
    secret = bench.folder / "swapped secret"
    secret.write_bytes(b"another secret\n")
    with (bench.data / "swap.dat").open("wb") as stream:
        stream.write(b"1 2\n")
        stream.flush()
        (bench.data / "link").symlink_to(secret)
        (bench.data / "link").rename(bench.data / "swap.dat")
    (bench.data / "after swap.dat").write_bytes(b"1 2 3\n")
    bench.delivered("after swap.dat")
    assert not [event for event in bench.daemon.named("file.settled") if event["path"] == "swap.dat"]


def test_excluded_files_and_folders_stay_where_they_are(bench: Bench) -> None:
    """What `exclude` names is neither delivered nor entered; everything beside it is."""
    for path in ("a/x.bak", "a/_tmp/y.dat", "cache/deep/z.dat", "a/x.dat", "a/b/_tmp2/y.dat"):
        (bench.data / path).parent.mkdir(parents=True, exist_ok=True)
        (bench.data / path).write_bytes(path.encode() + b"\n")
    bench.delivered("a/x.dat")
    bench.delivered("a/b/_tmp2/y.dat")
    settled = {event["path"] for event in bench.daemon.named("file.settled")}
    assert not settled & {"a/x.bak", "a/_tmp/y.dat", "cache/deep/z.dat"}


def test_a_hard_link_is_a_file_of_its_own(bench: Bench) -> None:
    """Two names for the same bytes are two files, and both are delivered."""
    (bench.data / "one.dat").write_bytes(b"twice there\n")
    bench.delivered("one.dat")
    os.link(bench.data / "one.dat", bench.data / "other.dat")
    assert bench.files("other.dat") == {"other.dat": b"twice there\n"}
