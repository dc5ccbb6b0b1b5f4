"""Connections for another program: commands on stdin, answers on stdout, a JSON object a line.

A command has an "id" of the caller's, a "command", and, but for "open", the number of a
"connection". The answer has the same "id", and either "error", a text, or what is told below.
Commands run side by side; answers come as they are done.

    open        {file, history}                            -> {connection}
    start       {program: [path, argument...]}             -> {pid, port}
    connect     {port}                                     -> {}
    form        {}                                         -> {fields: [{name, kind, ...}],
                                                               tests: [{name, label}]}
    configure   {values: {field: text}}                    -> {refused: [text]}
    select      {selection}                                -> {}   (as in selection.py; null: all)
    test        {name}                                     -> {failure: text or null}
    schema      {}                                         -> {tables: [...]} or {status, text}
    update      {stop: {by, after_messages, after_bytes, after_milliseconds},
                 pause: {after_messages, milliseconds},
                 may_truncate: ["schema.table"], keep, patience_seconds}
                                                           -> the report (_report)
    cancel      {}                                         -> {}
    kill, stop  {}                                         -> {exit}
    resync      {state, begun: ["schema.table"]}           -> {}
    state       {}                                         -> {state}
    rows        {schema, table, columns}                   -> {rows: [text]}
    columns     {schema, table}                            -> {columns: [name]}
    count       {schema, table}                            -> {living, marked}
    log         {}                                         -> {lines: [text]}
    broken      {}                                         -> {broken: [text], rules: {name: count}}
    close       {}                                         -> {exit}

At the end of stdin all connectors that were started are killed, and the host ends.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any, Callable, TextIO

import grpc

from . import messages
from .catalog import Table
from .connection import Connection, Pause, Report, Stop
from .selection import Selection
from .warehouse import Warehouse

_THREADS = 64

Answer = dict[str, Any]


def _report(report: Report) -> Answer:
    counts = report.counts
    return {
        "succeeded": report.succeeded, "status": report.status, "text": report.text,
        "task": report.task, "warnings": report.warnings, "stopped": report.stopped,
        "timed_out": report.timed_out, "seconds": report.seconds, "messages": counts.messages,
        "bytes": counts.bytes, "records": counts.records, "checkpoints": counts.checkpoints,
        "schema_changes": counts.schema_changes,
        "tables": {".".join(key): asdict(table) for key, table in counts.tables.items()}}


def _table(table: Table) -> Answer:
    return {"schema": table.schema, "table": table.name,
            "columns": [{"name": column.name, "type": messages.DATA_TYPE_NAMES[column.type],
                         "in_key": column.in_key, "precision": column.precision,
                         "scale": column.scale, "byte_length": column.byte_length}
                        for column in table.columns.values()]}


class Server:
    """Reads commands until there are no more."""

    def __init__(self, commands: TextIO, answers: TextIO) -> None:
        self._commands = commands
        self._answers = answers
        self._writing = threading.Lock()
        self._connections: dict[int, Connection] = {}
        self._numbers = itertools.count(1)

    def run(self) -> None:
        pool = ThreadPoolExecutor(_THREADS)
        try:
            for line in self._commands:
                pool.submit(self._answer, json.loads(line))
        finally:
            for connection in list(self._connections.values()):
                connection.kill()
            pool.shutdown(cancel_futures=True)

    def _answer(self, command: dict[str, Any]) -> None:
        try:
            answer = self._run(command)
        except grpc.RpcError as error:
            answer = {"status": error.code().name, "text": error.details() or ""}
        except Exception as error:  # the caller gets it, whatever it is
            answer = {"error": f"{error!r}\n{traceback.format_exc()}"}
        line = json.dumps({"id": command["id"], **answer})
        with self._writing:
            self._answers.write(line + "\n")
            self._answers.flush()

    def _run(self, command: dict[str, Any]) -> Answer:
        name = command["command"]
        if name == "open":
            number = next(self._numbers)
            self._connections[number] = Connection(
                Warehouse(command.get("file") or ":memory:", command.get("history", False)))
            return {"connection": number}
        connection = self._connections[command["connection"]]
        if name == "close":
            del self._connections[command["connection"]]
        return _COMMANDS[name](connection, command)


def _start(connection: Connection, command: Answer) -> Answer:
    pid, port = connection.start(command["program"])
    return {"pid": pid, "port": port}


def _connect(connection: Connection, command: Answer) -> Answer:
    connection.connect(command["port"])
    return {}


def _form(connection: Connection, _command: Answer) -> Answer:
    form = connection.ask_form()
    return {"fields": [asdict(entry) for entry in form.fields],
            "tests": [{"name": name, "label": label} for name, label in form.tests]}


def _configure(connection: Connection, command: Answer) -> Answer:
    connection.configure(command["values"])
    assert connection.form is not None
    return {"refused": connection.form.refuse(command["values"])}


def _select(connection: Connection, command: Answer) -> Answer:
    connection.selection = Selection(command.get("selection"))
    return {}


def _test(connection: Connection, command: Answer) -> Answer:
    return {"failure": connection.test(command["name"])}


def _schema(connection: Connection, _command: Answer) -> Answer:
    return {"tables": [_table(table) for table in connection.ask_schema()]}


def _update(connection: Connection, command: Answer) -> Answer:
    stop = Stop(**command["stop"]) if command.get("stop") else None
    pause = Pause(**command["pause"]) if command.get("pause") else None
    return _report(connection.update(stop, pause, command.get("may_truncate", ()),
                                     command.get("keep", True),
                                     command.get("patience_seconds", 600.0)))


def _cancel(connection: Connection, _command: Answer) -> Answer:
    connection.cancel()
    return {}


def _kill(connection: Connection, _command: Answer) -> Answer:
    connection.kill()
    return {}


def _stop(connection: Connection, _command: Answer) -> Answer:
    return {"exit": connection.stop()}


def _resync(connection: Connection, command: Answer) -> Answer:
    connection.resync(command.get("state", "{}"), command.get("begun", ()))
    return {}


def _state(connection: Connection, _command: Answer) -> Answer:
    return {"state": connection.warehouse.state}


def _rows(connection: Connection, command: Answer) -> Answer:
    key = (command["schema"], command["table"])
    return {"rows": connection.warehouse.rows(key, command.get("columns"))}


def _columns(connection: Connection, command: Answer) -> Answer:
    table = connection.warehouse.table((command["schema"], command["table"]))
    return {"columns": list(table.columns) if table is not None else []}


def _count(connection: Connection, command: Answer) -> Answer:
    key = (command["schema"], command["table"])
    return {"living": connection.warehouse.count(key),
            "marked": connection.warehouse.count(key, living=False)}


def _log(connection: Connection, _command: Answer) -> Answer:
    return {"lines": connection.log()}


def _broken(connection: Connection, _command: Answer) -> Answer:
    connection.check_log()
    return {"broken": connection.findings.tell(), "rules": connection.findings.counts()}


def _close(connection: Connection, _command: Answer) -> Answer:
    code = connection.stop()
    connection.close()
    return {"exit": code, **_broken(connection, {})}


_COMMANDS: dict[str, Callable[[Connection, Answer], Answer]] = {
    "start": _start, "connect": _connect, "form": _form, "configure": _configure,
    "select": _select, "test": _test, "schema": _schema, "update": _update, "cancel": _cancel,
    "kill": _kill, "stop": _stop, "resync": _resync, "state": _state, "rows": _rows,
    "columns": _columns, "count": _count, "log": _log, "broken": _broken, "close": _close,
}


def serve() -> None:
    Server(sys.stdin, sys.stdout).run()
