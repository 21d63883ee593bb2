"""Print the JSON schema that editors check an instrument's YAML with: `python -m daemon.schema`."""

from __future__ import annotations

import json
import sys
from typing import Any

from daemon.settings import Instrument


def schema() -> dict[str, Any]:
    """The settings as JSON Schema (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Instrument.model_json_schema(),
        "title": "labferry",
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n")
