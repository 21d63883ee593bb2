r"""What the daemon says on stderr: one event, one line.

An event has a stable name (`file.settled`, `delivery.delivered`) and fields. Under systemd it is a JSON line with the
priority in front that journald reads (sd-daemon(3), `<4>{...}`); on a terminal it is aligned for people. Times are UTC.
File names reach the log whole: bytes that are not UTF-8 as `\xNN`, line ends as `\n`, other control characters escaped,
so that no file name can forge a line or steer a terminal.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Literal

if "rich" in sys.modules or "structlog" in sys.modules:
    import structlog
else:
    # structlog imports rich for tracebacks that the service never draws: a tenth of a second and 8 MB at each start.
    sys.modules["rich"] = None  # type: ignore[assignment]  # an import of it now fails, as the import system documents
    import structlog

    del sys.modules["rich"]

from daemon.printable import CONTROL, escaped, printable
from ingestors.api import jsonable

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import TextIO

    from structlog.typing import EventDict, Processor, WrappedLogger

Mode = Literal["auto", "json", "console"]

_PRIORITY: Final = {"critical": 2, "error": 3, "exception": 3, "warning": 4, "info": 6, "debug": 7}
_NOISY: Final = (
    "watchdog",
    "uvicorn",
    "uvicorn.error",
    "uvicorn.access",
    "httpx",
    "httpcore",
    "asyncio",
    "PIL",
    "h5py",
)
_SECRET_NAME: Final = re.compile(
    r"api_?key|authorization|password|passwd|secret|(?:^|_)token$|credential$", re.IGNORECASE
)
_SECRET_TEXT: Final = re.compile(
    r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}|((?:api_?key|token|signature|x-goog-signature|x-goog-credential)=)[^&\s\"']+"
)
_HIDDEN: Final = "***"
_DEEPEST: Final = 8


def configure(mode: Mode = "auto", *, debug: bool = False, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records to `stream` (stderr), once for the process."""
    stream = sys.stderr if stream is None else stream
    _collect_nothing_unused()
    chosen = mode if mode != "auto" else detect(stream)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        _drop_private,
        _exception_text(full=debug),
        _without_secrets,
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared[:2], _name_foreign, *shared[2:]],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                json_line if chosen == "json" else _Console(colors=_colours(stream)),
            ],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    for name in _NOISY:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _collect_nothing_unused() -> None:
    """No line of ours says which thread, process or source line wrote it (Python's "Logging HOWTO", "Optimization")."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 as that page says


def only_warnings() -> None:
    """For commands whose stdout is data: what the parts that they use have to warn of goes to stderr."""
    configure()
    logging.getLogger().setLevel(logging.WARNING)


def logger(name: str) -> Any:
    """A logger. Modules of the command line take it from here, so that structlog is imported without rich (see above)."""
    return structlog.get_logger(name)


def detect(stream: TextIO) -> Literal["json", "console"]:
    """`json` if the stream is the journal (systemd.exec(5), $JOURNAL_STREAM) or no terminal, else `console`."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return "json"
    if os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}":
        return "json"
    return "console" if stream.isatty() else "json"


def json_line(logger: WrappedLogger, method: str, event: MutableMapping[str, Any]) -> str:
    """One line for the journal: the priority, then a JSON object that begins with time, level and event."""
    del logger
    level = str(event.get("level", method))
    first = {key: event[key] for key in ("timestamp", "level", "event") if key in event}
    line = json.dumps({**first, **{key: value for key, value in event.items() if key not in first}}, ensure_ascii=False)
    return f"<{_PRIORITY.get(level, 6)}>{CONTROL.sub(lambda match: f'{chr(92)}u{ord(match[0]):04x}', line)}"


class _Console:
    """One line for people: time, event, fields. Plain code of our own: structlog's would import rich."""

    _COLOURS: Final = {"critical": "31;1", "error": "31;1", "warning": "33", "info": "32", "debug": "2"}

    def __init__(self, *, colors: bool) -> None:
        self._colors = colors

    def __call__(self, logger: WrappedLogger, method: str, event: MutableMapping[str, Any]) -> str:
        """The line; an exception's text stands below it."""
        del logger
        fields = dict(event)
        at, level = str(fields.pop("timestamp", ""))[11:19], str(fields.pop("level", method))
        name, below = str(fields.pop("event", "")), fields.pop("exception", None)
        fields.pop("logger", None)
        mark = {"warning": "! ", "error": "!! ", "critical": "!! "}.get(level, "")
        told = "  ".join(f"{self._paint('2', escaped(key))} {_spelled(value)}" for key, value in fields.items())
        shown = self._paint(self._COLOURS.get(level, "0"), f"{mark + escaped(name):<22}")
        line = f"{self._paint('2', at)} {shown} {told}".rstrip()
        return "\n    ".join([line, *map(escaped, str(below).splitlines())]) if below else line

    def _paint(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colors else text


def _spelled(value: object) -> str:
    if isinstance(value, str):
        text = escaped(value)
        return text if text and not re.search(r"[\s\"]", text) else f'"{text}"'
    return f"{value:.3f}" if isinstance(value, float) else escaped(json.dumps(value, ensure_ascii=False))


def _colours(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _name_foreign(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A record of another library: its text becomes a field, its event is called after the library."""
    del method
    record = event.get("_record")
    source = record.name if isinstance(record, logging.LogRecord) else getattr(logger, "name", "log")
    event["message"], event["event"] = event["event"], f"{source.split('.')[0]}.log"
    event["logger"] = source
    return event


def _drop_private(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """ExtraAdder brings uvicorn's message in colours along."""
    del logger, method
    event.pop("color_message", None)
    return event


def _exception_text(*, full: bool) -> Processor:
    """`exc_info` becomes `exception`: the whole traceback, or its last line unless debugging."""

    def add(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        if not event.get("exc_info"):
            event.pop("exc_info", None)
            return event
        event = structlog.processors.format_exc_info(logger, method, event)
        text = str(event.get("exception", ""))
        if not full and not _is_bug(event):
            event["exception"] = text.strip().rsplit("\n", 1)[-1]
        return event

    return add


def _is_bug(event: Mapping[str, Any]) -> bool:
    """What was logged as an error with its exception is for the developers, and needs the whole traceback."""
    return event.get("level") in {"error", "critical"}


def _without_secrets(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Make every value plain, printable and free of keys and tokens."""
    del logger, method
    return {key: value if key.startswith("_") else _clean(key, value, 0) for key, value in event.items()}


def _clean(name: str, value: Any, depth: int) -> Any:
    if _SECRET_NAME.search(name) and value is not None and not isinstance(value, bool):
        return _HIDDEN
    if depth > _DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        return {printable(str(key)): _clean(str(key), item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean("", item, depth + 1) for item in value]
    if isinstance(value, PurePath):
        value = str(value)
    if value is None or isinstance(value, (bool, int, float)):
        return jsonable(value)
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    return printable(_SECRET_TEXT.sub(lambda match: f"{match[1] + ' ' if match[1] else match[2]}{_HIDDEN}", text))
