"""What the Dockerfile says of the image, which the platform goes by."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Dict, List

DOCKERFILE = Path(__file__).resolve().parents[2] / "Dockerfile"


def _last_stage() -> List[str]:
    """The instructions of the stage that becomes the image, continued lines joined."""
    text = re.sub(r"\\\n", " ", DOCKERFILE.read_text())
    lines = [line.strip() for line in text.splitlines() if not line.startswith("#")]
    last = max(index for index, line in enumerate(lines) if line.startswith("FROM "))
    return lines[last + 1:]


def environment() -> Dict[str, str]:
    variables: Dict[str, str] = {}
    for line in _last_stage():
        if line.startswith("ENV "):
            variables.update(part.split("=", 1) for part in shlex.split(line[len("ENV "):]))
    return variables


def entry_point() -> List[str]:
    [line] = [line for line in _last_stage() if line.startswith("ENTRYPOINT ")]
    return json.loads(line[len("ENTRYPOINT "):])
