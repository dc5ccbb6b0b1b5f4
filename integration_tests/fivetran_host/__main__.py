"""A connection on the command line: what Fivetran's own tester does [3.3].

The form's tests, the schema, and one Update from DIR/state.json into DIR/warehouse.db. Run again,
it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from typing import Any

import grpc

from .connection import Connection, Report
from .selection import Selection, everything
from .warehouse import Warehouse


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m fivetran_host",
        description="Runs one sync of a Fivetran source connector into a SQLite database.")
    connector = parser.add_mutually_exclusive_group(required=True)
    connector.add_argument("--connector", metavar="PATH",
                           help="the connector, which is started as PATH fivetran --port 0")
    connector.add_argument("--port", type=int, help="of a connector that runs already")
    connector.add_argument("--serve", action="store_true",
                           help="take commands from stdin instead (fivetran_host/server.py)")
    parser.add_argument("--configuration", metavar="FILE",
                        help="the values of the form: a JSON object of texts")
    parser.add_argument("--directory", metavar="DIR",
                        help="where warehouse.db and state.json are, or will be")
    parser.add_argument("--selection", metavar="FILE",
                        help="the choice of tables (fivetran_host/selection.py); written, with "
                        "everything chosen, where it does not exist")
    parser.add_argument("--history", action="store_true", help="a new warehouse is in history mode")
    arguments = parser.parse_args()
    if not arguments.serve and not (arguments.configuration and arguments.directory):
        parser.error("--configuration and --directory are needed")
    return arguments


def _read_json(path: pathlib.Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _write_json(path: pathlib.Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _set_up(connection: Connection, arguments: argparse.Namespace) -> bool:
    """The form and its tests; whether all of them passed."""
    given = _read_json(pathlib.Path(arguments.configuration))
    connection.configure(given)
    assert connection.form is not None
    refused = connection.form.refuse(given)
    for problem in refused:
        print(f"configuration: {problem}")
    if refused:
        return False
    for name, label in connection.form.tests:
        failure = connection.test(name)
        print(f"[{label}]: {'PASSED' if failure is None else 'FAILED: ' + failure}")
        if failure is not None:
            return False
    return True


def _choose(connection: Connection, arguments: argparse.Namespace) -> None:
    if arguments.selection is None:
        connection.ask_schema()
        return
    path = pathlib.Path(arguments.selection)
    if not path.exists():
        _write_json(path, everything(connection.ask_schema()))
    connection.selection = Selection(_read_json(path))
    connection.ask_schema()


def _take_state(connection: Connection, path: pathlib.Path) -> None:
    """A state.json that the user has changed or removed counts, not the warehouse's."""
    state = path.read_text(encoding="utf-8") if path.exists() else "{}"
    if state != connection.warehouse.state:
        connection.resync(state)


def _tell(report: Report, connection: Connection) -> None:
    tables = report.counts.tables.values()
    for warning in report.warnings:
        print(f"Warning: {warning}")
    print(f"Upserts: {sum(table.upserts for table in tables)}")
    print(f"Updates: {sum(table.updates for table in tables)}")
    print(f"Deletes: {sum(table.deletes for table in tables)}")
    print(f"Truncates: {sum(table.truncates for table in tables)}")
    print(f"SchemaChanges: {report.counts.schema_changes}")
    print(f"Checkpoints: {report.counts.checkpoints}")
    for breach in connection.findings.tell():
        print(f"Broken rule: {breach}")
    if report.task is not None:
        print(f"Task: {report.task}")
    if report.status != "OK":
        print(f"Status: {report.status}: {report.text}")
    print("Sync SUCCEEDED" if report.succeeded else "Sync FAILED")


def _sync(arguments: argparse.Namespace) -> bool:
    directory = pathlib.Path(arguments.directory)
    directory.mkdir(parents=True, exist_ok=True)
    connection = Connection(Warehouse(str(directory / "warehouse.db"), arguments.history))
    try:
        if arguments.connector:
            connection.start([arguments.connector, "fivetran", "--port", "0"])
        else:
            connection.connect(arguments.port)
        if not _set_up(connection, arguments):
            return False
        _choose(connection, arguments)
        _take_state(connection, directory / "state.json")
        report = connection.update()
        (directory / "state.json").write_text(connection.warehouse.state, encoding="utf-8")
        connection.stop()
        _tell(report, connection)
        return report.succeeded and not connection.findings.kept()
    finally:
        connection.close()


def main() -> int:
    """The exit code: 0 for a sync that succeeded and broke no rule."""
    arguments = _arguments()
    if arguments.serve:
        from .server import serve
        serve()
        return 0
    try:
        return 0 if _sync(arguments) else 1
    except (grpc.RpcError, RuntimeError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        print("Sync FAILED")
        return 1


sys.exit(main())
