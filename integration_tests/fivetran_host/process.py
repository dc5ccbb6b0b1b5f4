"""A connector's process: its port, its log, its end [2.1, 2.10]."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from typing import IO, Mapping, Optional, Sequence

from .findings import Findings

_LEVELS = ("INFO", "WARNING", "SEVERE")
_ORIGIN = "sdk_connector"
_LISTENING = re.compile(r"\b[Ll]istening on port (\d+)")
_START_SECONDS = 30.0


def check_log_line(line: bytes, findings: Findings) -> Optional[str]:
    """The message of a line that the connector wrote to stdout, checked."""
    try:
        entry = json.loads(line)
        if not isinstance(entry, dict):
            raise ValueError("no object")
    except ValueError:
        findings.add("log-line", "stdout", f"it is no JSON object: {line[:80]!r}")
        return None
    if entry.get("level") not in _LEVELS:
        findings.add("log-line", "stdout", f"its level is {entry.get('level')}")
    if entry.get("message-origin") != _ORIGIN:
        findings.add("log-line", "stdout", f"its origin is {entry.get('message-origin')}")
    message = entry.get("message")
    if not isinstance(message, str) or not message:
        findings.add("log-line", "stdout", "it has no message")
        return None
    return message


class ConnectorProcess:
    """A connector that runs; `--port 0` is to make it choose a port, which it says in its log."""

    def __init__(self, command: Sequence[str], findings: Findings,
                 environment: Optional[Mapping[str, str]] = None) -> None:
        self._findings = findings
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, env=environment)
        self._lock = threading.Lock()
        self._log: list[str] = []
        self._messages: list[str] = []
        self._errors = b""
        self._port: Optional[int] = None
        self._started = threading.Event()  # it listens, or has ended
        self._expected_to_end = False
        assert self._process.stdout is not None and self._process.stderr is not None
        self._readers = [
            threading.Thread(target=self._read_log, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_errors, args=(self._process.stderr,), daemon=True)]
        for reader in self._readers:
            reader.start()

    def _read_log(self, stdout: IO[bytes]) -> None:
        for line in stdout:
            message = check_log_line(line, self._findings)
            with self._lock:
                self._log.append(line.decode("utf-8", errors="replace").rstrip("\n"))
                listening = _LISTENING.search(message) if message and self._port is None else None
                if listening:
                    self._port = int(listening.group(1))
                    self._started.set()
        self._started.set()

    def _read_errors(self, stderr: IO[bytes]) -> None:
        while chunk := stderr.read1(65536):  # type: ignore[attr-defined]
            if not self._errors:
                self._findings.add("stderr", "stderr", chunk[:500].decode("utf-8", "replace"))
            with self._lock:
                self._errors += chunk

    @property
    def pid(self) -> int:
        return self._process.pid

    def port(self) -> int:
        """Waits for the port. Raises RuntimeError when there is none."""
        self._started.wait(_START_SECONDS)
        with self._lock:
            if self._port is not None:
                return self._port
            errors = self._errors.decode("utf-8", errors="replace")
        raise RuntimeError(f"the connector does not listen: {self.log()} {errors}")

    def log(self) -> list[str]:
        """The lines so far."""
        with self._lock:
            return list(self._log)

    def runs(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL, at any point of its work."""
        self._expected_to_end = True
        self._process.kill()
        self._end()

    def terminate(self, seconds: float = 30.0) -> int:
        """SIGTERM; the exit code, negative for a signal."""
        self._expected_to_end |= self.runs()
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._findings.add("process", "SIGTERM", f"it still runs after {seconds} s")
            self._process.kill()
        return self._end()

    def _end(self) -> int:
        code = self._process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        if not self._expected_to_end:
            self._findings.add("process", "process", f"it ended by itself, with {code}")
        return code
