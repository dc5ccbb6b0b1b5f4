"""The messages of one Update against the rules, and into the warehouse.

What the host remembers of a state it saves with it (Warehouse.progress), because a state is the
connector's own: which tables had been truncated or had records when it was sent. It tells whether
a TRUNCATE has to come or must not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Collection, Optional

from . import messages, values
from .catalog import Table, TableKey, is_reserved, read_schema_list, text
from .findings import Findings, Secrets
from .selection import Selection
from .values import Stored
from .warehouse import Warehouse

MOST_BYTES_OF_MESSAGE = 128 * 1024 * 1024
MOST_RECORDS_OF_BATCH = 100
# A batch is full with the record that reaches this: the SDK's own samples flush at 100,000 bytes or
# at 100 KiB.
MOST_BYTES_OF_BATCH = 100 * 1024


@dataclass
class TableCounts:
    upserts: int = 0
    updates: int = 0
    deletes: int = 0
    truncates: int = 0
    ignored: int = 0  # of the updates and deletes: those that met no row


@dataclass
class StreamCounts:
    messages: int = 0
    bytes: int = 0
    records: int = 0
    checkpoints: int = 0
    schema_changes: int = 0
    tables: dict[TableKey, TableCounts] = field(default_factory=dict)

    def of(self, key: TableKey) -> TableCounts:
        return self.tables.setdefault(key, TableCounts())


@dataclass
class Progress:
    """What a state covers: tables as "schema.table"."""
    begun: set[str] = field(default_factory=set)   # truncated, or with records
    filled: set[str] = field(default_factory=set)  # with records
    known: bool = True  # otherwise the state is from elsewhere, and nobody knows

    @staticmethod
    def load(saved: dict[str, Any]) -> Progress:
        return Progress(set(saved.get("begun", [])), set(saved.get("filled", [])),
                        saved.get("known", True))

    def save(self) -> dict[str, Any]:
        return {"begun": sorted(self.begun), "filled": sorted(self.filled), "known": self.known}


class Stream:
    """Takes the messages of one Update in their order."""

    def __init__(self, warehouse: Warehouse, declared: Collection[Table], selection: Selection,
                 findings: Findings, may_truncate: Collection[str] = (),
                 secrets: Optional[Secrets] = None) -> None:
        """`declared`: what Schema answered; `may_truncate`: tables, "schema.table", that may be
        truncated although the state has them, as they were emptied or lost at the source;
        `secrets`: what must not appear, nothing by default."""
        self.counts = StreamCounts()
        self.warnings: list[str] = []
        self.task: Optional[str] = None
        self.records_behind_checkpoint = 0
        self._warehouse = warehouse
        self._declared = {table.id: table for table in declared}
        self._selection = selection
        self._findings = findings
        self._may_truncate = may_truncate
        self._secrets = secrets or Secrets((), findings)
        self._progress = Progress.load(warehouse.progress)
        # Whether the state keeps a table that is not selected is the connector's to say.
        self._progress.filled = {name for name in self._progress.filled
                                 if selection.has_table(*name.split(".", 1))}
        self._columns: dict[TableKey, frozenset[str]] = {}  # those that are selected
        self._needed: dict[TableKey, frozenset[str]] = {}  # of an UPSERT, where not all of them are
        self._names: dict[bytes, str] = {}
        self._where = ""

    def take(self, raw: bytes) -> None:
        """One message, serialized."""
        self.counts.messages += 1
        self.counts.bytes += len(raw)
        self._where = f"message {self.counts.messages}"
        if len(raw) > MOST_BYTES_OF_MESSAGE:
            self._broken("message-size", f"{len(raw)} bytes")
        try:
            message = messages.RawUpdateResponse.FromString(raw)
        except Exception as error:  # DecodeError is no class of its own in every implementation
            self._broken("message", f"it cannot be parsed: {error}")
            return
        kind = message.WhichOneof("operation")
        if self.task is not None:
            self._broken("task-last", f"a {kind} behind a task")
        if kind is None:
            self._broken("message", "it is empty")
            return
        getattr(self, "_take_" + kind)(getattr(message, kind))

    def end(self, ok: bool) -> None:
        """`ok`: the status behind the last message."""
        self._where = f"end, behind message {self.counts.messages}"
        if self.task is not None:
            if not ok:
                self._broken("task-last", "the status is not OK")
        elif ok and self.records_behind_checkpoint:
            self._broken("checkpoint-last", f"{self.records_behind_checkpoint} records behind it")

    def _broken(self, rule: str, what: str) -> None:
        self._findings.add(rule, self._where, what)

    # --- what is no record

    def _take_checkpoint(self, checkpoint: Any) -> None:
        self.counts.checkpoints += 1
        self._secrets.look_in(checkpoint.state_json, self._where)
        state = text(checkpoint.state_json, self._findings, self._where)
        try:
            is_object = isinstance(json.loads(state), dict)
        except ValueError:
            is_object = False
        if not is_object:
            self._broken("checkpoint", "it is none")
        self._warehouse.checkpoint(state, self._progress.save())
        self.records_behind_checkpoint = 0

    def _take_warning(self, warning: Any) -> None:
        self.warnings.append(self._notice(warning))

    def _take_task(self, task: Any) -> None:
        notice = self._notice(task)
        self.task = notice if self.task is None else self.task

    def _notice(self, message: Any) -> str:
        self._secrets.look_in(message.message, self._where)
        notice = text(message.message, self._findings, self._where)
        if not notice.strip():
            self._broken("notice", "it is empty")
        return notice

    def _take_schema_change(self, change: Any) -> None:
        self.counts.schema_changes += 1
        if change.WhichOneof("change") != "with_schema":
            self._broken("schema-name", f"an announcement {change.WhichOneof('change')}")
            return
        tables = read_schema_list(change.with_schema, self._findings, self._where)
        if not tables:
            self._broken("schema-change", "it announces nothing")
        for table in tables:
            self._announce(table)

    def _announce(self, table: Table) -> None:
        before = self._declared.get(table.id)
        if before is not None and before.key != table.key:
            self._broken("schema-change", f"{table} gets another key")
        if not self._selection.has_table(*table.id):
            self._broken("excluded", f"{table} is announced")
        for name in table.columns:
            if not self._selection.has_column(table, name):
                self._broken("excluded", f"{table}.{name} is announced")
        # Other shards send rows from before a column was added, for which NULL is right.
        needed = None if before is None else self._needed_of(before) & table.columns.keys()
        self._declared[table.id] = table
        self._columns[table.id] = self._selected(table)
        self._needed[table.id] = self._columns[table.id] if needed is None else needed
        self._warehouse.describe(table)

    # --- records

    def _take_record(self, record: Any) -> None:
        self._apply(record)

    def _take_records(self, batch: Any) -> None:
        count = len(batch.records)
        if not 1 <= count <= MOST_RECORDS_OF_BATCH:
            self._broken("batch-records", f"{count} records")
        if count > 1 and batch.ByteSize() - batch.records[-1].ByteSize() > MOST_BYTES_OF_BATCH:
            self._broken("batch-bytes", f"{batch.ByteSize()} bytes in {count} records")
        message = self._where
        for number, record in enumerate(batch.records, 1):
            self._where = f"{message}, record {number}"
            self._apply(record)

    def _name(self, raw: bytes) -> str:
        name = self._names.get(raw)
        if name is None:
            name = self._names[raw] = text(raw, self._findings, self._where)
        return name

    def _apply(self, record: Any) -> None:
        self.counts.records += 1
        self.records_behind_checkpoint += 1
        if not record.HasField("schema_name"):
            self._broken("schema-name", "a record without one")
            return
        key = (self._name(record.schema_name), self._name(record.table_name))
        if not messages.UPSERT <= record.type <= messages.TRUNCATE:
            self._broken("record-type", f"type {record.type}")
            return
        if not self._selection.has_table(*key):
            self._broken("excluded", f"a record of {'.'.join(key)}")
            return
        if record.type == messages.TRUNCATE:
            self._truncate(key, record)
            return
        table = self._declared.get(key)
        if table is None:
            self._broken("undeclared", f"a record of {'.'.join(key)}")
            return
        self._note_begun(key)
        row = self._row(table, record)
        self._check_columns(table, record.type, row)
        self._write(table, record.type, row)

    def _truncate(self, key: TableKey, record: Any) -> None:
        name = ".".join(key)
        if record.data:
            self._broken("truncate-data", f"of {name}")
        if (name in self._progress.filled or not self._progress.known) and (
                name not in self._may_truncate):
            self._broken("truncate-resumed", name)
        self._progress.begun.add(name)
        self.counts.of(key).truncates += 1
        self._warehouse.truncate(key)

    def _note_begun(self, key: TableKey) -> None:
        name = ".".join(key)
        if name not in self._progress.begun and self._progress.known:
            self._broken("truncate-first", f"the first record of {name}")
        self._progress.begun.add(name)
        self._progress.filled.add(name)

    def _row(self, table: Table, record: Any) -> dict[str, Stored]:
        selected = self._columns_of(table)
        row: dict[str, Stored] = {}
        for entry in record.data:
            name = self._name(entry.key)
            if name in row:
                self._broken("repeated-column", f"{table}.{name}")
            if name in selected:
                row[name] = self._value(table, table.columns[name], entry.value)
            elif is_reserved(name):
                self._broken("reserved-column", f"{table}.{name} is sent")
            elif name in table.columns:
                self._broken("excluded", f"a value of {table}.{name}")
            else:
                self._broken("undeclared", f"a value of {table}.{name}")
        return row

    def _columns_of(self, table: Table) -> frozenset[str]:
        """Those that are selected."""
        columns = self._columns.get(table.id)
        if columns is None:
            columns = self._columns[table.id] = self._selected(table)
        return columns

    def _needed_of(self, table: Table) -> frozenset[str]:
        """Those of an UPSERT."""
        return self._needed.get(table.id) or self._columns_of(table)

    def _selected(self, table: Table) -> frozenset[str]:
        return frozenset(name for name in table.columns if self._selection.has_column(table, name))

    def _value(self, table: Table, column: Any, value: Any) -> Stored:
        member = value.WhichOneof("inner")

        def complain(rule: str, what: str) -> None:
            self._broken(rule, f"{table}.{column.name}: {what}")

        if member is None:
            complain("value-unset", "there is none")
            return None
        stored = values.store(messages.MEMBER_NUMBERS[member], getattr(value, member), column,
                              complain)
        if stored is None and column.in_key:
            complain("key-null", "it is")
        return stored

    def _check_columns(self, table: Table, record_type: int, row: dict[str, Stored]) -> None:
        needed = self._needed_of(table)
        if record_type == messages.UPSERT:
            rule, whole = "upsert-complete", needed
        else:
            rule, whole = "key-complete", frozenset(table.key) or needed
        if not whole <= row.keys():
            lacking = ", ".join(sorted(whole - row.keys()))
            kind = messages.RECORD_TYPE_NAMES[record_type]
            self._broken(rule, f"{kind} of {table} lacks {lacking}")
        if record_type == messages.UPDATE and not table.key:
            self._broken("keyless-update", str(table))

    def _write(self, table: Table, record_type: int, row: dict[str, Stored]) -> None:
        counts = self.counts.of(table.id)
        if record_type == messages.UPSERT:
            counts.upserts += 1
            self._warehouse.upsert(table.id, row)
        elif record_type == messages.UPDATE:
            counts.updates += 1
            counts.ignored += not self._warehouse.update(table.id, row)
        else:
            counts.deletes += 1
            counts.ignored += not self._warehouse.delete(table.id, row)
