"""Text in pictures, with Pillow's own font (Aileron) so that no font file is needed and the bytes are the same everywhere.

That font holds ASCII and a few signs. What science needs beyond it is composed here: raised digits, µ, Å, θ, λ, Δ;
other Greek letters are spelled out and accents are dropped.
"""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFont

from ingestors.units import looks_like_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

_RAISED: Final = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True))
_LOWERED: Final = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_COMPOSED: Final = "µÅθλΔ"
_SPELLED: Final = {
    "\u03bc": "\u00b5",  # Greek mu to the micro sign
    "\u212b": "\u00c5",  # Angstrom sign to the letter
    "\u2206": "\u0394",  # increment to Delta
    "\u03d1": "\u03b8",  # theta symbol to theta
    "\u03a9": "Ohm",
    "\u2212": "-", "\u2013": "-", "\u2014": "-", "\u00d7": "x", "\u2044": "/", "\u2215": "/", "\u2192": "->",
    "\u221e": "inf", "\u2248": "~", "\u2264": "<=", "\u2265": ">=", "\u221a": "sqrt",
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ", "\u2009": " ", "\u202f": " ",
    "\u00df": "ss", "\u00e6": "ae", "\u00f8": "o", "\u0142": "l",
}  # fmt: skip
_LAST_BRACKETS: Final = re.compile(r"\(([^()]*(?:\([^()]*\)[^()]*)?)\)\s*$")
_MICRO: Final = re.compile(r"(?<![A-Za-z])u(?=(?:m|s|A|V|W|g|l|L|M|C|F|T|Hz|mol|rad|bar|eV|Pa|N|J)\b|m\d)")
_EXPONENT: Final = re.compile(r"(?<=[A-Za-zµÅ)])([-\u2212]?[1-9])(?![\d.])")
_MISSING: Final = "\uffff"
_MINUS_WIDTH: Final = 0.5  # of the letters' size: the font's hyphen is too short to be seen when it is raised
_CUT: Final = "…"
_NARROWEST: Final = 2  # pixels of a letter at least: no more of a long text can fit
_OVERHANG: Final = 3  # pixels that a letter may stand out of its own width


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont:
    """The font at a size in pixels."""
    loaded = ImageFont.load_default(size)
    if not isinstance(loaded, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType, which draws the text of the thumbnails.")
    return loaded


@lru_cache(maxsize=2048)
def _has_glyph(letter: str) -> bool:
    face = font(14)
    return letter.isascii() or bytes(face.getmask(letter)) != bytes(face.getmask(_MISSING))


@lru_cache(maxsize=2048)
def _spelled(letter: str) -> str:
    """The letter in glyphs that can be drawn."""
    letter = _SPELLED.get(letter, letter)
    if len(letter) != 1 or letter in _COMPOSED or letter in _RAISED or letter in _LOWERED:
        return letter
    if not letter.isprintable():
        return " "
    if _has_glyph(letter):
        return letter
    name = unicodedata.name(letter, "")
    if match := re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (?:FINAL )?([A-Z]+)( WITH .*)?", name):
        return match[2].lower() if match[1] == "SMALL" else match[2].title()
    base = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return base if base and base != letter and all(map(_has_glyph, base)) else "?"


def drawable(text: str) -> str:
    """The text in one line of letters that this module can draw."""
    one_line = " ".join(unicodedata.normalize("NFC", text[:2000]).split())
    spelled = "".join(map(_spelled, one_line))
    # "A^-1", "10^6": the caret raises what follows it
    return re.sub(r"\^(?:\(([-+]?\d+)\)|([-+]?\d+))", lambda m: "".join(map(_raise, m[1] or m[2])), spelled)


def with_unit(label: str) -> str:
    """The label with the unit in its last brackets as science writes it: `(um)` is `(µm)`, `(g-1)` is `(g⁻¹)`.

    Only for the eye: metadata keep what the file says.
    """
    match = _LAST_BRACKETS.search(label[:2000])
    if match is None or not looks_like_unit(match[1]):
        return label
    unit = _MICRO.sub("µ", match[1]).replace("degC", "°C")
    unit = _EXPONENT.sub(lambda found: "".join(map(_raise, found[1].replace("\u2212", "-"))), unit)
    return f"{label[: match.start()]}({unit})"


def _raise(sign: str) -> str:
    return next(raised for raised, plain in _RAISED.items() if plain == sign)


def _runs(text: str) -> Iterator[tuple[str, int]]:
    """Pieces of drawable text with their level: 0 on the line, 1 raised, -1 lowered, 2 composed letter."""
    for piece in re.findall(
        rf"[{''.join(_RAISED)}]+|[{''.join(_LOWERED)}]+|[{_COMPOSED}]|[^{''.join(_RAISED)}{''.join(_LOWERED)}{_COMPOSED}]+",
        text,
    ):
        if piece[0] in _RAISED:
            yield "".join(_RAISED[sign] for sign in piece), 1
        elif piece[0] in _LOWERED:
            yield "".join(_LOWERED[sign] for sign in piece), -1
        else:
            yield piece, 2 if piece in _COMPOSED else 0


_STAND_IN: Final = {"µ": "u", "Å": "A", "θ": "0", "λ": "y", "Δ": "A"}


def _small(size: int) -> int:
    return max(9, round(size * 0.76))


@lru_cache(maxsize=1024)
def width(text: str, size: int) -> int:
    """Width of drawable text in pixels."""
    total = 0.0
    for piece, level in _runs(text):
        face = font(_small(size)) if level in {1, -1} else font(size)
        if level == 1 and piece[0] == "-":
            total += size * _MINUS_WIDTH
            piece = piece[1:]  # noqa: PLW2901 its minus is drawn, not written
        total += face.getlength(_STAND_IN.get(piece, piece) if level == 2 else piece)  # noqa: PLR2004 the composed level
    return round(total)


def fitted(text: str, size: int, room: int) -> str:
    """Drawable text that fits into `room` pixels: cut in the middle, because file names differ at their ends."""
    text = drawable(text)
    if width(text, size) <= room:
        return text
    for keep in range(min(len(text) - 1, room // _NARROWEST), 0, -1):
        cut = f"{text[: keep - keep // 2].rstrip()}{_CUT}{text[len(text) - keep // 2 :].lstrip()}"
        if width(cut, size) <= room:
            return cut
    return ""


def write(image: Image.Image, place: tuple[float, float], text: str, size: int, ink: int, anchor: str = "l") -> None:
    """Draw drawable text on a grey (`L`) image. `place`: baseline; `anchor`: l(eft), m(iddle) or r(ight) of it."""
    left = place[0] - {"l": 0.0, "m": 0.5, "r": 1.0}[anchor] * width(text, size)
    for piece, level in _runs(text):
        if level == 2:  # noqa: PLR2004 the composed level
            left += _compose(image, (left, place[1]), piece, size, ink)
            continue
        face = font(_small(size)) if level else font(size)
        base = place[1] - level * size * (0.36 if level > 0 else 0.18)
        if level == 1 and piece[0] == "-":
            height = round(base - _small(size) * 0.3)
            minus = [(round(left) + 1, height), (round(left + size * _MINUS_WIDTH) - 2, height)]
            ImageDraw.Draw(image).line(minus, fill=ink)
            left += size * _MINUS_WIDTH
            piece = piece[1:]  # noqa: PLW2901 its minus is drawn, not written
        column, row = math.floor(left), math.floor(base)
        stamp = _stamp(piece, _small(size) if level else size, left - column, base - row)
        image.paste(ink, (column - _OVERHANG, row - stamp.height * 2 // 3), stamp)
        left += face.getlength(piece)


@lru_cache(maxsize=256)
def _stamp(piece: str, size: int, right: float, down: float) -> Image.Image:
    """Letters as a mask whose baseline is at two thirds of its height; the labels of ticks come again and again.

    `right` and `down`: the fraction of a pixel by which they are moved.
    """
    stamp = Image.new("L", (math.ceil(font(size).getlength(piece)) + 2 * _OVERHANG + 1, 2 * size), 0)
    place = (_OVERHANG + right, stamp.height * 2 // 3 + down)
    ImageDraw.Draw(stamp).text(place, piece, fill=255, font=font(size), anchor="ls")
    return stamp


def _compose(image: Image.Image, place: tuple[float, float], letter: str, size: int, ink: int) -> float:
    """Draw a letter that the font lacks, at four times the size and reduced. Returns its width."""
    scale, left, base = 4, place[0], place[1]
    face = font(size * scale)
    stand_in = _STAND_IN[letter]
    advance = face.getlength(stand_in)
    box = (int(advance) + 2 * scale, int(size * scale * 1.6))
    line = round(size * scale * 0.72 * 1.5)
    glyph = Image.new("L", box, 0)
    draw = ImageDraw.Draw(glyph)
    pen = max(scale, round(size * scale * 0.085))
    capital = size * scale * 0.72
    if letter == "Δ":
        points = [
            (advance * 0.06, line),
            (advance * 0.5, line - capital),
            (advance * 0.94, line),
            (advance * 0.06, line),
        ]
        draw.line(points, fill=255, width=pen, joint="curve")
    elif letter == "λ":
        whole = Image.new("L", box, 0)
        ImageDraw.Draw(whole).text((0, 0), stand_in, fill=255, font=face, anchor="lt")
        cut = whole.crop(whole.getbbox() or (0, 0, 1, 1)).rotate(180)
        glyph.paste(cut, (round((advance - cut.width) / 2), line - cut.height))
    else:
        draw.text((0, line), stand_in, fill=255, font=face, anchor="ls")
        if letter == "µ":
            stem = face.getbbox("u", anchor="ls")[0] + pen // 2
            draw.line([(stem, line - pen), (stem, line + size * scale * 0.22)], fill=255, width=pen)
        elif letter == "θ":
            draw.line([(advance * 0.15, line - capital / 2), (advance * 0.85, line - capital / 2)], fill=255, width=pen)
        else:
            top, ring = line - capital, size * scale * 0.13
            draw.ellipse(
                [advance / 2 - ring, top - 2 * ring, advance / 2 + ring, top], outline=255, width=max(3, pen // 2)
            )
    mask = glyph.resize((box[0] // scale, box[1] // scale), Image.Resampling.BOX)
    image.paste(ink, (round(left), round(base - line / scale)), mask)
    return advance / scale
