"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import settings

# A test that says nothing tries a few examples in `make test`, and hypothesis' own hundred in `make test-long`.
settings.register_profile("short", max_examples=30, deadline=None)
settings.register_profile("long", deadline=None)
settings.load_profile(os.environ.get("LABFERRY_EXAMPLES", "short"))
