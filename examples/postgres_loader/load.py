#!/usr/bin/env python3
"""Loads what `source-vitess read` prints into PostgreSQL.

    load.py catalog <discovered.jsonl >catalog.json
    load.py state >state.json
    source-vitess read --config config.json --catalog catalog.json --state state.json |
        load.py load --catalog catalog.json --state state.json

Each stream becomes a table, in a schema named like its keyspace. A stream that is read
incrementally is merged by its primary key; any other one is replaced once it has come whole. What
a STATE covers and the STATE itself are committed together, so whatever is killed, and whenever, the
next run goes on from what the tables hold. Records that no STATE covers are dropped: they come
again.

Needs psycopg2 (Debian: python3-psycopg2) and PostgreSQL 12 or later.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
from typing import Dict, Iterable, List, Optional, TextIO

import psycopg2
from psycopg2 import sql

CURSOR = "_ab_cdc_cursor"
DELETED_AT = "_ab_cdc_deleted_at"

# Lines are gathered up to so many bytes before they go to the server.
BUFFER_BYTES = 4 << 20

# The loader's own table, and the first number of the locks that keep two loaders apart.
STATES = sql.Identifier("source_vitess", "states")
LOCK = 0x5649_5445

# PostgreSQL has no place for U+0000: its escape, behind an even number of backslashes.
NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class LoadError(Exception):
    """Something that the user has to mend."""


def column_type(schema: dict) -> str:
    """The type of a new column. Integers may be as wide as DECIMAL(65), numbers are exact."""
    types = schema.get("type", "")
    types = {types} if isinstance(types, str) else set(types)
    if schema.get("airbyte_type") == "json" or types & {"object", "array"}:
        return "jsonb"
    if "boolean" in types:
        return "boolean"
    if types & {"number", "integer"}:
        return "numeric"
    if schema.get("contentEncoding") == "base64":
        return "bytea"
    by_airbyte_type = {"timestamp_with_timezone": "timestamptz",
                       "timestamp_without_timezone": "timestamp",
                       "time_without_timezone": "time"}
    if schema.get("airbyte_type") in by_airbyte_type:
        return by_airbyte_type[schema["airbyte_type"]]
    return "date" if schema.get("format") == "date" else "text"


def value(column: str, data_type: str) -> sql.Composable:
    """A column of the staged lines, as its table has it."""
    member = sql.Literal(column)
    if data_type in ("json", "jsonb"):
        return sql.SQL("nullif(line->'record'->'data'->{}, 'null')::{}").format(
            member, sql.SQL(data_type))
    text = sql.SQL("line->'record'->'data'->>{}").format(member)
    if data_type == "bytea":
        return sql.SQL("decode({}, 'base64')").format(text)
    return sql.SQL("({})::{}").format(text, sql.SQL(data_type))


def names(columns: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


class Stream:
    """One stream of the catalog and its table. Statements run in the caller's transaction."""

    def __init__(self, configured: dict, number: int, hard_deletes: bool) -> None:
        stream = configured["stream"]
        self.namespace: str = stream["namespace"]
        self.name: str = stream["name"]
        self.properties: Dict[str, dict] = stream["json_schema"]["properties"]
        key = configured.get("primary_key") or stream.get("source_defined_primary_key") or []
        self.key: List[str] = [path[0] for path in key]
        self.merges = configured["sync_mode"] == "incremental" and bool(self.key)
        self.resumable = self.merges or stream.get("is_resumable", False)
        self.complete = False
        self.records = 0
        self._hard_deletes = hard_deletes
        self._table = sql.Identifier(self.namespace, self.name)
        self._next = sql.Identifier("source_vitess", str(self))
        self._staged = sql.Identifier(f"staged_{number}")
        self._buffer = io.StringIO()
        for name in (str(self), *self.properties):
            if len(name.encode()) > 63:
                raise LoadError(f"PostgreSQL's names have 63 bytes at most, unlike {name}")

    def __str__(self) -> str:
        return f"{self.namespace}.{self.name}"

    def prepare(self, cursor) -> None:
        """Makes or widens the table, and a temporary one for the lines that no STATE covers yet."""
        execute(cursor, "CREATE SCHEMA IF NOT EXISTS {}", sql.Identifier(self.namespace))
        key = sql.SQL(", PRIMARY KEY ({})").format(names(self.key)) if self.merges else sql.SQL("")
        execute(cursor, "CREATE TABLE IF NOT EXISTS {} ({}{})", self._table,
                sql.SQL(", ").join(map(self._definition, self.properties)), key)
        self._types = self._widen(cursor, self._table)
        execute(cursor, "CREATE TEMPORARY TABLE {} (number bigserial, line jsonb)", self._staged)

    def begin(self, cursor, saved: bool) -> None:
        """The connector begins with the stream, from nothing unless a state was saved."""
        if self.merges:
            return
        if not saved:
            execute(cursor, "DROP TABLE IF EXISTS {}", self._next)
        execute(cursor, "CREATE TABLE IF NOT EXISTS {} (LIKE {})", self._next, self._table)
        self._widen(cursor, self._next)

    def _definition(self, column: str) -> sql.Composable:
        return sql.SQL("{} {}").format(sql.Identifier(column),
                                       sql.SQL(column_type(self.properties[column])))

    def _widen(self, cursor, table: sql.Identifier) -> Dict[str, str]:
        """Adds the columns that are missing. Gives the types: a table made by hand has its own."""
        types = column_types(cursor, table)
        missing = [name for name in self.properties if name not in types]
        for name in missing:
            execute(cursor, "ALTER TABLE {} ADD COLUMN {}", table, self._definition(name))
        return column_types(cursor, table) if missing else types

    def accept(self, line: str) -> bool:
        """A RECORD, with its newline. Gives whether it is time to flush."""
        if "\\u0000" in line:
            line = NUL.sub(r"\1\\ufffd", line)
        self._buffer.write(line.replace("\\", "\\\\"))
        self.records += 1
        return self._buffer.tell() >= BUFFER_BYTES

    def flush(self, cursor) -> None:
        """Sends what was gathered into the temporary table."""
        self._buffer.seek(0)
        cursor.copy_expert(sql.SQL("COPY {} (line) FROM STDIN").format(self._staged), self._buffer)
        self._buffer = io.StringIO()

    def apply(self, cursor) -> None:
        """Takes over what was staged."""
        self.flush(cursor)
        if self.merges:
            self._merge(cursor)
        else:
            execute(cursor, "INSERT INTO {} ({}) SELECT {} FROM {} ORDER BY number", self._next,
                    names(self.properties), self._values(), self._staged)
        execute(cursor, "TRUNCATE {}", self._staged)

    def finish(self, cursor) -> None:
        """The stream has come whole: one that is replaced takes the place of the last one."""
        self.complete = True
        if self.merges:
            return
        self.apply(cursor)
        execute(cursor, "TRUNCATE {}", self._table)
        execute(cursor, "INSERT INTO {0} ({1}) SELECT {1} FROM {2}", self._table,
                names(self.properties), self._next)
        execute(cursor, "DROP TABLE {}", self._next)

    def _values(self) -> sql.Composable:
        return sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(value(name, self._types[name]), sql.Identifier(name))
            for name in self.properties)

    def _merge(self, cursor) -> None:
        """Of each key the last record counts, by its cursor."""
        same_key = sql.SQL(" AND ").join(
            sql.SQL("old.{0} = latest.{0}").format(sql.Identifier(name)) for name in self.key)
        others = sql.SQL(", ").join(
            sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name))
            for name in self.properties if name not in self.key)
        gone, lives = sql.SQL("false"), sql.SQL("true")
        if self._hard_deletes:
            gone = sql.SQL("latest.{} IS NOT NULL").format(sql.Identifier(DELETED_AT))
            lives = sql.SQL("{} IS NULL").format(sql.Identifier(DELETED_AT))
        execute(cursor, """
            WITH latest AS (
                SELECT DISTINCT ON ({key}) {columns}
                FROM (SELECT number, {values} FROM {staged}) AS lines
                ORDER BY {key}, {order} DESC, number DESC),
            deleted AS (
                DELETE FROM {table} AS old USING latest
                WHERE {gone} AND {same_key} AND old.{order} <= latest.{order})
            INSERT INTO {table} AS old ({columns})
            SELECT {columns} FROM latest WHERE {lives}
            ON CONFLICT ({key}) DO UPDATE SET {others}
            WHERE old.{order} <= EXCLUDED.{order}""",
                key=names(self.key), columns=names(self.properties), values=self._values(),
                staged=self._staged, table=self._table, order=sql.Identifier(CURSOR), gone=gone,
                lives=lives, same_key=same_key, others=others)


def execute(cursor, statement: str, *parts: sql.Composable, **named: sql.Composable) -> None:
    cursor.execute(sql.SQL(statement).format(*parts, **named))


def column_types(cursor, table: sql.Identifier) -> Dict[str, str]:
    cursor.execute("SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
                   "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                   (table.as_string(cursor),))
    return dict(cursor.fetchall())


class States:
    """The states of a connection, by stream: rows of a table."""

    def __init__(self, cursor, connection: str) -> None:
        """Makes the table if need be, and holds off others that make tables until the commit."""
        lock(cursor, "pg_advisory_xact_lock", "")
        self._connection = connection
        execute(cursor, "CREATE SCHEMA IF NOT EXISTS source_vitess")
        execute(cursor, """CREATE TABLE IF NOT EXISTS {} (
            connection text, namespace text, name text, state json NOT NULL,
            saved_at timestamptz NOT NULL, PRIMARY KEY (connection, namespace, name))""", STATES)

    def all(self, cursor) -> List[dict]:
        cursor.execute(sql.SQL("SELECT state FROM {} WHERE connection = %s "
                               "ORDER BY namespace, name").format(STATES), (self._connection,))
        return [state for (state,) in cursor.fetchall()]

    def save(self, cursor, stream: Stream, state: dict) -> None:
        cursor.execute(sql.SQL("""INSERT INTO {} VALUES (%s, %s, %s, %s, now())
            ON CONFLICT (connection, namespace, name)
            DO UPDATE SET state = EXCLUDED.state, saved_at = now()""").format(STATES),
                       (self._connection, stream.namespace, stream.name, json.dumps(state)))

    def forget(self, cursor, namespace: str, name: str) -> None:
        cursor.execute(sql.SQL("DELETE FROM {} WHERE connection = %s AND namespace = %s "
                               "AND name = %s").format(STATES), (self._connection, namespace, name))


def descriptor(state: dict) -> tuple:
    found = state["stream"]["stream_descriptor"]
    return found.get("namespace", ""), found["name"]


class Loader:
    """One run. Each method that changes tables is one transaction."""

    def __init__(self, connection, name: str, catalog: dict, began_with: Optional[List[dict]],
                 hard_deletes: bool) -> None:
        self._connection = connection
        self._name = name
        self._began_with = began_with
        self._streams = {}
        for number, configured in enumerate(catalog["streams"]):
            stream = Stream(configured, number, hard_deletes)
            self._streams[(stream.namespace, stream.name)] = stream
        self._states: Optional[States] = None

    def run(self, lines: TextIO) -> int:
        """Takes messages to their end. Gives the exit code: 0 if all streams came whole."""
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                # Only the last line can be none: that of a connector that was killed.
                print(f"not a message: {line[:80]!r}", file=sys.stderr)
                break
            self._take(message, line)
        for stream in self._streams.values():
            print(f"{stream}: {stream.records} records, "
                  f"{'complete' if stream.complete else 'not complete: run it again'}")
        return 0 if all(stream.complete for stream in self._streams.values()) else 1

    def _take(self, message: dict, line: str) -> None:
        kind = message["type"]
        if kind == "RECORD":
            record = message["record"]
            stream = self._streams[(record.get("namespace", ""), record["stream"])]
            if stream.accept(line):
                with self._connection, self._connection.cursor() as cursor:
                    stream.flush(cursor)
        elif kind == "STATE":
            self._commit(message["state"])
        elif kind == "TRACE" and message["trace"]["type"] == "STREAM_STATUS":
            status = message["trace"]["stream_status"]
            self._follow(self._streams[descriptor({"stream": status})], status["status"])
        elif kind == "TRACE" and message["trace"]["type"] == "ERROR":
            print(message["trace"]["error"]["message"], file=sys.stderr)

    def _follow(self, stream: Stream, status: str) -> None:
        with self._connection, self._connection.cursor() as cursor:
            if status == "STARTED":
                saved = self._prepare(cursor)
                stream.begin(cursor, (stream.namespace, stream.name) in saved)
            elif status == "COMPLETE":
                stream.finish(cursor)
                if not stream.merges:
                    self._states.forget(cursor, stream.namespace, stream.name)

    def _commit(self, state: dict) -> None:
        stream = self._streams[descriptor(state)]
        with self._connection, self._connection.cursor() as cursor:
            stream.apply(cursor)
            if stream.resumable:
                self._states.save(cursor, stream, state)

    def _prepare(self, cursor) -> set:
        """Makes tables before the first stream. Gives the streams that have a state."""
        if self._states is None:
            lock(cursor, "pg_advisory_lock", self._name)
            self._states = States(cursor, self._name)
            if self._began_with is not None and self._began_with != self._states.all(cursor):
                raise LoadError("the connector did not begin with the states that are saved: "
                                "another load came between. Take them again (load.py state).")
            for stream in self._streams.values():
                stream.prepare(cursor)
        return {descriptor(state) for state in self._states.all(cursor)}


def lock(cursor, function: str, name: str) -> None:
    """Waits a while for a loader that was killed, whose session may still be ending."""
    cursor.execute("SET LOCAL lock_timeout = '30s'")
    try:
        cursor.execute(f"SELECT {function}(%s, hashtext(%s))", (LOCK, name))
    except psycopg2.errors.LockNotAvailable:
        raise LoadError("another loader is at work on these tables") from None
    cursor.execute("SET LOCAL lock_timeout = DEFAULT")


def configured_catalog(lines: Iterable[str]) -> dict:
    """Every stream that was discovered: its changes if it has a key, else all of it each time."""
    for line in lines:
        message = json.loads(line)
        if message["type"] != "CATALOG":
            continue
        streams = []
        for stream in message["catalog"]["streams"]:
            incremental = "incremental" in stream["supported_sync_modes"]
            streams.append({
                "stream": stream,
                "sync_mode": "incremental" if incremental else "full_refresh",
                "destination_sync_mode": "append_dedup" if incremental else "overwrite",
                "cursor_field": stream.get("default_cursor_field", []),
                "primary_key": stream.get("source_defined_primary_key", [])})
        return {"streams": streams}
    raise LoadError("there is no CATALOG on standard input")


def saved_states(connection, name: str) -> List[dict]:
    with connection, connection.cursor() as cursor:
        lock(cursor, "pg_advisory_xact_lock", name)
        return States(cursor, name).all(cursor)


def reset(connection, name: str, stream: str) -> None:
    """Empties the table of KEYSPACE.TABLE and forgets its state: the next run reads all of it."""
    namespace, _, table = stream.partition(".")
    with connection, connection.cursor() as cursor:
        lock(cursor, "pg_advisory_xact_lock", name)
        States(cursor, name).forget(cursor, namespace, table)
        execute(cursor, "TRUNCATE {}", sql.Identifier(namespace, table))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Loads what source-vitess reads into PostgreSQL.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("catalog", help="make a configured catalog of what `discover` prints")
    state = commands.add_parser("state", help="print the saved states, for `read --state`")
    load = commands.add_parser("load", help="load what `read` prints")
    forget = commands.add_parser("reset", help="empty a table, so that it is read again")
    forget.add_argument("stream", metavar="KEYSPACE.TABLE")
    for command in (state, load, forget):
        command.add_argument("--dsn", default="", help="libpq's connection string; what it leaves "
                             "open comes from PGHOST, PGDATABASE and the like")
        command.add_argument("--connection", default="default", metavar="NAME",
                             help="whose states: for several connections into one database")
    load.add_argument("--catalog", required=True, help="the configured catalog that `read` got")
    load.add_argument("--state", help="the states that `read` got: fail unless they are the saved")
    load.add_argument("--deletes", choices=["hard", "soft"], default="hard",
                      help="remove deleted rows, or keep them with _ab_cdc_deleted_at set")
    return parser.parse_args()


def read_json(path: str):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main() -> int:
    options = arguments()
    if options.command == "catalog":
        json.dump(configured_catalog(sys.stdin), sys.stdout)
        return 0
    connection = psycopg2.connect(options.dsn)
    if options.command == "state":
        json.dump(saved_states(connection, options.connection), sys.stdout)
        return 0
    if options.command == "reset":
        reset(connection, options.connection, options.stream)
        return 0
    began_with = read_json(options.state) if options.state else None
    loader = Loader(connection, options.connection, read_json(options.catalog), began_with,
                    hard_deletes=options.deletes == "hard")
    sys.stdin.reconfigure(encoding="utf-8")
    return loader.run(sys.stdin)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (LoadError, psycopg2.Error) as error:
        print(f"load.py: {error}", file=sys.stderr)
        sys.exit(1)
