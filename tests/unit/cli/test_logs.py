from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

BEGIN = "import logging, sys\nfrom daemon.cli.logs import configure, structlog\nlog = structlog.get_logger('labferry.test')\n"


def lines(code: str, **environment: str) -> list[str]:
    """What a process writes to stderr, line by line."""
    kept = {key: value for key, value in os.environ.items() if key != "JOURNAL_STREAM"}
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code], capture_output=True, check=False, timeout=30, env={**kept, **environment}
    )
    return done.stderr.decode("utf-8").split("\n")[:-1]


def events(code: str) -> list[tuple[int, dict[str, Any]]]:
    """The priority and the fields of each JSON line."""
    found = []
    for line in lines("configure('json')\n" + code):
        assert line[0] == "<"
        assert line[2] == ">"
        found.append((int(line[1]), json.loads(line[3:])))
    return found


def test_an_event_is_one_json_line_with_its_priority() -> None:
    """Time in UTC, level and event come first; levels become syslog priorities."""
    (first, second) = events("log.info('file.settled', path='/a', size=3)\nlog.error('loop.failed')")
    assert (first[0], second[0]) == (6, 3)
    assert list(first[1]) == ["timestamp", "level", "event", "path", "size"]
    assert first[1]["event"] == "file.settled"
    assert first[1]["timestamp"].endswith("Z")


NASTY = '\'/data/a\\udcff\\n<0>{"event": "forged"}\\x1b[31m\\u2028\\x9b.h5\''


def test_a_file_name_cannot_forge_a_line() -> None:
    """Line ends, terminal codes and undecodable bytes of a name stay within its own line, in both modes."""
    ((_, event),) = events(f"log.info('file.seen', path={NASTY})")
    assert event["path"] == '/data/a\\xff\n<0>{"event": "forged"}\x1b[31m\u2028\x9b.h5'
    for mode in ("json", "console"):
        (line,) = lines(f"configure('{mode}')\nlog.info('file.seen', path={NASTY})")
        assert len(line.splitlines()) == 1
        assert not any(bad in line for bad in "\x1b\x9b\u2028\udcff")


def test_no_secret_is_written() -> None:
    """Keys, tokens and Authorization are hidden wherever they stand."""
    code = (
        "from pydantic import SecretStr\n"
        "log.info('x.y', api_key='s3cr3t', k=SecretStr('s3cr3t'), headers={'Authorization': 'Bearer s3cr3t'},"
        " text='sent Authorization: Bearer s3cr3t-s3cr3t', url='https://h/p?X-Goog-Signature=s3cr3t&part=1',"
        " deep=[{'token': 's3cr3t'}])\n"
        "logging.getLogger('httpx').warning('Bearer %s', 's3cr3t')\n"
    )
    for mode in ("json", "console"):
        text = "\n".join(lines(f"configure('{mode}')\n{code}"))
        assert "s3cr3t" not in text
        assert "***" in text
        assert "part=1" in text


def test_any_value_can_be_logged() -> None:
    """Odd values become plain ones: a log line never fails."""
    code = (
        "import pathlib\nloop = []\nloop.append(loop)\n"
        "log.info('x.y', nan=float('nan'), data=b'\\xff', path=pathlib.Path('/a'), loop=loop, big='x' * 99999,"
        " half='\\ud83d', keys={1: 2, '\\udcff': None})\n"
    )
    ((_, event),) = events(code)
    assert event["nan"] == "NaN"
    assert event["data"] == "\\xff"
    assert event["path"] == "/a"
    assert event["half"] == "\\ud83d"
    assert event["keys"] == {"1": 2, "\\xff": None}
    assert len(event["big"]) < 9000


def test_other_libraries_speak_up_only_for_warnings() -> None:
    """httpx, uvicorn and watchdog are heard from WARNING on, under a stable event name."""
    code = "".join(
        f"logging.getLogger('{name}').info('no')\nlogging.getLogger('{name}').warning('yes %d', 1)\n"
        for name in ("httpx", "uvicorn.access", "watchdog.observers")
    )
    found = events(code)
    assert [event["event"] for _, event in found] == ["httpx.log", "uvicorn.log", "watchdog.log"]
    assert {event["message"] for _, event in found} == {"yes 1"}


def test_a_bug_is_logged_with_its_traceback_in_one_line() -> None:
    """An exception at level error is whole, one at level warning is its last line."""
    code = (
        "try:\n    1 / 0\nexcept Exception:\n    log.exception('loop.failed')\n    log.warning('x.y', exc_info=True)\n"
    )
    (error, warning) = events(code)
    assert error[1]["exception"].startswith("Traceback")
    assert warning[1]["exception"] == "ZeroDivisionError: division by zero"


def test_debug_shows_more() -> None:
    """Debug events appear only when asked for."""
    code = "log.debug('x.y')\n"
    assert lines("configure('json')\n" + code) == []
    assert len(lines("configure('json', debug=True)\n" + code)) == 1


def test_the_journal_gets_json_and_a_person_text() -> None:
    """$JOURNAL_STREAM that names stderr means JSON; otherwise no terminal means JSON too, and a terminal text."""
    code = (
        "import os, pty\nfrom daemon.cli.logs import detect\n"
        "leader, follower = pty.openpty()\nterminal = os.fdopen(follower, 'w')\nstatus = os.fstat(follower)\n"
        "first = detect(terminal)\nos.environ['JOURNAL_STREAM'] = f'{status.st_dev}:{status.st_ino}'\n"
        "sys.stderr.write(f'{first} {detect(terminal)} {detect(sys.stderr)}\\n')\n"
    )
    assert lines(code) == ["console json json"]


def test_text_for_people_is_aligned() -> None:
    """Time, event and fields stand in one line without colours when it is no terminal."""
    (line,) = lines("configure('console')\nlog.warning('delivery.waiting', dataset='a b', seconds=1.23456)")
    assert line[2] == line[5] == ":"
    assert line[8:] == ' ! delivery.waiting     dataset "a b"  seconds 1.235'


def test_the_log_is_quick_to_import() -> None:
    """The service's log does not bring rich along."""
    assert lines("sys.stderr.write(str('rich' in sys.modules) + chr(10))") == ["False"]
