"""What the platform expects of a source's messages, as far as it can be told from the messages.

Each rule has a name; README.md of integration_tests/acceptance tells where rules come from.
"""

from __future__ import annotations

import json
from typing import Dict, List, Optional, Tuple

# The platform warns of a longer one.
LONGEST_LINE = 20_000_000
ACCEPTED = {"RECORD", "STATE", "TRACE", "LOG", "CONTROL"}
LEVELS = {"FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"}
TERMINAL = {"COMPLETE", "INCOMPLETE"}

Name = Tuple[Optional[str], str]


class _Stream:

    def __init__(self, configured: dict) -> None:
        self.properties = set(configured["stream"]["json_schema"]["properties"])
        self.key = [path[0] for path in configured.get("primary_key") or []]
        self.statuses: List[str] = []
        self.uncounted = 0  # records since its last state
        self.records = 0
        self.states = 0
        self.estimate: Optional[int] = None


class Rules:
    """Takes the lines of one read, and collects what is wrong with them."""

    def __init__(self, catalog: dict) -> None:
        self.broken: List[str] = []
        self.errors: List[dict] = []  # of TRACE messages
        self._streams: Dict[Name, _Stream] = {
            (each["stream"].get("namespace"), each["stream"]["name"]): _Stream(each)
            for each in catalog["streams"]}

    def _break(self, rule: str, text: str) -> None:
        self.broken.append(f"{rule}: {text}")

    def take(self, line: bytes) -> Optional[dict]:
        """The message, unless it is none."""
        if len(line) > LONGEST_LINE:
            self._break("line-length", f"{len(line)} bytes")
        if not line.endswith(b"\n"):
            self._break("line-end", f"{line[-80:]!r}")
        try:
            message = json.loads(line.decode("utf-8"))
            if not isinstance(message, dict):
                raise ValueError("no object")
        except ValueError as error:
            self._break("json", f"{error}: {line[:80]!r}")
            return None
        kind = message.get("type")
        if kind not in ACCEPTED:
            self._break("type", f"{kind} in a read")
        elif kind == "RECORD":
            self._take_record(message["record"])
        elif kind == "STATE":
            self._take_state(message["state"])
        elif kind == "TRACE":
            self._take_trace(message["trace"])
        elif kind == "LOG" and message["log"].get("level") not in LEVELS:
            self._break("log-level", str(message["log"].get("level")))
        return message

    def _find(self, rule: str, name: Name) -> Optional[_Stream]:
        stream = self._streams.get(name)
        if stream is None:
            self._break(rule, f"{name} is not in the catalog")
        return stream

    def _take_record(self, record: dict) -> None:
        name = (record.get("namespace"), record["stream"])
        stream = self._find("record-stream", name)
        if stream is None:
            return
        stream.records += 1
        stream.uncounted += 1
        data = record.get("data")
        if not data:
            self._break("record-data", f"{name} has a record without data")
            return
        if not set(data) <= stream.properties:
            self._break("record-columns", f"{name}: {sorted(set(data) - stream.properties)}")
        if stream.key and all(data.get(column) is None for column in stream.key):
            self._break("record-key", f"{name} has a record whose key is null")
        if "RUNNING" not in stream.statuses:
            self._break("status-order", f"{name} has a record before it is RUNNING")
        self._expect_open(name, stream, "a record")

    def _expect_open(self, name: Name, stream: _Stream, what: str) -> None:
        if TERMINAL & set(stream.statuses):
            self._break("status-order", f"{name} has {what} after {stream.statuses[-1]}")

    def _take_state(self, state: dict) -> None:
        if state.get("type") != "STREAM":
            self._break("state-type", str(state.get("type")))
            return
        descriptor = state["stream"]["stream_descriptor"]
        name = (descriptor.get("namespace"), descriptor["name"])
        stream = self._find("state-stream", name)
        if stream is None:
            return
        count = (state.get("sourceStats") or {}).get("recordCount")
        # A number with a point: the platform reads it as a double.
        if not isinstance(count, float):
            self._break("state-count", f"{name} counts {count!r}")
        elif count != stream.uncounted:
            self._break("state-count", f"{name} counts {count}, and {stream.uncounted} came")
        if not state["stream"].get("stream_state"):
            self._break("state-content", f"{name} has an empty state")
        stream.uncounted = 0
        stream.states += 1
        if "STARTED" not in stream.statuses:
            self._break("status-order", f"{name} has a state before it is STARTED")
        self._expect_open(name, stream, "a state")

    def _take_trace(self, trace: dict) -> None:
        kind = trace.get("type")
        if not isinstance(trace.get("emitted_at"), (int, float)):
            self._break("trace-time", str(trace.get("emitted_at")))
        if kind == "STREAM_STATUS":
            self._take_status(trace["stream_status"])
        elif kind == "ERROR":
            if not trace["error"].get("message"):
                self._break("error-message", "an error says nothing")
            self.errors.append(trace["error"])
        elif kind == "ESTIMATE":
            self._take_estimate(trace["estimate"])
        else:
            self._break("trace-type", str(kind))

    def _take_status(self, status: dict) -> None:
        descriptor = status["stream_descriptor"]
        name = (descriptor.get("namespace"), descriptor["name"])
        stream = self._find("status-stream", name)
        if stream is None:
            return
        now, before = status["status"], stream.statuses[-1] if stream.statuses else None
        allowed = {None: {"STARTED"}, "STARTED": {"RUNNING", "INCOMPLETE"},
                   "RUNNING": {"RUNNING", *TERMINAL}}.get(before, set())
        if now not in allowed:
            self._break("status-order", f"{name} is {now} after {before}")
        if now == "COMPLETE" and stream.uncounted:
            self._break("last-state", f"{name} has {stream.uncounted} records behind its last state")
        if now == "COMPLETE" and not stream.states:
            self._break("last-state", f"{name} has no state")
        stream.statuses.append(now)

    def _take_estimate(self, estimate: dict) -> None:
        if estimate.get("type") == "STREAM":
            stream = self._find("estimate-stream", (estimate.get("namespace"), estimate["name"]))
            if stream is not None:
                self._expect_open((estimate.get("namespace"), estimate["name"]), stream,
                                  "an estimate")
        elif estimate.get("type") != "SYNC":
            self._break("estimate-type", str(estimate.get("type")))
        for member in ("row_estimate", "byte_estimate"):
            value = estimate.get(member)
            if value is not None and (not isinstance(value, int) or value < 0):
                self._break("estimate", f"{member} is {value!r}")

    def records(self) -> int:
        return sum(stream.records for stream in self._streams.values())

    def end(self, exit_code: int, errors: bytes) -> None:
        """What has to hold once a read that nobody stopped has ended."""
        if errors:
            self._break("stderr", errors[:200].decode("utf-8", "replace"))
        complete = True
        for name, stream in self._streams.items():
            last = stream.statuses[-1] if stream.statuses else None
            complete = complete and last == "COMPLETE"
            if last not in TERMINAL:
                self._break("status-end", f"{name} ends as {last}")
        if complete != (exit_code == 0):
            self._break("exit-code", f"{exit_code}, and all streams complete: {complete}")
        if exit_code != 0 and not self.errors:
            self._break("exit-code", f"{exit_code} without an error that says why")
