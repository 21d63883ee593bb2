from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from ingestors.conventions import falls
from ingestors.rendering import (
    Series,
    axes,
    curve,
    heatmap,
    legend,
    lettering,
    map_beside_curve,
    montage,
    picture,
    scalebar,
    scales,
    thumbnail,
)
from ingestors.rendering.curve import thinned

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=64)


def opened(png: bytes) -> Image.Image:
    """The decoded picture."""
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


def coloured(png: bytes) -> NDArray[np.bool_]:
    """Where a picture is neither white nor grey."""
    pixels = np.asarray(opened(png).convert("RGB")).astype(int)
    return np.asarray(pixels.max(axis=2) - pixels.min(axis=2) > 60)


def test_a_curve_is_a_picture_of_400_by_300_pixels() -> None:
    """The size on which the catalogs' pages are built."""
    assert opened(curve([Series(np.arange(10), np.arange(10))], title="t", x_label="x", y_label="y")).size == (400, 300)


def test_equal_data_are_equal_bytes() -> None:
    """A picture's hash identifies it, so drawing again must not change it."""
    x = np.linspace(0, 9, 500)
    assert curve([Series(x, np.sin(x), "a"), Series(x, np.cos(x), "b")]) == curve(
        [Series(x, np.sin(x), "a"), Series(x, np.cos(x), "b")]
    )
    assert heatmap(np.outer(x, x)) == heatmap(np.outer(x, x))
    assert picture(np.outer(x, x)) == picture(np.outer(x, x))


@settings(max_examples=40, deadline=None)
@given(
    y=hnp.arrays(np.float64, st.integers(0, 60), elements=NUMBERS),
    x=hnp.arrays(np.float64, st.integers(0, 60), elements=NUMBERS),
    log=st.sampled_from([True, False, None]),
    label=st.text(max_size=30),
)
def test_any_numbers_can_be_drawn_as_a_curve(
    y: NDArray[np.float64], x: NDArray[np.float64], *, log: bool | None, label: str
) -> None:
    """NaN, infinities, no points, one point, huge and equal numbers, any text: always a picture, never an exception."""
    assert opened(
        curve([Series(x, y, label), Series(y, y)], title=label, x_label=label, y_label=label, log_y=log)
    ).size == (400, 300)


@settings(max_examples=40, deadline=None)
@given(
    data=hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=9), elements=NUMBERS),
    extent=st.one_of(st.none(), st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS)),
)
def test_any_array_can_be_drawn_as_a_map(
    data: NDArray[np.float64], extent: tuple[float, float, float, float] | None
) -> None:
    """Whatever stands in a file becomes a map, an empty one included."""
    assert opened(heatmap(data, extent=extent, title="t", unit="V")).size == (400, 300)
    assert max(opened(picture(data, "t")).size) <= 400


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int16", "uint16", "uint32", "int64", "float16", "float32", "complex64"]
)
def test_every_kind_of_number_is_drawn(dtype: str) -> None:
    """Detectors write many number types; none of them is refused."""
    data = np.arange(48).reshape(6, 8).astype(dtype)
    assert coloured(heatmap(data)).any()
    assert coloured(curve([Series(np.arange(48), data.ravel())])).any()
    assert opened(montage([data, data], title="t", labels=["a", "b"])).size == (400, 300)


def test_text_instead_of_numbers_gives_empty_axes() -> None:
    """A column that holds words has no curve, and that is no error."""
    assert not coloured(curve([Series(np.array(["a", "b"]), np.array(["c", "d"]))])).any()


def test_a_long_series_keeps_its_single_spike() -> None:
    """Thinning takes the extreme points of every stretch, so a one-point peak among a million stays visible."""
    x = np.arange(1_000_000, dtype=np.float64)
    y = np.zeros_like(x)
    y[123_456] = 1.0
    assert 123_456 in thinned(x, y, 500)
    assert thinned(x, y, 500).size < 4000


def test_a_gap_stays_a_gap() -> None:
    """NaN in the middle of a line is not bridged."""
    x = np.linspace(0, 1, 300)
    y = np.ones(300)
    y[100:200] = np.nan
    columns = np.asarray(coloured(curve([Series(x, y)])).any(axis=0))
    inside = np.flatnonzero(columns)
    assert not columns[(inside[0] + inside[-1]) // 2]


def test_a_decay_over_decades_is_drawn_logarithmically_and_a_peak_is_not() -> None:
    """Left to itself, the scale follows the bulk of the data."""
    x = np.linspace(0.01, 0.4, 400)
    decay, peak = Series(x, x**-4.0), Series(x, 1 + 1e5 * np.exp(-(((x - 0.2) / 0.001) ** 2)))
    assert curve([decay]) == curve([decay], log_y=True)
    assert curve([peak]) == curve([peak], log_y=False)


def test_a_smooth_peak_is_not_drawn_in_decades() -> None:
    """Tails of a line that fall to a billionth are nothing that was measured; a rocking curve of counts is seen in decades."""
    x = np.linspace(-4, 4, 300)
    peak = np.exp(-4 * x**2)
    counts = np.rint(1e5 * np.exp(-4 * x**2)) + 1
    assert not scales.wants_log([peak])
    assert scales.wants_log([counts[80:220]])


def test_a_dark_frame_is_brightened_and_a_photograph_is_not() -> None:
    """Weak light in eight bits is seen all the same; what uses its range stays as it is."""
    ramp = np.tile(np.arange(100, dtype=np.uint8), (80, 1))
    dark, photograph = (np.asarray(opened(picture(pixels)).convert("L")) for pixels in (ramp // 4, ramp * 2))
    assert dark.max() > 250
    assert 180 < photograph.max() < 210


def test_a_reversed_axis_mirrors_the_line() -> None:
    """Binding energies grow to the left."""
    x = np.linspace(0, 1, 100)
    plain, mirrored = (coloured(curve([Series(x, x)], x_reversed=way)) for way in (False, True))
    rows = np.argwhere(plain), np.argwhere(mirrored)
    assert rows[0][rows[0][:, 1].argmax()][0] < 100 < rows[1][rows[1][:, 1].argmax()][0]


def test_the_first_row_is_at_the_bottom_unless_told_otherwise() -> None:
    """A scan's map has its origin at the lower left, a camera's frame at the upper left."""
    data = np.zeros((20, 20))
    data[:5] = 100.0
    low, high = (np.asarray(opened(heatmap(data, origin=at)).convert("RGB")).astype(int) for at in ("lower", "upper"))
    assert low[250, 150, 0] > 200 > low[60, 150, 0]
    assert high[60, 150, 0] > 200 > high[250, 150, 0]


def test_many_series_are_drawn_with_a_short_legend() -> None:
    """A hundred scans are a picture, not an error."""
    x = np.linspace(0, 1, 50)
    assert opened(curve([Series(x, x + n, f"scan {n}") for n in range(100)])).size == (400, 300)


def test_a_legend_covers_no_line() -> None:
    """Names go where nothing is drawn, and above the plot if there is no such place."""
    noise = np.random.default_rng(3).normal(size=(4, 3000))
    full = [Series(np.arange(3000), row, f"detector {index}") for index, row in enumerate(noise)]
    names = legend.entries([line.label for line in full], [(0, 0, 0)] * 4)
    everywhere = Image.new("L", (300, 200), 255)
    corner = Image.new("L", (300, 200), 0)
    corner.paste(255, (150, 0, 300, 200))
    assert legend.free_place([everywhere], names) is None
    place = legend.free_place([corner], names)
    assert place is not None
    assert place[0] + names.size[0] <= 150
    top = coloured(curve(full, title="t"))[25:45]
    assert top[:, 60:].any()  # the keys stand between title and plot


def test_points_at_logarithmic_distances_get_a_logarithmic_axis() -> None:
    """Frequencies of an impedance, lag times and q of scattering are seen over decades only; even steps are not changed."""
    frequencies, even = np.logspace(-2, 5, 60), np.linspace(0.01, 1e5, 60)
    assert scales.wants_log_x([frequencies])
    assert not scales.wants_log_x([even])
    line = [Series(frequencies, np.sin(np.arange(60)))]
    assert curve(line) == curve(line, log_x=True) != curve(line, log_x=False)


def test_a_jump_between_two_branches_is_not_drawn_as_a_line() -> None:
    """Where the field was set from one end to the other nothing was measured, so nothing is drawn there."""
    field = np.concatenate([np.linspace(1, 0, 200), np.linspace(9, 10, 200)])
    columns = np.asarray(coloured(curve([Series(field, np.ones(400))])).any(axis=0))
    inside = np.flatnonzero(columns)
    assert not columns[(inside[0] + inside[-1]) // 2]


def test_equal_scales_keep_a_circle_round() -> None:
    """In a Nyquist plot a half circle is a half circle."""
    angle = np.linspace(0, 2 * np.pi, 300)
    drawn = np.argwhere(coloured(curve([Series(100 + np.cos(angle), np.sin(angle))], equal=True)))
    height, width = drawn.max(axis=0) - drawn.min(axis=0)
    assert abs(height - width) < 6


@given(st.floats(1e-15, 1e6), st.sampled_from(["m", "um", "nm", "\u00c5", "px", ""]), st.integers(1, 4000))
def test_a_scale_bar_is_a_round_number_and_fits(pixel: float, unit: str, width: int) -> None:
    """The bar stands for 1, 2 or 5 times a power of ten, and is no longer than a third of the picture."""
    found = scalebar.length_of(pixel, unit, width)
    if found is not None:
        assert 0 < found[0] <= width / 3
        assert f"{float(found[1].split()[0]):e}"[0] in "125"


def test_a_scale_bar_is_drawn_where_the_pixel_is_known() -> None:
    """0.05 micrometres for each of 800 pixels: a tenth of a millimetre would not fit, ten micrometres do."""
    frame = np.zeros((600, 800), dtype=np.uint8)
    assert scalebar.length_of(0.05, "um", 800) == (200.0, "10 \u00b5m")
    assert picture(frame, pixel=(0.05, "um")) != picture(frame)
    assert picture(frame, pixel=(float("nan"), "um")) == picture(frame)


@settings(max_examples=30, deadline=None)
@given(
    data=hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=9), elements=NUMBERS),
    y=hnp.arrays(np.float64, st.integers(0, 20), elements=NUMBERS),
    field=st.one_of(st.none(), st.tuples(st.floats(-1, 1e9), st.floats(-1, 1e9))),
)
def test_any_map_stands_beside_any_spectrum(
    data: NDArray[np.float64], y: NDArray[np.float64], field: tuple[float, float] | None
) -> None:
    """A map of any proportion and a spectrum of any numbers are one picture."""
    png = map_beside_curve(data, Series(np.arange(y.size), y), title="t", x_label="x", field=field, unit="um")
    assert opened(png).size == (400, 300)


@given(st.floats(-1e150, 1e150), st.floats(1e-6, 1e150))
def test_ticks_lie_inside_the_axis_and_differ(low: float, span: float) -> None:
    """Every scale has at least one tick, and no label stands for two values."""
    axis = axes.linear_axis(low, low + span)
    labels = [text for _, text in axis.ticks]
    assert labels
    assert len(labels) == len(set(labels))
    assert all(-1e-6 <= axis.fraction(value) <= 1 + 1e-6 for value, _ in axis.ticks)


@given(st.text(max_size=80), st.integers(10, 300))
def test_text_is_cut_to_its_room(text: str, room: int) -> None:
    """Titles never run out of the picture, whatever alphabet they use."""
    assert lettering.width(lettering.fitted(text, 14, room), 14) <= room


def test_units_are_written_as_scientists_write_them() -> None:
    """The font lacks µ, Å and raised digits; they are drawn all the same, and not as replacement boxes."""
    assert lettering.drawable("I (cm^-1), q (Å⁻¹), µm") == "I (cm⁻¹), q (Å⁻¹), µm"
    assert lettering.drawable("Größe \u03b1 測") == "Grosse alpha ?"
    mask = Image.new("L", (60, 30), 255)
    lettering.write(mask, (2, 20), "µÅθλΔ", 14, 0)
    assert np.asarray(mask).min() < 60


@pytest.mark.parametrize(
    ("label", "shown"),
    [("h (um)", "h (µm)"), ("q (A-1)", "q (A⁻¹)"), ("V (ml(STP) g-1)", "V (ml(STP) g⁻¹)"), ("a (mA cm-2)", "a (mA cm⁻²)"),
     ("T (degC)", "T (°C)"), ("I (CO2)", "I (CO2)"), ("sum (umbrella)", "sum (umbrella)"), ("um", "um")],
)  # fmt: skip
def test_units_on_axes_are_written_as_in_print(label: str, shown: str) -> None:
    """Only what is a unit is changed, and only in the picture."""
    assert lettering.with_unit(label) == shown


def test_the_label_tells_which_way_an_axis_runs() -> None:
    """Whoever draws a spectrum over binding energies gets it as the field draws it, unless he says otherwise."""
    x = np.linspace(280, 295, 60)
    line = [Series(x, x)]
    assert curve(line, x_label="binding_energy (eV)") == curve(line, x_label="binding_energy (eV)", x_reversed=True)
    assert curve(line, x_label="wave_numbers (cm-1)") == curve(line, x_label="wave_numbers (cm-1)", x_reversed=False)


@pytest.mark.parametrize(
    ("name", "unit", "way"),
    [("Binding Energy", "eV", True), ("Wavenumber", "cm-1", True), ("wavenumbers", "1/cm", True), ("Chemical shift", "ppm", True),
     ("Kinetic Energy", "eV", False), ("Raman shift", "cm-1", False), ("Raman wavenumber", "cm-1", False),
     ("Wavelength", "nm", False), ("concentration", "ppm", False)],
)  # fmt: skip
def test_axes_run_as_the_field_expects(name: str, unit: str, *, way: bool) -> None:
    """Binding energies, infrared wavenumbers and chemical shifts fall from left to right, all else rises."""
    assert falls(name, unit) is way


def test_a_line_is_drawn_quickly() -> None:
    """Thousands of thumbnails a night: 12 ms each on a desk PC; five times that is allowed on a busy test machine."""
    x = np.linspace(0, 50, 5000)
    line = [Series(x, np.sin(x))]
    curve(line)
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        curve(line, title="t", x_label="x", y_label="y")
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.06


def test_a_thumbnail_knows_its_size() -> None:
    """Pages reserve the room before the picture is loaded."""
    made = thumbnail("caption", picture(np.zeros((30, 90), dtype=np.uint8)))
    assert (made.caption, made.width, made.height) == ("caption", *opened(made.png).size)
