"""Files to datasets, for any names in any order of arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.errors import ConfigurationError
from daemon.grouping.datasets import CompanionRules, Membership, Role
from daemon.settings import Datasets

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULTS = CompanionRules(Datasets())


def grouped(rules: CompanionRules, *paths: str) -> dict[str, set[str]]:
    """Every dataset's key with its members, when all these paths are known."""
    groups: dict[str, set[str]] = {}
    for path in paths:
        groups.setdefault(membership(rules, path, set(paths)).key, set()).add(path)
    return groups


def membership(rules: CompanionRules, path: str, known: set[str]) -> Membership:
    """The membership of a path among known ones."""
    return rules.membership(path, known.__contains__, beginning_in(known))


def beginning_in(known: set[str]) -> Callable[[str], list[str]]:
    """List the known paths that begin with a text."""
    return lambda text: [path for path in known if path.startswith(text)]


def keys(rules: CompanionRules, known: set[str]) -> dict[str, str]:
    """The key of every known path."""
    return {path: membership(rules, path, known).key for path in known}


def test_scopefoundry_images_and_photo_belong_to_the_measurement() -> None:
    """`X.h5`, everything below `X.h5_images/`, `X.h5.JPG` and `X_settings.ini` are one dataset."""
    members = {"a/X.h5", "a/X.h5_images/1.png", "a/X.h5_images/deep/er/2.tif", "a/X.h5.JPG", "a/X_settings.ini"}
    assert grouped(DEFAULTS, *members) == {"a/X.h5": members}
    assert membership(DEFAULTS, "a/X.h5", members) == Membership("a/X.h5", "a/X.h5", Role.PRIMARY)
    assert membership(DEFAULTS, "a/X.h5.JPG", members) == Membership("a/X.h5", "a/X.h5", Role.COMPANION)


def test_same_stem_alone_is_not_one_dataset() -> None:
    """Two data files with the same stem are two datasets."""
    assert len(grouped(DEFAULTS, "pattern_001.chi", "pattern_001.xy")) == 2


def test_same_names_in_other_folders_are_strangers() -> None:
    """Only a file in its own folder (or above) can claim a companion."""
    assert len(grouped(DEFAULTS, "a/X.h5", "b/X.png", "X.log", "a/b/X.ini")) == 4


def test_companion_without_its_primary_stands_alone() -> None:
    """A picture whose measurement is not there (yet) is a dataset of its own."""
    assert membership(DEFAULTS, "a/X.png", {"a/X.png"}) == Membership("a/X.png", "a/X.png", Role.PRIMARY)


def test_companion_of_a_companion_belongs_to_the_topmost() -> None:
    """Claims are followed upwards to the file that nobody claims."""
    members = {"X.h5", "X.h5.JPG", "X.h5.JPG.meta.yaml", "X.h5.log"}
    assert grouped(DEFAULTS, *members) == {"X.h5": members}


def test_several_candidates_prefer_hdf5_then_the_alphabet() -> None:
    """A picture with several possible primaries goes to the HDF5 file, else to the first by name."""
    assert membership(DEFAULTS, "X.png", {"X.dat", "X.nxs", "X.xy", "X.png"}).key == "X.nxs"
    assert membership(DEFAULTS, "X.png", {"X.xy", "X.dat", "X.png"}).key == "X.dat"


def test_pictures_without_data_form_one_dataset_with_one_primary() -> None:
    """Files that could each be the other's companion do not claim in circles."""
    members = {"X.png", "X.jpg", "X.log"}
    assert grouped(DEFAULTS, *members) == {"X.jpg": members}


def test_configured_companions_may_be_containers() -> None:
    """What the configuration calls a companion is one, even an HDF5 file."""
    rules = CompanionRules(Datasets(companions=("{stem}.h5",)))
    assert grouped(rules, "X.csv", "X.h5") == {"X.csv": {"X.csv", "X.h5"}}


def test_companions_in_a_neighbouring_folder() -> None:
    """A pattern may lead into other folders below the primary's, by name or by wildcard."""
    rules = CompanionRules(Datasets(companions=("thumbs/{stem}.png", "*/{name}.txt", "logs/**/{stem}-*.log")))
    members = {"a/X.h5", "a/thumbs/X.png", "a/any/X.h5.txt", "a/logs/2026/11/X-1.log"}
    assert grouped(rules, *members) == {"a/X.h5": members}


def test_folder_is_one_dataset() -> None:
    """Everything below a folder that matches is one dataset; the topmost such folder wins."""
    rules = CompanionRules(Datasets(folders=("*.d", "runs/*/")))
    members = {"x/run.d/a.bin", "x/run.d/sub/inner.d/b.bin", "x/run.d/sub/b.png"}
    assert grouped(rules, *members, "x/run.d.log") == {"x/run.d": members, "x/run.d.log": {"x/run.d.log"}}
    assert rules.primary_of({"x/run.d/a10.tif", "x/run.d/a9.tif"}) == "x/run.d/a9.tif"
    assert rules.primary_of({"x/run.d/a.bin", "x/run.d/z.h5"}) == "x/run.d/z.h5"


def test_folder_pattern_with_a_trailing_slash_means_the_folder() -> None:
    """`runs/*/` makes each folder below `runs` one dataset."""
    rules = CompanionRules(Datasets(folders=("runs/*/",)))
    assert grouped(rules, "runs/1/a.dat", "runs/1/sub/b.dat", "runs/2/a.dat", "runs/c.dat") == {
        "runs/1": {"runs/1/a.dat", "runs/1/sub/b.dat"},
        "runs/2": {"runs/2/a.dat"},
        "runs/c.dat": {"runs/c.dat"},
    }


@pytest.mark.parametrize("pattern", ["*_[0-9]*.tif", "*[0-9]*.tif", "*_[0-9][0-9][0-9].tif", "f*_[0-9]*.{tif,TIF}"])
def test_frames_of_a_sequence_are_one_dataset(pattern: str) -> None:
    """Frames whose names differ in the number only are one dataset, whatever the number of digits."""
    rules = CompanionRules(Datasets(sequences=(pattern,)))
    frames = {"a/frame_b2_001.tif", "a/frame_b2_002.tif", "a/frame_b2_1000.tif"}
    groups = grouped(rules, *frames, "a/frame_c_001.tif", "b/frame_b2_001.tif", "a/frame_b2_x.png")
    assert groups["a/frame_b2_*.tif"] == frames
    assert len(groups) == 4
    assert rules.primary_of(frames) == "a/frame_b2_001.tif"


def test_a_picture_format_may_be_the_data() -> None:
    """A .tif or a .jpg that no rule calls a companion by its stem is the primary of the log and preview beside it."""
    members = {"scan 1.5V.tif", "scan 1.5V.log", "scan 1.5V.png"}
    assert grouped(DEFAULTS, *members) == {"scan 1.5V.tif": members}


def test_companions_of_a_frame_join_the_sequence() -> None:
    """A log beside one frame belongs to the sequence."""
    rules = CompanionRules(Datasets(sequences=("*_[0-9]*.tif",)))
    assert grouped(rules, "s_1.tif", "s_2.tif", "s_1.log") == {"s_*.tif": {"s_1.tif", "s_2.tif", "s_1.log"}}


@pytest.mark.parametrize(
    "section",
    [
        {"companions": ("notes.txt",)},
        {"companions": ("{stem}{name}.txt",)},
        {"companions": ("../{stem}.txt",)},
        {"sequences": ("*.tif",)},
        {"sequences": ("[0-9]*_[0-9]*.tif",)},
        {"folders": ("",)},
    ],
)
def test_unusable_patterns_are_explained(section: dict[str, tuple[str, ...]]) -> None:
    """A pattern that cannot work is a configuration error that names its section and the pattern."""
    with pytest.raises(ConfigurationError) as caught:
        CompanionRules(
            Datasets.model_construct(companions=(), folders=(), sequences=()).model_copy(update=dict(section))
        )
    (name,) = section
    assert f"datasets.{name}: {section[name][0]!r}" in str(caught.value)


RICH = CompanionRules(
    Datasets(
        companions=(*Datasets().companions, "{stem}/**", "sub/{stem}_*.log", "{stem}_{stem}.x", "*/{name}"),
        folders=("whole*/",),
        sequences=("f[0-9]*.*",),
    )
)
NAMES = st.sampled_from(
    [
        *("X.h5", "X.png", "X.jpg", "X.log", "X.xy", "X_X.x", "X.h5.JPG", "X.h5.JPG.meta.yaml", "X.tif", "X_1.log"),
        *("f1.png", "f02.png", "f1.h5", "f1.log", "a", "A.b.c", "..", "\udcff.h5", "\udcff.png", "n\nl.h5", "n\nl.log"),
    ]
)
FOLDERS = st.sampled_from(["", "X.h5_images/", "sub/", "whole1/", "X/", "a/", "X.h5_images/sub/", "whole1/whole2/"])
PATHS = st.builds(str.__add__, FOLDERS, st.one_of(NAMES, st.text("Xf1.h5_pngJ\n{}*[", min_size=1, max_size=9)))
KNOWN = st.lists(PATHS.filter(lambda path: not path.endswith("/") and path != ""), min_size=1, max_size=14, unique=True)


@given(KNOWN)
def test_memberships_follow_arrivals_in_any_order(arrivals: list[str]) -> None:
    """Following only what `affected_by` names, one arrival at a time, ends where looking at everything at once ends."""
    known: set[str] = set()
    followed: dict[str, str] = {}
    for path in arrivals:
        known.add(path)
        affected = RICH.affected_by(path, under=beginning_in(known - {path}))
        assert affected <= known - {path}
        for one in {path, *affected}:
            followed[one] = membership(RICH, one, known).key
    assert followed == keys(RICH, known)


@given(KNOWN)
def test_memberships_follow_departures(paths: list[str]) -> None:
    """The same holds for files that vanish."""
    known = set(paths)
    followed = keys(RICH, known)
    for path in paths[:-1]:
        known.discard(path)
        followed.pop(path)
        for one in RICH.affected_by(path, under=beginning_in(known)):
            followed[one] = membership(RICH, one, known).key
        assert followed == keys(RICH, known)


@given(KNOWN)
def test_every_dataset_holds_its_primary(paths: list[str]) -> None:
    """Every file gets one dataset; its primary is known, belongs to the same dataset and says so itself."""
    known = set(paths)
    for path in known:
        found = membership(RICH, path, known)
        if found.primary is None:
            members = {one for one, key in keys(RICH, known).items() if key == found.key}
            assert RICH.primary_of(members) in members
        else:
            assert found.key == found.primary
            assert membership(RICH, found.primary, known) == Membership(found.key, found.primary, Role.PRIMARY)
        assert (found.role is Role.PRIMARY) == (found.primary == path)


def test_companions_of_lists_one_folder() -> None:
    """For a look without a store: the other members among the given paths, in natural order."""
    known = ["X.h5", "X.h5_images/10.png", "X.h5_images/9.png", "Y.h5", "X.log"]
    assert DEFAULTS.companions_of("X.h5", known) == ["X.h5_images/9.png", "X.h5_images/10.png", "X.log"]
    assert DEFAULTS.companions_of("X.log", known) == []
