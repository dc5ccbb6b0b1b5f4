"""One user's connection: a connector, what was filled in and chosen, and the warehouse."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Collection, Mapping, Optional, Sequence

import grpc

from .catalog import Table, read_schema_response
from .client import Client, UpdateCall
from .findings import Findings, Secrets
from .form import Form, read_form
from .process import ConnectorProcess
from .selection import Selection
from .stream import Progress, Stream, StreamCounts
from .warehouse import Warehouse

_MOST_BYTES_OF_STATUS = 8000


@dataclass(frozen=True)
class Stop:
    """When an Update is ended early, and how: by cancelling the call, by killing the connector, or
    by asking it to end (SIGTERM)."""
    by: str = "cancel"  # or "kill" or "terminate"
    after_messages: Optional[int] = None
    after_bytes: Optional[int] = None  # with the message that reaches them
    after_milliseconds: Optional[float] = None


@dataclass(frozen=True)
class Pause:
    """A host that is busy: how long it takes nothing, behind which message."""
    after_messages: int
    milliseconds: float


@dataclass
class Report:
    """What became of an Update."""
    status: str = ""  # the code's name
    text: str = ""
    task: Optional[str] = None
    warnings: list[str] = field(default_factory=list)
    counts: StreamCounts = field(default_factory=StreamCounts)
    stopped: bool = False   # by the host
    timed_out: bool = False
    seconds: float = 0.0

    @property
    def succeeded(self) -> bool:
        return self.status == "OK" and self.task is None and not self.stopped


class Connection:
    """Calls may be made from several threads, but one Update at a time."""

    def __init__(self, warehouse: Warehouse, findings: Optional[Findings] = None) -> None:
        self.warehouse = warehouse
        self.findings = findings or Findings()
        self.configuration: dict[str, str] = {}
        self.selection = Selection()
        self.form: Optional[Form] = None
        self.declared: list[Table] = []
        self._process: Optional[ConnectorProcess] = None
        self._client: Optional[Client] = None
        self._call: Optional[UpdateCall] = None
        self._stopped = threading.Event()
        self._checked_lines = 0  # of the log

    # --- the connector

    def start(self, command: Sequence[str],
              environment: Optional[Mapping[str, str]] = None) -> tuple[int, int]:
        """Starts a connector, in the place of the former one; its process and its port."""
        self.stop()
        self._process = ConnectorProcess(command, self.findings, environment)
        self._checked_lines = 0
        port = self._process.port()
        self.connect(port)
        return self._process.pid, port

    def connect(self, port: int, host: str = "127.0.0.1") -> None:
        """Uses a connector that somebody else runs."""
        if self._client is not None:
            self._client.close()
        self._client = Client(port, host)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def stop(self) -> Optional[int]:
        """Ends the connector as the platform does; its exit code if this host started it."""
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._process is None:
            return None
        code = self._process.terminate()
        self.check_log()
        self._process = None
        return code

    def close(self) -> None:
        self.stop()
        self.warehouse.close()

    def log(self) -> list[str]:
        return self._process.log() if self._process is not None else []

    def check_log(self) -> None:
        """Looks for secrets in what the connector has logged."""
        lines = self.log()
        secrets = self._secrets()
        for line in lines[self._checked_lines:]:
            secrets.look_in(line.encode(), "log")
        self._checked_lines = len(lines)

    def _secrets(self) -> Secrets:
        texts = self.form.secrets(self.configuration) if self.form is not None else []
        return Secrets(texts, self.findings)

    def _calls(self) -> Client:
        if self._client is None:
            raise RuntimeError("there is no connector")
        return self._client

    # --- the calls that answer once. They raise grpc.RpcError.

    def ask_form(self) -> Form:
        self.form = read_form(self._calls().configuration_form(), self.findings)
        return self.form

    def configure(self, given: Mapping[str, str]) -> None:
        """Fills in the form, which is asked for first."""
        form = self.form or self.ask_form()
        self.configuration = form.fill_in(given)

    def test(self, name: str) -> Optional[str]:
        """What is wrong; nothing if it passes."""
        response = self._checked(lambda: self._calls().test(name, self.configuration),
                                 f"Test {name}")
        kind = response.WhichOneof("response")
        if kind == "failure":
            self._secrets().look_in(response.failure.encode(), f"Test {name}")
            if not response.failure.strip():
                self.findings.add("notice", f"Test {name}", "a failure without words")
            return response.failure
        if kind is None or not response.success:
            self.findings.add("message", f"Test {name}", "it neither succeeds nor fails")
            return "it says nothing"
        return None

    def ask_schema(self) -> list[Table]:
        """The tables that are there to choose from; those that are selected are made."""
        raw = self._checked(lambda: self._calls().schema(self.configuration), "Schema")
        self.declared = read_schema_response(raw, self.findings)
        for table in self.declared:
            if self.selection.has_table(*table.id):
                self.warehouse.describe(self._selected(table))
        return self.declared

    def _selected(self, table: Table) -> Table:
        return Table(table.schema, table.name, {
            name: column for name, column in table.columns.items()
            if self.selection.has_column(table, name)})

    def _checked(self, call, where):  # type: ignore[no-untyped-def]
        try:
            return call()
        except grpc.RpcError as error:
            self._check_status(error.details() or "", where)
            raise

    def _check_status(self, text: str, where: str) -> None:
        if len(text.encode()) >= _MOST_BYTES_OF_STATUS:
            self.findings.add("status-text", where, f"{len(text.encode())} bytes")
        if "larger than max" in text:
            self.findings.add("message-size", where, text)
        self._secrets().look_in(text.encode(), where)

    # --- Update

    def resync(self, state: str = "{}", begun: Collection[str] = ()) -> None:
        """Puts a state in the place of the saved one. The rows stay. `begun`: the tables,
        "schema.table", that it has; without any, a state that is not empty is from elsewhere."""
        known = bool(begun) or state in ("", "{}")
        self.warehouse.set_state(state, Progress(set(begun), set(begun), known).save())

    def update(self, stop: Optional[Stop] = None, pause: Optional[Pause] = None,
               may_truncate: Collection[str] = (), keep: bool = True,
               patience_seconds: float = 600.0) -> Report:
        """One Update from the saved state. `keep`: whether what came behind the last checkpoint of
        one that does not succeed is in the warehouse."""
        self._stopped.clear()
        stream = Stream(self.warehouse, self.declared, self.selection, self.findings, may_truncate,
                        self._secrets())
        report = Report(counts=stream.counts, warnings=stream.warnings)
        begin = time.monotonic()
        self.warehouse.begin_update()
        self._call = self._calls().update(self.configuration, self.selection, self.warehouse.state)
        timers = self._timers(stop, patience_seconds, report)
        try:
            self._take_messages(self._call, stream, stop, pause)
        except BaseException:
            self._call.cancel()
            self.warehouse.end_update(keep=False)
            raise
        finally:
            for timer in timers:
                timer.cancel()
        report.status, report.text = self._call.status()
        report.task = stream.task
        report.stopped = self._stopped.is_set()
        report.seconds = time.monotonic() - begin
        self.warehouse.end_update(keep or report.succeeded)
        if not report.stopped:
            stream.end(report.status == "OK")
            self._check_status(report.text, "Update")
            if self._process is not None and not self._process.runs():
                self.findings.add("process", "Update", "it has ended by itself")
        return report

    def cancel(self) -> None:
        """Ends the Update that is under way, from another thread."""
        self._stop("cancel")

    def _take_messages(self, call: UpdateCall, stream: Stream, stop: Optional[Stop],
                       pause: Optional[Pause]) -> None:
        for raw in call.messages():
            stream.take(raw)
            counts = stream.counts
            if pause is not None and counts.messages == pause.after_messages:
                self._stopped.wait(pause.milliseconds / 1000)
            if self._stopped.is_set():
                continue  # what was on its way arrives
            if stop is not None and (
                    (stop.after_messages is not None and counts.messages >= stop.after_messages) or
                    (stop.after_bytes is not None and counts.bytes >= stop.after_bytes)):
                self._stop(stop.by)

    def _timers(self, stop: Optional[Stop], patience_seconds: float,
                report: Report) -> list[threading.Timer]:
        def give_up() -> None:
            report.timed_out = True
            self._stop("cancel")

        timers = [threading.Timer(patience_seconds, give_up)]
        if stop is not None and stop.after_milliseconds is not None:
            timers.append(
                threading.Timer(stop.after_milliseconds / 1000, self._stop, (stop.by,)))
        for timer in timers:
            timer.daemon = True
            timer.start()
        return timers

    def _stop(self, by: str) -> None:
        self._stopped.set()
        if by == "kill":
            self.kill()
        elif by == "terminate" and self._process is not None:
            self._process.terminate()
        elif self._call is not None:
            self._call.cancel()
