"""A simulated Vitess in a process of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import List, Sequence

PROGRAM = os.environ["VITESS_SIMULATOR"]


class Simulator:
    """Serves from its making until `stop`."""

    def __init__(self, seeds: Sequence[Path], options: Sequence[str] = ()) -> None:
        command = [PROGRAM, "--port", "0", *options]
        for seed in seeds:
            command += ["--seed", str(seed)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        if not self.address:
            raise RuntimeError("the simulator did not start")
        self.host, _, port = self.address.rpartition(":")
        self.port = int(port)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def run(self, target: str, statement: str) -> str:
        """The answer, as a table for people."""
        done = subprocess.run(
            [PROGRAM, "sql", "--address", self.address, "--target", target, statement],
            check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        if done.returncode != 0:
            raise RuntimeError(f"{statement}: {done.stderr}")
        return done.stdout

    def rows(self, target: str, statement: str) -> List[tuple]:
        """The rows of a SELECT, as texts; None for NULL."""
        _, dashes, *lines = self.run(target, statement).split("\n")
        bounds, begin = [], 0
        for dash in dashes.split("  "):
            bounds.append((begin, begin + len(dash)))
            begin += len(dash) + 2
        rows = []
        for line in lines[:-1]:
            cells = [line[first:last].rstrip(" ") for first, last in bounds]
            rows.append(tuple(None if cell == "NULL" else cell for cell in cells))
        return rows
