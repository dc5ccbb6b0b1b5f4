"""The platform's containers: a job whose output goes to a file, and a sync whose output is piped."""

from __future__ import annotations

import array
import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import Dict, Iterator, List, Optional

from . import image

HERE = Path(__file__).resolve().parent
PROGRAM = os.environ["SOURCE_VITESS_PROGRAM"]
SCRIPT = (HERE / "script.sh").read_text()
USER = 1000
TIMEOUT = 120.0

# What the platform sets besides the image's own. Nothing of it changes what this connector does.
VARIABLES = {
    "DEPLOYMENT_MODE": "OSS", "LOG_LEVEL": "INFO", "USE_STREAM_CAPABLE_STATE": "true",
    "WORKER_CONNECTOR_IMAGE": "source-vitess:dev", "WORKER_JOB_ID": "7",
    "WORKER_JOB_ATTEMPT": "0", "DATA_CHANNEL_MEDIUM": "STDIO", "DATA_CHANNEL_FORMAT": "JSONL",
    "AIRBYTE_ENABLE_UNSAFE_CODE": "true",
}


def require_root() -> None:
    if os.geteuid() != 0:
        raise PermissionError("these tests make name spaces and mounts: run them as root")


class Pod:
    """Folders as the platform mounts them, and one container that uses them."""

    def __init__(self, variables: Optional[Dict[str, str]] = None) -> None:
        require_root()
        self._folder = tempfile.TemporaryDirectory()
        self.source = self._make_folder("source")
        self.config = self._make_folder("config")
        # What the shell of the container and its making say, which nobody reads when all is well.
        self._complaints = Path(self._folder.name) / "complaints"
        self._variables = {**VARIABLES, **image.environment(), **(variables or {})}
        self._process: Optional[subprocess.Popen] = None

    def _make_folder(self, name: str) -> Path:
        folder = Path(self._folder.name) / name
        folder.mkdir()
        os.chown(folder, USER, USER)
        return folder

    def start(self, stdout: str, stderr: str, command: str) -> None:
        [place] = image.entry_point()
        with open(self._complaints, "wb") as complaints:
            self._process = subprocess.Popen(
                [str(HERE / "container"), PROGRAM, place, str(self.source), str(self.config),
                 *(f"{name}={value}" for name, value in self._variables.items()),
                 SCRIPT, "script", stdout, stderr, command],
                stdin=subprocess.DEVNULL, stderr=complaints)

    def runs(self) -> bool:
        assert self._process is not None
        return self._process.poll() is None

    def exit_code(self) -> int:
        """Waits for what the script leaves; 1 where it leaves nothing, as the platform has it."""
        assert self._process is not None
        self._process.wait(TIMEOUT)
        file = self.source / "exitCode.txt"
        if file.exists():
            return int(file.read_text())
        sys.stderr.write(f"The container left no exit code. {self._complaints.read_text()}")
        return 1

    def terminate(self) -> None:
        """As the platform cancels: the shell around the connector gets SIGTERM."""
        (self.source / "TERMINATED").touch()

    def kill(self) -> None:
        """Everything in the container, at once, as its process 1 goes."""
        assert self._process is not None
        pid = self._process.pid
        try:
            first = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:  # it has ended meanwhile
            first = []
        self._process.kill()
        self._process.wait()
        for child in first:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)

    def close(self) -> None:
        if self._process is not None and self.runs():
            self.kill()
        self._folder.cleanup()

    def __enter__(self) -> "Pod":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class Job(Pod):
    """spec, check or discover."""

    def run(self, command: str, config: Optional[dict] = None) -> int:
        """The exit code; messages() tells what it printed."""
        if config is not None:
            (self.config / "connectionConfiguration.json").write_text(json.dumps(config))
            command += " --config /config/connectionConfiguration.json"
        self.start("/config/jobOutput.json", "/config/errors", command)
        return self.exit_code()

    def messages(self) -> List[dict]:
        return [json.loads(line) for line in
                (self.config / "jobOutput.json").read_bytes().splitlines()]

    def errors(self) -> str:
        return (self.config / "errors").read_text()


class Sync(Pod):
    """read, with named pipes between it and the orchestrator."""

    def __init__(self, config: dict, catalog: dict, states: List[dict],
                 variables: Optional[Dict[str, str]] = None) -> None:
        super().__init__(variables)
        (self.source / "connectorConfig.json").write_text(json.dumps(config))
        (self.source / "catalog.json").write_text(json.dumps(catalog))
        command = "read --config /source/connectorConfig.json --catalog /source/catalog.json"
        if states:
            (self.source / "inputState.json").write_text(json.dumps(states))
            command += " --state /source/inputState.json"
        self.errors = b""
        self._pipes = [self._make_pipe("stdout"), self._make_pipe("stderr")]
        self.start("/source/stdout", "/source/stderr", command)

    def _make_pipe(self, name: str) -> int:
        path = self.source / name
        os.mkfifo(path)
        os.chown(path, USER, USER)
        # Opened at once, without waiting for the other end: it may be killed before it opens its own.
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def unread(self) -> int:
        """The bytes of stdout that wait to be read."""
        count = array.array("i", [0])
        fcntl.ioctl(self._pipes[0], termios.FIONREAD, count)
        return count[0]

    def lines(self) -> Iterator[bytes]:
        """The lines of stdout, the last one perhaps without its end. Nothing is read ahead of what is
        asked for but a part of a pipe, so that whoever stops asking makes the connector wait."""
        stdout, stderr = self._pipes
        poll = select.poll()
        poll.register(stdout, select.POLLIN)
        poll.register(stderr, select.POLLIN)
        opened = {stdout, stderr}
        rest = b""
        patience = time.monotonic() + TIMEOUT
        while stdout in opened:
            ready = poll.poll(100)
            if not ready:
                if not self.runs():
                    break
                if time.monotonic() > patience:
                    raise TimeoutError("nothing came for long")
                continue
            patience = time.monotonic() + TIMEOUT
            for pipe, _events in ready:
                chunk = os.read(pipe, 16384)
                if not chunk:
                    poll.unregister(pipe)
                    opened.discard(pipe)
                elif pipe == stderr:
                    self.errors += chunk
                else:
                    *whole, rest = (rest + chunk).split(b"\n")
                    for line in whole:
                        yield line + b"\n"
        if rest:
            yield rest

    def close(self) -> None:
        super().close()
        for pipe in self._pipes:
            os.close(pipe)
        self._pipes = []
