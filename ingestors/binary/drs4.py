"""Waveforms of the DRS4 evaluation board (`.dat`).

Source: PSI, DRS4 Evaluation Board User's Manual, "Binary data format": `DRS2`, `TIME`, for each board `B#` and number, for each channel `C00n` and
1024 widths of the cells in ns; then events: `EHDR`, serial number, date and time, range in mV, per board `B#`, `T#` (trigger cell), per channel `C00n`, a
scaler (Hz) and 1024 voltages from 0 to 65535. The first generation (`TIME` at 0, `EHDR` at once) has no scalers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.api import Candidate, Quantity, UnreadableError
from ingestors.binary.signals import Axis, Signal, described, drawn
from ingestors.dat import dates
from ingestors.dat.reading import Reading

if TYPE_CHECKING:
    from ingestors.binary.source import Source

_CELLS: Final = 1024
_EVENT: Final = 24  # bytes of the header with its mark
_MOST_CHANNELS: Final = 64


@dataclass(frozen=True)
class _Board:
    number: int
    widths: dict[str, np.ndarray[Any, Any]]


def recognises(candidate: Candidate) -> str | None:
    """`DRS2` and `TIME`, or `TIME` and a board's or channel's mark."""
    head = candidate.head
    if head.startswith(b"DRS2TIME"):
        return "signature DRS2 TIME"
    return "signature TIME" if head.startswith((b"TIMEB#", b"TIMEC001")) else None


def read(source: Source, candidate: Candidate) -> Reading:
    """The boards, the number of events and the first one's waveforms."""
    boards, start = _boards(source)
    channels = sum(len(board.widths) for board in boards)
    if not channels:
        raise UnreadableError("The DRS4 file ends before the first channel.")
    second = source.some(0, 4) == b"DRS2"
    per_channel = 4 + (4 if second else 0) + 2 * _CELLS
    length = _EVENT + sum((4 + 4 if board.number >= 0 else 0) + per_channel * len(board.widths) for board in boards)
    if source.some(start, 4) != b"EHDR":
        raise UnreadableError("The DRS4 file holds no event yet.")
    events, rest = divmod(source.size - start, length)
    warnings = [f"The last event is incomplete ({rest} of {length} bytes)."] if rest else []
    metadata: dict[str, Any] = {
        "boards": [board.number for board in boards if board.number >= 0],
        "channels": channels,
        "events": events,
        "cells": _CELLS,
    }
    if not events:
        return Reading("DRS4 waveforms", metadata=metadata, warnings=tuple(warnings))
    serial, *clock, middle = source.unpack("<I7Hh", start + 4)
    when = _moment(clock)
    last = source.unpack("<I7Hh", start + (events - 1) * length + 4)
    metadata |= {"first event": serial, "range center": Quantity(middle, "mV"), "last event": last[0]}
    if ending := _moment(list(last[1:8])).iso:
        metadata["last event time"] = ending
    signals = _event(source, start + _EVENT, boards, middle / 1000, second=second)
    return Reading(
        "DRS4 waveforms",
        timestamp=when.iso,
        instrument="DRS4 evaluation board",
        keywords=("waveform",),
        metadata=metadata | described(signals),
        thumbnails=drawn(signals, f"{candidate.stem}, event {serial}"),
        warnings=(*when.warnings, *warnings),
    )


def _boards(source: Source) -> tuple[list[_Board], int]:
    """Boards with the widths of their cells, and where the events begin."""
    at = 8 if source.some(0, 4) == b"DRS2" else 4
    boards: list[_Board] = []
    while source.some(at, 4) != b"EHDR" and at + 4 <= source.size:
        mark = source.read(at, 4)
        if mark.startswith(b"B#"):
            boards.append(_Board(struct.unpack("<H", mark[2:])[0], {}))
            at += 4
        elif mark.startswith(b"C") and mark[1:].isdigit():
            if not boards:
                boards.append(_Board(-1, {}))
            boards[-1].widths[mark.decode("ascii")] = np.frombuffer(source.read(at + 4, 4 * _CELLS), "<f4")
            at += 4 + 4 * _CELLS
        else:
            raise UnreadableError(
                f"The DRS4 file is damaged: at byte {at} stands neither a board nor a channel nor an event."
            )
        if sum(len(board.widths) for board in boards) > _MOST_CHANNELS:
            raise UnreadableError("The DRS4 file is damaged: it has too many channels.")
    return boards, at


def _event(source: Source, at: int, boards: list[_Board], middle: float, *, second: bool) -> list[Signal]:
    """The waveforms of one event: the k-th time is the sum of the widths from the trigger cell on."""
    signals: list[Signal] = []
    for board in boards:
        trigger = 0
        if board.number >= 0:
            at += 4
            if source.read(at, 2) == b"T#":
                trigger = source.number("<H", at + 2) % _CELLS
                at += 4
        for name, widths in board.widths.items():
            at += 8 if second else 4
            counts = np.frombuffer(source.read(at, 2 * _CELLS), "<u2").astype(np.float64)
            at += 2 * _CELLS
            rolled = np.roll(widths.astype(np.float64), -trigger)
            ticks = np.concatenate(([0.0], np.cumsum(rolled)[:-1]))
            label = f"board {board.number} {name}" if len(boards) > 1 else name
            volts = counts / 65536 - 0.5 + middle
            signals.append(
                Signal(
                    volts, (Axis("Time", "ns", points=ticks),), "Voltage", "V", about={"label": label, "channel": name}
                )
            )
    return signals


def _moment(clock: list[int]) -> dates.Moment:
    year, month, day, hour, minute, second, millisecond = clock
    return dates.iso(f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millisecond:03}")
