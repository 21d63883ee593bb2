from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.placeholders import Template, look_up

VALUES: dict[str, Any] = {
    "measurement": "Raman",
    "timestamp": "2026-11-20T16:05:07+01:00",
    "project_id": "",
    "public": False,
    "samples": ["wafer 3", "grid-7"],
    "metadata": {"laser": {"power": {"value": 1.5, "unit": "mW"}, "x.y": 3}, "scan": {"rows": [4, 5]}, "e": 1e-07},
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("{measurement} of {samples}", "Raman of wafer 3, grid-7"),
        ("{timestamp:%H:%M}", "16:05"),
        ("{metadata.laser.power}", "1.5 mW"),
        ("{metadata.laser.power:.2f} W", "1.50 W"),
        ("{metadata.laser.x.y}/{metadata.scan.rows.1}", "3/5"),
        ("{metadata.e}", "1e-07"),
        ("{project_id|measurement}", "Raman"),
        ("{project_id|nothing|'lab'}", "lab"),
        ("{{{measurement}}}", "{Raman}"),
        ("{public}", "false"),
    ],
)
def test_a_template_is_filled(text: str, filled: str) -> None:
    """Names, paths, lists, formats and alternatives give the text that a person expects."""
    assert Template.parse(text).fill(VALUES) == filled


@pytest.mark.parametrize("text", ["{project_id}", "{metadata.laser.colour} nm", "x {nobody}"])
def test_a_placeholder_without_a_value_fills_nothing(text: str) -> None:
    """There is no text with a hole in it: the template says which placeholder is open."""
    template = Template.parse(text)
    assert template.fill(VALUES) is None
    assert template.missing(VALUES) == next(iter(template.names()))


def test_a_placeholder_alone_gives_every_item_of_a_list() -> None:
    """Where texts are listed, a list in the values adds all of its items."""
    assert Template.parse("{samples}").fill_all(VALUES) == ["wafer 3", "grid-7"]
    assert Template.parse("no. {samples}").fill_all(VALUES) == ["no. wafer 3, grid-7"]
    assert Template.parse("{nobody}").fill_all(VALUES) == []


@pytest.mark.parametrize(
    "text", ["{", "}", "{}", "{a!r}", "{a|}", "{a|'b}", "{a:{b}}", "{a:999999999d}", "{a:zz}", "{:%H}"]
)
def test_a_mistake_in_a_template_is_told(text: str) -> None:
    """What is no template is refused when it is read, not when a dataset comes."""
    with pytest.raises(ValueError, match=r"placeholder|brace"):
        Template.parse(text)


def test_a_format_that_does_not_fit_is_told() -> None:
    """A number's format on a text, or a time's on a list, names the value."""
    for text in ("{measurement:%H}", "{samples:.2f}", "{public:d}"):
        with pytest.raises(ValueError, match="could be written as"):
            Template.parse(text).fill(VALUES)


def test_nothing_of_python_can_be_reached() -> None:
    """Only plain values are looked up: no attribute, no method, no global."""
    for name in ("measurement.__class__", "metadata.__init__.__globals__", "samples.append"):
        assert look_up(VALUES, name) is None


@given(st.text())
def test_any_text_is_a_template_or_a_told_mistake(text: str) -> None:
    """Reading and filling any text ends in a text, in nothing or in a ValueError."""
    try:
        filled = Template.parse(text).fill(VALUES)
    except ValueError:
        return
    assert filled is None or isinstance(filled, str)
