"""The README's table of log events is the code's."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def logged() -> dict[str, set[str]]:
    """Every event that the daemon logs, with the names of its fields."""
    events: dict[str, set[str]] = {}
    for path in (PROJECT / "daemon").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "log"):
                continue
            name = node.args[0]
            assert isinstance(name, ast.Constant), f"{path}:{node.lineno}: an event's name is no constant"
            events.setdefault(str(name.value), set()).update(one.arg for one in node.keywords if one.arg)
    return events


def documented() -> set[str]:
    """The events of the README's table."""
    text = (PROJECT / "README.md").read_text("utf-8").partition("| event | means |")[2].partition("\n## ")[0]
    return {name for row in re.findall(r"^\| (`.+?) \|", text, re.MULTILINE) for name in re.findall(r"`([\w.]+)`", row)}


def test_every_event_of_the_code_is_documented_and_no_other() -> None:
    """The table holds exactly the events that the code logs."""
    assert documented() == set(logged())


def test_event_names_are_a_thing_and_what_happened_to_it() -> None:
    """An event is called `thing.happened`, in lower case, so that it can be filtered by either half."""
    assert [name for name in logged() if not re.fullmatch(r"[a-z]+\.[a-z_]+", name)] == []
