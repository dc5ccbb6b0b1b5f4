"""What a connector's records make of tables in SQLite, by Fivetran's rules [2.6, 2.11, 2.12].

Each source table is the table "schema.table", with the platform's columns behind its own:

    _fivetran_id       the primary key of a table without one: a hash over the row's values
    _fivetran_synced   when the row was written last; the bulk TRUNCATE leaves it as it is
    _fivetran_deleted  whether it is gone from the source

and in history mode, in which every change makes a version of its row and the key is the source's
key and the start:

    _fivetran_start, _fivetran_end    since when and until when the version held, both inclusive
    _fivetran_active                  whether it still does; _fivetran_end is then FOREVER

Times are the numbers of the operations, which makes everything repeatable.

A state is saved in one transaction with all rows before it. What comes behind the last checkpoint
of an Update that broke off may have been written by Fivetran or not; both are right, and
`end_update` does either.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import asdict, replace
from typing import Any, Iterable, Mapping, Optional

from . import messages, values
from .catalog import Column, Table, TableKey
from .values import Stored

FOREVER = 2**63 - 1

_BOOKS = """
CREATE TABLE IF NOT EXISTS _fivetran_host_tables (
  schema_name TEXT, table_name TEXT, columns TEXT, PRIMARY KEY (schema_name, table_name));
CREATE TABLE IF NOT EXISTS _fivetran_host_state (
  only INTEGER PRIMARY KEY CHECK (only = 0),
  state TEXT, progress TEXT, clock INTEGER, history INTEGER);
"""


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class _StoredTable:
    """A table of the warehouse, and the statements that it needs."""

    def __init__(self, table: Table, history: bool) -> None:
        self.table = table
        self.name = _quote(f"{table.schema}.{table.name}")
        self.key = table.key or ("_fivetran_id",)
        self._history = history
        self._statements: dict[Any, str] = {}

    def create(self) -> str:
        columns = [_quote(name) for name in self.table.columns]
        if not self.table.key:
            columns.append("_fivetran_id")
        key = [_quote(name) for name in self.key]
        if self._history:
            columns += ["_fivetran_start", "_fivetran_end", "_fivetran_active"]
            key.append("_fivetran_start")
        columns.append("_fivetran_synced")
        if not self._history:
            columns.append("_fivetran_deleted")
        return f"CREATE TABLE {self.name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(key)}))"

    def insert(self, names: tuple[str, ...]) -> str:
        """Inserts or replaces a row with these columns; the others become NULL."""
        statement = self._statements.get(names)
        if statement is None:
            columns = ", ".join(_quote(name) for name in names)
            places = ", ".join("?" * len(names))
            statement = f"INSERT OR REPLACE INTO {self.name} ({columns}) VALUES ({places})"
            self._statements[names] = statement
        return statement

    def change(self, names: tuple[str, ...]) -> str:
        """Sets these columns in the living row of a key."""
        statement = self._statements.get((names, "set"))
        if statement is None:
            changes = ", ".join(f"{_quote(name)} = ?" for name in names)
            statement = f"UPDATE {self.name} SET {changes} WHERE {self.living()}{self.has_key()}"
            self._statements[(names, "set")] = statement
        return statement

    def living(self) -> str:
        return "_fivetran_active" if self._history else "NOT _fivetran_deleted"

    def has_key(self) -> str:
        return "".join(f" AND {_quote(name)} = ?" for name in self.key)


class Warehouse:
    """One destination. Not for two threads at a time."""

    def __init__(self, path: str = ":memory:", history: bool = False) -> None:
        """`path`: of the file, which may hold a warehouse already; its mode counts then."""
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.executescript(_BOOKS)
        self._database.execute(
            "INSERT OR IGNORE INTO _fivetran_host_state VALUES (0, '{}', '{}', 0, ?)", (history,))
        self._tables: dict[TableKey, _StoredTable] = {}
        self._load()

    def _load(self) -> None:
        self.state, progress, self._clock, history = self._database.execute(
            "SELECT state, progress, clock, history FROM _fivetran_host_state").fetchone()
        self.progress: dict[str, Any] = json.loads(progress)
        self._history = bool(history)
        self._tables = {}
        for schema, name, columns in self._database.execute(
                "SELECT * FROM _fivetran_host_tables").fetchall():
            described = {column["name"]: Column(**column) for column in json.loads(columns)}
            table = Table(schema, name, described)
            self._tables[table.id] = _StoredTable(table, self._history)

    def close(self) -> None:
        self._database.close()

    # --- the way of an Update

    def begin_update(self) -> None:
        self._database.execute("BEGIN")

    def checkpoint(self, state: str, progress: Mapping[str, Any]) -> None:
        """Saves the state with all rows before it. `progress` is the host's own note of what the
        state covers."""
        self._save(state, progress)
        self._database.execute("COMMIT")
        self._database.execute("BEGIN")

    def end_update(self, keep: bool = True) -> None:
        """`keep`: whether the rows behind the last checkpoint stay."""
        if keep:
            self._database.execute("UPDATE _fivetran_host_state SET clock = ?", (self._clock,))
            self._database.execute("COMMIT")
        else:
            self._database.execute("ROLLBACK")
            self._load()

    def set_state(self, state: str, progress: Mapping[str, Any]) -> None:
        """Puts another state in the place of the last checkpoint's, as a re-sync does."""
        self._save(state, progress)

    def _save(self, state: str, progress: Mapping[str, Any]) -> None:
        self.state, self.progress = state, dict(progress)
        self._database.execute("UPDATE _fivetran_host_state SET state = ?, progress = ?, clock = ?",
                               (state, json.dumps(progress), self._clock))

    # --- tables

    def table(self, key: TableKey) -> Optional[Table]:
        stored = self._tables.get(key)
        return stored.table if stored else None

    def tables(self) -> list[Table]:
        return [stored.table for stored in self._tables.values()]

    def describe(self, table: Table) -> None:
        """Makes the table, or gives it the columns and types that it has not: values become those
        of the new type. Columns that `table` lacks stay, and so does the key."""
        stored = self._tables.get(table.id)
        if stored is None:
            stored = _StoredTable(table, self._history)
            self._database.execute(stored.create())
            self._keep(stored)
            return
        columns = dict(stored.table.columns)
        for column in table.columns.values():
            before = columns.get(column.name)
            if before is None:
                self._database.execute(
                    f"ALTER TABLE {stored.name} ADD COLUMN {_quote(column.name)}")
                columns[column.name] = replace(column, in_key=False)
            elif before != column:
                columns[column.name] = replace(column, in_key=before.in_key)
                self._convert(stored, before, columns[column.name])
        if columns != stored.table.columns:
            self._keep(_StoredTable(Table(table.schema, table.name, columns), self._history))

    def _keep(self, stored: _StoredTable) -> None:
        self._tables[stored.table.id] = stored
        columns = json.dumps([asdict(column) for column in stored.table.columns.values()])
        self._database.execute("INSERT OR REPLACE INTO _fivetran_host_tables VALUES (?, ?, ?)",
                               (stored.table.schema, stored.table.name, columns))

    def _convert(self, stored: _StoredTable, before: Column, after: Column) -> None:
        if (before.type, before.precision, before.scale) == (
                after.type, after.precision, after.scale):
            return
        name = _quote(after.name)
        self._database.create_function("as_new_type", 1,
                                       lambda value: values.convert(value, before, after))
        self._database.execute(f"UPDATE {stored.name} SET {name} = as_new_type({name})")
        if not stored.table.key:
            self._renew_ids(stored)

    def _renew_ids(self, stored: _StoredTable) -> None:
        columns = list(stored.table.columns)
        self._database.create_function("id_of_row", len(columns),
                                       lambda *row: row_id(dict(zip(columns, row))))
        names = ", ".join(_quote(name) for name in columns)
        self._database.execute(
            f"UPDATE OR REPLACE {stored.name} SET _fivetran_id = id_of_row({names})")

    # --- records: values in their stored form, by column. All but upsert give whether they found
    # something to do.

    def upsert(self, key: TableKey, row: Mapping[str, Stored]) -> None:
        """Replaces the row with this key; a column that `row` lacks becomes NULL."""
        stored = self._tables[key]
        self._clock += 1
        row = self._with_id(stored, row)
        names = tuple(row)
        if self._history:
            self._close_version(stored, row)
            self._database.execute(
                stored.insert(names + ("_fivetran_start", "_fivetran_end", "_fivetran_active",
                                       "_fivetran_synced")),
                (*row.values(), self._clock, FOREVER, True, self._clock))
        else:
            self._database.execute(
                stored.insert(names + ("_fivetran_synced", "_fivetran_deleted")),
                (*row.values(), self._clock, False))

    def update(self, key: TableKey, row: Mapping[str, Stored]) -> bool:
        """Changes the columns of `row` that are not its key; nothing where no row lives there."""
        stored = self._tables[key]
        self._clock += 1
        row = self._with_id(stored, row)
        where = [row.get(name) for name in stored.key]
        if self._history:
            current = self._database.execute(
                f"SELECT {', '.join(_quote(name) for name in stored.table.columns)} "
                f"FROM {stored.name} WHERE _fivetran_active{stored.has_key()}", where).fetchone()
            if current is None:
                return False
            self._clock -= 1
            self.upsert(key, {**dict(zip(stored.table.columns, current)), **row})
            return True
        names = tuple(name for name in row if name not in stored.key)
        return self._database.execute(
            stored.change(names + ("_fivetran_synced",)),
            [*(row[name] for name in names), self._clock, *where]).rowcount > 0

    def delete(self, key: TableKey, row: Mapping[str, Stored]) -> bool:
        """Marks the row with this key as deleted."""
        stored = self._tables[key]
        self._clock += 1
        row = self._with_id(stored, row)
        if self._history:
            return self._close_version(stored, row)
        return self._database.execute(
            stored.change(("_fivetran_synced", "_fivetran_deleted")),
            [self._clock, True, *(row.get(name) for name in stored.key)]).rowcount > 0

    def truncate(self, key: TableKey) -> bool:
        """Marks all rows as deleted that were written before; a table that is not there is none."""
        stored = self._tables.get(key)
        if stored is None:
            return False
        self._clock += 1
        if self._history:
            self._database.execute(
                f"UPDATE {stored.name} SET _fivetran_active = 0, _fivetran_end = ? "
                "WHERE _fivetran_active AND _fivetran_start < ?", (self._clock - 1, self._clock))
        else:
            self._database.execute(
                f"UPDATE {stored.name} SET _fivetran_deleted = 1 "
                "WHERE NOT _fivetran_deleted AND _fivetran_synced < ?", (self._clock,))
        return True

    def _close_version(self, stored: _StoredTable, row: Mapping[str, Stored]) -> bool:
        return self._database.execute(
            stored.change(("_fivetran_active", "_fivetran_end", "_fivetran_synced")),
            [False, self._clock - 1, self._clock, *(row.get(name) for name in stored.key)]
        ).rowcount > 0

    @staticmethod
    def _with_id(stored: _StoredTable, row: Mapping[str, Stored]) -> Mapping[str, Stored]:
        return row if stored.table.key else {**row, "_fivetran_id": row_id(row)}

    # --- what is in it

    def rows(self, key: TableKey, columns: Optional[Iterable[str]] = None) -> list[str]:
        """The rows that live, a JSON object each (values.to_json), in the order of their keys, with
        the columns that are named, or all. A column that the table has not is null."""
        stored = self._tables.get(key)
        if stored is None:
            return []
        known = stored.table.columns
        names = list(known if columns is None else columns)
        fields = ", ".join(_quote(name) if name in known else "NULL" for name in names)
        order = ", ".join(_quote(name) for name in stored.key)
        found = self._database.execute(
            f"SELECT {fields} FROM {stored.name} WHERE {stored.living()} ORDER BY {order}")
        described = [(json.dumps(name, ensure_ascii=False), known.get(name)) for name in names]
        return ["{" + ",".join(f"{name}:{values.to_json(value, column) if column else 'null'}"
                               for (name, column), value in zip(described, row)) + "}"
                for row in found]

    def count(self, key: TableKey, living: bool = True) -> int:
        """The rows that live, or those that were marked: deleted ones, or former versions."""
        stored = self._tables.get(key)
        if stored is None:
            return 0
        condition = stored.living() if living else f"NOT ({stored.living()})"
        return int(self._database.execute(
            f"SELECT count(*) FROM {stored.name} WHERE {condition}").fetchone()[0])


def row_id(row: Mapping[str, Stored]) -> str:
    """The key of a row that has none: equal for equal rows. Columns that are null do not count, so
    that a row stays the same when its table gets a column."""
    present = sorted(
        (name, type(value).__name__, value.hex() if isinstance(value, bytes) else value)
        for name, value in row.items() if value is not None)
    return hashlib.sha256(json.dumps(present).encode()).hexdigest()
