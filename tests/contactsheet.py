"""`make thumbnails`: every picture that the ingestors draw of the corpus, on sheets to look at.

`python -m tests.contactsheet [--out FOLDER] [--size 200] [FOLDER|FILE...]`; each cell names the file, its ingestor and
the measurement.
"""

from __future__ import annotations

import argparse
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from daemon.extract.sandbox import Outcome, Sandbox
from ingestors.rendering import lettering

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CORPUS = Path(__file__).parent / "data" / "corpus"
OUT = Path("build") / "thumbnails"
NOT_DATA = {".gitattributes", "SOURCES.md", "README.md"}
CAPTION = 44
GAP = 12
PAPER = 236


@dataclass(frozen=True)
class Cell:
    """One picture, and two lines about it."""

    png: bytes | None
    name: str
    remark: str


def files_in(places: Iterable[Path]) -> list[Path]:
    """Every data file at the places, sorted."""
    found: list[Path] = []
    for place in places:
        found += [path for path in place.rglob("*") if path.is_file()] if place.is_dir() else [place]
    return sorted(path for path in found if path.name not in NOT_DATA)


def cells_of(path: Path, outcome: Outcome) -> list[Cell]:
    """One cell for each picture of a file, or one that says that there is none."""
    measurement = outcome.attributes.get("measurement", "")
    about = " · ".join(part for part in (outcome.ingestor, measurement) if part)
    if not outcome.thumbnails:
        return [Cell(None, path.name, about)]
    return [Cell(shown.png, path.name, f"{about} · {shown.caption}") for shown in outcome.thumbnails]


def sheet(cells: Sequence[Cell], columns: int, size: int) -> Image.Image:
    """The cells in rows on one picture; `size` is the width of a thumbnail on it."""
    height = size * 3 // 4
    rows = -(-len(cells) // columns)
    picture = Image.new("RGB", (GAP + columns * (size + GAP), GAP + rows * (height + CAPTION + GAP)), (PAPER,) * 3)
    for index, cell in enumerate(cells):
        left = GAP + (index % columns) * (size + GAP)
        top = GAP + (index // columns) * (height + CAPTION + GAP)
        _paste(picture, cell.png, (left, top, size, height))
        words = Image.new("L", (size, CAPTION), PAPER)
        for line, (text, ink) in enumerate(((cell.name, 20), (cell.remark, 90))):
            lettering.write(words, (2, 16 + 17 * line), lettering.fitted(text, 13, size - 4), 13, ink)
        picture.paste(words.convert("RGB"), (left, top + height))
    return picture


def _paste(picture: Image.Image, png: bytes | None, place: tuple[int, int, int, int]) -> None:
    left, top, width, height = place
    if png is None:
        ImageDraw.Draw(picture).rectangle([left, top, left + width - 1, top + height - 1], outline=(200,) * 3)
        return
    with Image.open(io.BytesIO(png)) as opened:
        shown = opened.convert("RGB")
    shown.thumbnail((width, height), Image.Resampling.LANCZOS)
    picture.paste(shown, (left + (width - shown.width) // 2, top + (height - shown.height) // 2))


def main() -> None:
    """Read the files in the sandbox as the daemon does, and write the sheets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("places", nargs="*", type=Path, default=[CORPUS])
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--size", type=int, default=400, help="width of a thumbnail on the sheet (Crucible shows 200)")
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--per-sheet", type=int, default=0, help="pictures on one sheet (all on one if 0)")
    options = parser.parse_args()
    paths = files_in(options.places)
    sandbox = Sandbox(timeout=60, memory=2 * 2**30, workers=2)
    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(lambda path: sandbox.extract(path.resolve(), []), paths))
    sandbox.close()
    cells = [cell for path, outcome in zip(paths, outcomes, strict=True) for cell in cells_of(path, outcome)]
    options.out.mkdir(parents=True, exist_ok=True)
    number = options.per_sheet or max(len(cells), 1)
    for start in range(0, len(cells), number):
        name = "contact-sheet.png" if number >= len(cells) else f"contact-sheet-{start // number + 1:02}.png"
        sheet(cells[start : start + number], options.columns, options.size).save(options.out / name)
        sys.stdout.write(f"{options.out / name}\n")
    sys.stdout.write(
        f"{len(paths)} files, {len(cells)} cells, {sum(cell.png is None for cell in cells)} without a picture\n"
    )


if __name__ == "__main__":
    main()
