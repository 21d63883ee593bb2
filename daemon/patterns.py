"""Glob patterns for root-relative paths. Pure: standard library only.

The rules are those people know from `.gitignore` and the shell: `*` and `?` and `[a-z]` stay within one name, `**` is any
number of folders, `{a,b}` is a choice. A pattern without a slash matches at any depth; a leading slash ties it to the root; a
trailing slash means the folder and all below. Excluding a folder excludes all below it. Case matters.
Paths are POSIX text with undecodable bytes as surrogate escapes; names may contain newlines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

T = TypeVar("T")

MAX_ALTERNATIVES: Final = 1024
_SUFFIX: Final = re.compile(r"\.\w+$")
_FILE_NAME: Final = re.compile(r"\.[A-Za-z]\w{0,7}$")  # not `scan_0.5V`, which is a stem
SIDECARS: Final = (".meta.yaml", ".meta.json")
"""What the name of a file's sidecar has behind the file's own name, or behind its stem."""
_NOTHING: Final = r"(?!)"
_ANY_FOLDERS: Final = "**"


def compile_pattern(glob: str) -> re.Pattern[str]:
    """Compile one pattern; use `fullmatch` with a root-relative path. Raises ValueError with a sentence."""
    return re.compile("|".join(_path_regex(_segments(one)) for one in expand_braces(glob)), re.DOTALL)


def expand_braces(glob: str) -> list[str]:
    """Spell out every `{a,b}` choice, nested ones too; braces without a comma stay as they are. Raises ValueError."""
    pending, done = [glob], []
    while pending:
        one = pending.pop()
        found = _innermost_choice(one)
        if found is None:
            done.append(one)
            continue
        start, end = found
        pending.extend(one[:start] + choice + one[end + 1 :] for choice in reversed(one[start + 1 : end].split(",")))
        if len(pending) + len(done) > MAX_ALTERNATIVES:
            raise ValueError(f"the pattern {glob!r} has more than {MAX_ALTERNATIVES} alternatives")
    return done


def _innermost_choice(glob: str) -> tuple[int, int] | None:
    for match in re.finditer(r"\{[^{}]*\}", glob, re.DOTALL):
        if "," in match[0]:
            return match.start(), match.end() - 1
    return None


def _segments(glob: str) -> list[str]:
    """Split into names: a pattern without a slash gets `**` in front, one that ends with a slash gets it behind."""
    anchored = glob.startswith("/")
    text = glob.removeprefix("./").lstrip("/")
    if not text:
        raise ValueError(f"the pattern {glob!r} is empty")
    folder = text.endswith("/")
    segments = [name for name in text.split("/") if name not in {"", "."}]
    if ".." in segments:
        raise ValueError(f"the pattern {glob!r} leads out of the root; write it relative to the root, without '..'")
    if not anchored and len(segments) == 1 and segments[0] != _ANY_FOLDERS:
        segments.insert(0, _ANY_FOLDERS)
    if folder and segments[-1] != _ANY_FOLDERS:
        segments.append(_ANY_FOLDERS)
    return segments


def _path_regex(segments: Sequence[str]) -> str:
    parts = []
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == _ANY_FOLDERS:
            parts.append(".+" if last else "(?:[^/]+/)*")
        else:
            parts.append(_name_regex(segment) + ("" if last else "/"))
    return "".join(parts)


def _name_regex(glob: str) -> str:
    """One name. An opening bracket without its end is an ordinary character, as in the shell."""
    out: list[str] = []
    index = 0
    while index < len(glob):
        char = glob[index]
        index += 1
        if char == "*":
            if out[-1:] != ["[^/]*"]:
                out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[" and (end := glob.find("]", index + (2 if glob[index : index + 1] in {"!", "^"} else 1))) > 0:
            out.append(_bracket_regex(glob[index:end], glob))
            index = end + 1
        else:
            out.append(re.escape(char))
    return "".join(out)


def _bracket_regex(inside: str, glob: str) -> str:
    negated = inside[0] in "!^"
    body = re.sub(r"([\\\[\]^&~|])", r"\\\1", inside[1:] if negated else inside).replace("--", r"\--")
    regex = f"(?:(?!/)[{'^' if negated else ''}{body}])"
    try:
        re.compile(regex)
    except re.error as error:
        raise ValueError(f"the pattern {glob!r} has a wrong character range [{inside}]: {error}") from error
    return regex


def _alternation(regexes: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{regex})" for regex in regexes) or _NOTHING, re.DOTALL)


def _all_segments(globs: Iterable[str]) -> list[list[str]]:
    return [_segments(one) for glob in globs for one in expand_braces(glob)]


def _prefix_regex(segments: Sequence[str]) -> str:
    """The folders below which a path may still match: every beginning of the pattern up to its first `**`."""
    fixed = list(segments[:-1])
    if _ANY_FOLDERS in segments:
        fixed = list(segments[: segments.index(_ANY_FOLDERS)])
    open_end = _ANY_FOLDERS in segments
    regex = ".+" if open_end else _NOTHING
    for depth, name in enumerate(reversed(fixed)):
        below = f"(?:/{regex})?" if depth or open_end else ""
        regex = _name_regex(name) + below
    return regex


class PathFilter:
    """Which files of a root are wanted. Raises ValueError with a sentence for a pattern that cannot be read."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        wanted = _all_segments(include)
        unwanted = _all_segments(exclude)
        self._include = _alternation(_path_regex(one) for one in wanted)
        self._suffixes = {suffix[0] for one in wanted if (suffix := _SUFFIX.search(one[-1]))}
        self._exclude = _alternation(f"(?:{_path_regex(one)})(?:/.*)?" for one in unwanted)
        closed = [one[:-1] if one[-1] == _ANY_FOLDERS and len(one) > 1 else one for one in unwanted]
        self._closed = _alternation(f"(?:{_path_regex(one)})(?:/.*)?" for one in closed)
        self._open = _alternation(_prefix_regex(one) for one in wanted)

    def wants(self, path: str) -> bool:
        """True for a file that is included and not excluded, by itself or by a folder above it.

        What a person writes beside a wanted file (`scan.h5.meta.yaml`, `scan.meta.yaml`) is wanted with it.
        """
        included = self._include.fullmatch(path) is not None
        if not included and path.endswith(SIDECARS):
            whose = path[: -len(SIDECARS[0])]
            suffixes = {""} if _FILE_NAME.search(whose) else {"", *self._suffixes}
            included = any(self._include.fullmatch(whose + suffix) for suffix in suffixes)
        return included and self._exclude.fullmatch(path) is None

    def enters(self, folder: str) -> bool:
        """False if surely nothing below this folder is wanted. The root itself (an empty text) is always entered."""
        if not folder:
            return True
        return self._closed.fullmatch(folder) is None and self._open.fullmatch(folder) is not None


class PatternTable(Generic[T]):
    """Values by pattern; the first pattern that matches wins. Raises ValueError with a sentence."""

    def __init__(self, mapping: Mapping[str, T]) -> None:
        self._values = tuple(mapping.values())
        regexes = ["|".join(_path_regex(_segments(one)) for one in expand_braces(glob)) for glob in mapping]
        self._regex = re.compile("|".join(f"({regex})" for regex in regexes) or _NOTHING, re.DOTALL)

    def get(self, path: str) -> T | None:
        """The value of the first pattern that matches the root-relative path, or None."""
        match = self._regex.fullmatch(path)
        return None if match is None or match.lastindex is None else self._values[match.lastindex - 1]
