"""Which files are one dataset. Pure: every answer depends on what is known, never on the order in which it came.

Paths are relative to their root, POSIX, with undecodable bytes as surrogate escapes. Three rules, strongest first:

1. `folders`: a folder that matches is one dataset with everything below it; the topmost one wins.
2. `companions`: a file that another one claims by name belongs to that one's dataset. Claims form chains (a sidecar of a
   picture of a measurement); the file belongs to the topmost. Where files claim each other in a circle (`X.png` and
   `X.log`, nothing else), the first of them in one fixed order (`_precedence`) is the primary.
3. `sequences`: numbered frames with the same remaining name in one folder are one dataset.

Any other file is a dataset of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from daemon.errors import ConfigurationError
from daemon.patterns import SIDECARS, compile_pattern, expand_braces

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from daemon.settings import Datasets

_PLACEHOLDER: Final = re.compile(r"\{(stem|name)\}")
_MARK: Final = "\ue000"  # stands for a placeholder while a pattern is compiled; private use, in nobody's file names
_WILDCARD: Final = re.compile(r"[*?\[]")
_NUMBER_FIELD: Final = re.compile(r"(?:\[0-9\])+\*?")
_CONTAINERS: Final = (".h5", ".hdf5", ".nxs")
_DIGITS: Final = re.compile(r"([0-9]+)")


_ALWAYS: Final = tuple(f"{{{whose}}}{suffix}" for whose in ("name", "stem") for suffix in SIDECARS)
"""Sidecars are companions whatever `companions` says."""

T = TypeVar("T")


class Role(StrEnum):
    """A file's part in its dataset."""

    PRIMARY = "primary"
    COMPANION = "companion"


@dataclass(frozen=True, slots=True)
class Membership:
    """To which dataset a file belongs.

    `key` names the dataset within its root: the primary's path, the folder's path, or a sequence's name with its number
    as `*` (`run/frame_*.tif`). `primary` is None where the members choose it together (folders and sequences): ask
    `CompanionRules.primary_of` with all of them. `role` is COMPANION there until they have.
    """

    key: str
    primary: str | None
    role: Role


@dataclass(frozen=True, slots=True)
class _Companion:
    """One companion pattern: what stands around its placeholders, as regular expressions and, without wildcards, as text."""

    by_stem: bool
    parts: tuple[str, ...]
    texts: tuple[str, ...] | None
    beginning: str  # the text in front of its first placeholder or wildcard
    head: re.Pattern[str] | None  # what stands in front of the placeholder, if that has wildcards
    tail: re.Pattern[str]  # what follows the first placeholder
    repeats: bool  # the placeholder stands there more than once
    form: re.Pattern[str]  # what a companion looks like whatever its primary is called

    def claims(self, name: str, relative: str) -> bool:
        """Whether a file called `name` claims the path, relative to the file's folder."""
        return self._fits(stem(name) if self.by_stem else name, relative)

    def reach(self, name: str) -> str:
        """The text, relative to the folder, with which everything begins that a file called `name` may claim."""
        value = stem(name) if self.by_stem else name
        return self.beginning + value if self.head is None else self.beginning

    def values(self, relative: str) -> Iterator[str]:
        """What the placeholder may stand for in this path: at most one text, or a few where wildcards leave a choice."""
        if self.texts is not None:
            start = len(self.beginning)
            length = (len(relative) - sum(map(len, self.texts))) // (len(self.texts) - 1)
            value = relative[start : start + length] if length > 0 else ""
            if value and "/" not in value and value.join(self.texts) == relative:
                yield value
            return
        for start in self._starts(relative):
            border = relative.find("/", start)
            for end in range(start + 1, (len(relative) if border == -1 else border) + 1):
                value = relative[start:end]
                if self.tail.fullmatch(relative, end) and (not self.repeats or self._fits(value, relative)):
                    yield value

    def _starts(self, relative: str) -> Iterator[int]:
        if self.head is None:
            if relative.startswith(self.beginning):
                yield len(self.beginning)
            return
        for start in range(len(self.beginning), len(relative)):
            if self.head.fullmatch(relative, 0, start):
                yield start

    def _fits(self, value: str, relative: str) -> bool:
        if self.texts is not None:
            return value.join(self.texts) == relative
        return value in relative and re.fullmatch(re.escape(value).join(self.parts), relative, re.DOTALL) is not None


class CompanionRules:
    """The `datasets:` section of the configuration, ready to answer. Raises ConfigurationError for unusable patterns."""

    def __init__(self, settings: Datasets) -> None:
        problems: list[str] = []
        self._companions = tuple(
            one
            for choices in _compile(_companions, (*settings.companions, *_ALWAYS), "companions", problems)
            for one in choices
        )
        self._folders = tuple(_compile(_folder, settings.folders, "folders", problems))
        self._sequences = tuple(
            regex for regexes in _compile(_sequence, settings.sequences, "sequences", problems) for regex in regexes
        )
        if problems:
            raise ConfigurationError(problems)

    def membership(self, path: str, exists: Callable[[str], bool], under: Callable[[str], Iterable[str]]) -> Membership:
        """Say to which dataset the file belongs, given what is known beside it.

        `exists(path)`: is this file known; `under(prefix)`: the known paths that begin with that text. Both may or may
        not include the file itself. How often they are asked depends on the file's name, not on how many files are
        known. A companion whose primary is not there is its own primary.
        """
        whole = self._folder_dataset(path)
        if whole is not None:
            return Membership(whole, None, Role.COMPANION)
        top = self._topmost(path, exists, under)
        sequence = self._sequence_name(top)
        if sequence is not None:
            return Membership(sequence, None, Role.COMPANION)
        return Membership(top, top, Role.PRIMARY if top == path else Role.COMPANION)

    def affected_by(self, path: str, *, under: Callable[[str], Iterable[str]]) -> set[str]:
        """Which known files may change their membership when `path` appears or vanishes (never `path` itself).

        `under(prefix)` lists the known paths that begin with that text: a range of an index, not a folder.
        """
        affected: set[str] = set()
        waiting = [path]
        while waiting:
            claimant = waiting.pop()
            claimed = {known for known in self._reached(claimant, under) if self._claims(claimant, known)}
            waiting.extend(claimed - affected)
            affected |= claimed
        return affected - {path}

    def primary_of(self, members: Collection[str]) -> str:
        """Choose the primary among all members of a folder or sequence: HDF5 first, then natural order. Needs one member."""
        return min(members, key=lambda path: (*self._precedence(path)[:3], natural_order(path)))

    def companions_of(self, primary: str, known: Iterable[str]) -> list[str]:
        """The known files that belong to this primary, in natural order: for a look at one folder without a store."""
        paths = {*known, primary}

        def under(beginning: str) -> list[str]:
            return [path for path in paths if path.startswith(beginning)]

        def belongs(path: str) -> bool:
            return self.membership(path, paths.__contains__, under).key == primary

        return sorted((path for path in paths if path != primary and belongs(path)), key=natural_order)

    def _topmost(self, path: str, exists: Callable[[str], bool], under: Callable[[str], Iterable[str]]) -> str:
        chain = [path]
        while (claimant := self._claimant(chain[-1], exists, under)) is not None:
            if claimant in chain:
                return min(chain[chain.index(claimant) :], key=self._precedence)
            chain.append(claimant)
        return chain[-1]

    def _claimant(self, path: str, exists: Callable[[str], bool], under: Callable[[str], Iterable[str]]) -> str | None:
        """The first in precedence of the known files that claim this one."""
        claimants: set[str] = set()
        for folder, relative in _above(path):
            named = {
                (value, pattern.by_stem)
                for pattern in self._companions
                if pattern.form.fullmatch(relative)
                for value in pattern.values(relative)
            }
            for value, by_stem in named:
                whole = join(folder, value)
                if (not by_stem or stem(value) == value) and exists(whole):
                    claimants.add(whole)
                if by_stem:
                    claimants.update(other for other in under(whole + ".") if _has_stem(other, whole))
        return min(claimants - {path}, key=self._precedence, default=None)

    def _claims(self, claimant: str, path: str) -> bool:
        folder, _, name = claimant.rpartition("/")
        if claimant == path or (folder and not path.startswith(folder + "/")):
            return False
        relative = path[len(folder) + 1 :] if folder else path
        return any(one.form.fullmatch(relative) and one.claims(name, relative) for one in self._companions)

    def _reached(self, path: str, under: Callable[[str], Iterable[str]]) -> set[str]:
        folder, _, name = path.rpartition("/")
        beginnings = {join(folder, pattern.reach(name)) for pattern in self._companions}
        shortest = [
            one for one in beginnings if not any(one != other and one.startswith(other) for other in beginnings)
        ]
        return {known for beginning in shortest for known in under(beginning)}

    def _precedence(self, path: str) -> tuple[bool, int, bool, str]:
        """Who comes first among possible primaries: no companion by its looks, higher up, HDF5, then the alphabet.

        Only `{stem}` patterns tell by looks: `{name}.tif` would make every `.tif` suspicious.
        """
        by_looks = any(
            one.by_stem and one.form.fullmatch(relative) for _, relative in _above(path) for one in self._companions
        )
        return by_looks, path.count("/"), not path.lower().endswith(_CONTAINERS), path

    def _folder_dataset(self, path: str) -> str | None:
        folders = reversed([folder for folder, _ in _above(path) if folder])
        return next((folder for folder in folders if any(pattern.fullmatch(folder) for pattern in self._folders)), None)

    def _sequence_name(self, path: str) -> str | None:
        for pattern in self._sequences:
            match = pattern.fullmatch(path)
            if match is not None:
                return f"{path[: match.start('number')]}*{path[match.end('number') :]}"
        return None


def stem(name: str) -> str:
    """The name without its last suffix; a name that begins with its only dot is all stem."""
    return name.rsplit(".", 1)[0] or name


def join(folder: str, name: str) -> str:
    """A path below a root; the root itself is the empty string."""
    return f"{folder}/{name}" if folder else name


def natural_order(text: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """A sort key that puts frame_2 before frame_10."""
    parts = _DIGITS.split(text)
    key = tuple((1, len(part.lstrip("0")), part.lstrip("0")) if i % 2 else (0, 0, part) for i, part in enumerate(parts))
    return key, text


def _above(path: str) -> Iterator[tuple[str, str]]:
    """Every folder that holds the path, nearest first, with the path relative to it; the root ("") comes last."""
    cut = path.rfind("/")
    while cut != -1:
        yield path[:cut], path[cut + 1 :]
        cut = path.rfind("/", 0, cut)
    yield "", path


def _compile(make: Callable[[str], T], patterns: Sequence[str], where: str, problems: list[str]) -> Iterator[T]:
    for pattern in patterns:
        try:
            yield make(pattern)
        except ValueError as error:
            problems.append(f"datasets.{where}: {pattern!r}: {error}")


def _companions(pattern: str) -> list[_Companion]:
    """Compile a companion pattern, one for each of its `{a,b}` choices. Raises ValueError."""
    return [_companion(choice) for choice in expand_braces(pattern)]


def _companion(pattern: str) -> _Companion:
    placeholders = set(_PLACEHOLDER.findall(pattern))
    if len(placeholders) != 1:
        message = "needs {stem} or {name} (one of them), so that it says whose companion a file is"
        raise ValueError(message)
    parts = tuple(compile_pattern("/" + _PLACEHOLDER.sub(_MARK, pattern)).pattern.split(_MARK))
    plain = "/".join(name for name in pattern.split("/") if name not in {"", "."})
    texts = tuple(_PLACEHOLDER.sub(_MARK, plain).split(_MARK))
    fixed = not pattern.endswith("/") and not any(_WILDCARD.search(text) for text in texts)
    starts_fixed = not _WILDCARD.search(texts[0])
    return _Companion(
        by_stem=placeholders == {"stem"},
        parts=parts,
        texts=texts if fixed else None,
        beginning=_WILDCARD.split(texts[0])[0],
        head=None if starts_fixed else re.compile(parts[0], re.DOTALL),
        tail=re.compile("[^/]+".join(parts[1:]), re.DOTALL),
        repeats=len(texts) - 1 > 1,
        form=re.compile("[^/]+".join(parts), re.DOTALL),
    )


def _has_stem(path: str, whole: str) -> bool:
    """Whether this is a file whose path without its last suffix is `whole`."""
    folder, _, name = path.rpartition("/")
    return join(folder, stem(name)) == whole


def _folder(pattern: str) -> re.Pattern[str]:
    """Compile a folder pattern; a slash at its end says what it means anyway. Raises ValueError."""
    return compile_pattern(pattern.rstrip("/") or pattern)


def _sequence(pattern: str) -> list[re.Pattern[str]]:
    """Compile a sequence pattern, one expression for each of its `{a,b}` choices. Raises ValueError."""
    return [_numbered(choice) for choice in expand_braces(pattern)]


def _numbered(pattern: str) -> re.Pattern[str]:
    fields = _NUMBER_FIELD.findall(pattern)
    if len(fields) != 1:
        message = "needs exactly one numbered field, such as [0-9]* or [0-9][0-9][0-9]"
        raise ValueError(message)
    field = fields[0]
    # Whole numbers only: where a wildcard stands in front, it must not swallow the first digits.
    number = rf"(?<![0-9])(?P<number>[0-9]{{{field.count('[')},}})(?![0-9])" + ("[^/]*" if field.endswith("*") else "")
    before, after = compile_pattern(pattern.replace(field, _MARK)).pattern.split(_MARK)
    return re.compile(before + number + after, re.DOTALL)
