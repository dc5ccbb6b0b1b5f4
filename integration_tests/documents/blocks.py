"""The blocks of a Markdown page that are marked to be run.

A fenced block is run when the line before it is `<!-- runnable -->`, or `<!-- runnable with
postgres -->` where it needs a PostgreSQL. `<!-- prints -->` before a block says that it is what the
last one that was run wrote to standard output. `<!-- meanwhile KEYSPACE: STATEMENT -->` is done to
the source at its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Optional

_MARK = re.compile(r"<!-- (runnable( with postgres)?|prints|meanwhile (\w+): (.*)) -->$")
_FENCE = re.compile(r"(`{3,})(\w*)$")


class PageError(Exception):
    """A mark that does not stand where it has to."""


@dataclass
class Step:
    """A block that is run, or a statement for the source."""
    line: int  # in the page, from 1
    command: str = ""
    keyspace: str = ""
    statement: str = ""
    prints: Optional[str] = None


@dataclass
class Page:
    path: Path
    steps: List[Step] = field(default_factory=list)
    needs_postgres: bool = False


def parse(path: Path) -> Page:
    page = Page(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        mark = _MARK.match(lines[number])
        if not mark:
            if lines[number].lstrip().startswith(("<!-- runnable", "<!-- prints", "<!-- meanwhile")):
                raise PageError(f"{path}:{number + 1}: this is no mark: {lines[number]}")
            # Marks within other blocks are examples of themselves.
            number = _end_of_block(lines, number) if _FENCE.match(lines[number]) else number + 1
            continue
        if mark[3]:
            page.steps.append(Step(number + 1, keyspace=mark[3], statement=mark[4]))
            number += 1
            continue
        if number + 1 == len(lines) or not _FENCE.match(lines[number + 1]):
            raise PageError(f"{path}:{number + 1}: no block follows")
        end = _end_of_block(lines, number + 1)
        text = "\n".join(lines[number + 2:end - 1]) + "\n"
        if mark[1] == "prints":
            if not page.steps or not page.steps[-1].command:
                raise PageError(f"{path}:{number + 1}: nothing was run that could print this")
            page.steps[-1].prints = text
        else:
            page.steps.append(Step(number + 3, command=text))
            page.needs_postgres = page.needs_postgres or bool(mark[2])
        number = end
    return page


def _end_of_block(lines: List[str], begin: int) -> int:
    """Behind the line that closes the block which `lines[begin]` opens."""
    fence = _FENCE.match(lines[begin])
    assert fence
    for number in range(begin + 1, len(lines)):
        if lines[number] == fence[1]:
            return number + 1
    raise PageError(f"line {begin + 1}: the block does not end")


def pages(root: Path) -> List[Page]:
    """Every page of the project that has something to be run."""
    found = sorted([*root.glob("*.md"), *root.glob("docs/*.md"), *root.glob("examples/**/*.md")])
    return [page for page in map(parse, found) if page.steps]
