"""The page that tells who is at work in a worker."""

from __future__ import annotations

import os
import sys
from subprocess import run

from hypothesis import given
from hypothesis import strategies as st

from daemon.extract.pulse import Pulse


def test_another_process_reads_what_was_told_last() -> None:
    """The name reaches whoever inherits the descriptor, also when the writer was killed in the middle."""
    ours, page = Pulse.create()
    told = "import os, sys; from daemon.extract.pulse import Pulse; pulse = Pulse(int(sys.argv[1]))"
    script = f"{told}; pulse.tell('first'); pulse.tell('dat'); os.kill(os.getpid(), 9)"
    before = ours.count()
    run([sys.executable, "-c", script, str(page)], pass_fds=(page,), check=False)
    os.close(page)
    assert (ours.name(), ours.count() != before) == ("dat", True)


@given(st.lists(st.text(), min_size=1))
def test_every_name_changes_the_count(names: list[str]) -> None:
    """Whatever the name, the count changes and the name's beginning is read back."""
    pulse, page = Pulse.create()
    os.close(page)
    for name in names:
        before = pulse.count()
        pulse.tell(name)
        assert pulse.count() != before
        assert (
            name.encode("utf-8", "replace").decode().startswith(pulse.name()[:100].rstrip("\N{REPLACEMENT CHARACTER}"))
        )
