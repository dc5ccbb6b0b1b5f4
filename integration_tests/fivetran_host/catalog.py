"""Schemas, tables and columns as a connector declares them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import messages
from .findings import Findings

_MOST_PRECISION = 38
_MOST_SCALE = 37

TableKey = tuple[str, str]  # schema and table


@dataclass(frozen=True)
class Column:
    name: str
    type: int  # DataType
    in_key: bool = False
    precision: int = 0  # of DECIMAL
    scale: int = 0      # likewise
    byte_length: int = 0  # of STRING; 0: not told


@dataclass(frozen=True)
class Table:
    schema: str
    name: str
    columns: dict[str, Column] = field(default_factory=dict)  # in the order of their declaration

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns.values() if column.in_key)

    @property
    def id(self) -> TableKey:
        return (self.schema, self.name)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


def is_reserved(column: str) -> bool:
    return column.lower().startswith("_fivetran_")


def text(raw: bytes, findings: Findings, where: str) -> str:
    """The text, with U+FFFD where it is no UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        findings.add("utf-8", where, "a name or text is no UTF-8")
        return raw.decode("utf-8", errors="replace")


def _column(raw: Any, table: str, findings: Findings) -> Column:
    name = text(raw.name, findings, table)
    where = f"{table}.{name}"
    if not name:
        findings.add("schema", table, "a column has no name")
    if is_reserved(name):
        findings.add("reserved-column", where, "it is declared")
    params = raw.params.WhichOneof("params") if raw.HasField("params") else None
    decimal = raw.params.decimal if params == "decimal" else None
    if raw.type == messages.NAIVE_TIME:
        findings.add("naive-time", where, "it is declared so")
    elif raw.type not in messages.MEMBER_OF_TYPE:
        findings.add("declared-type", where, f"its type is {raw.type}")
    if raw.type == messages.DECIMAL and (
            decimal is None or not 1 <= decimal.precision <= _MOST_PRECISION or
            decimal.scale > min(_MOST_SCALE, decimal.precision)):
        findings.add("declared-type", where, "a DECIMAL without a precision and scale that fit")
    if decimal is not None and raw.type != messages.DECIMAL:
        findings.add("declared-type", where, "what is no DECIMAL has a precision")
    byte_length = raw.params.string_byte_length if params == "string_byte_length" else 0
    if params == "string_byte_length" and (raw.type != messages.STRING or byte_length <= 0):
        findings.add("declared-type", where, "a length that is none of a STRING")
    return Column(name, raw.type, raw.primary_key, decimal.precision if decimal else 0,
                  decimal.scale if decimal else 0, byte_length)


def read_schema_list(raw: Any, findings: Findings, where: str) -> list[Table]:
    """The tables of a SchemaList, each checked."""
    tables: dict[TableKey, Table] = {}
    schemas = set()
    for raw_schema in raw.schemas:
        schema = text(raw_schema.name, findings, where)
        if not schema or schema in schemas:
            findings.add("schema", where, f"the schema \"{schema}\" is unnamed, or there twice")
        schemas.add(schema)
        for raw_table in raw_schema.tables:
            table = Table(schema, text(raw_table.name, findings, where))
            if not table.name or table.id in tables:
                findings.add("schema", where, f"{table} is unnamed or stands there twice")
            if not raw_table.columns:
                findings.add("schema", where, f"{table} has no columns")
            for raw_column in raw_table.columns:
                column = _column(raw_column, f"{where}: {table}", findings)
                if column.name in table.columns:
                    findings.add("schema", where, f"{table} has {column.name} twice")
                table.columns[column.name] = column
            tables[table.id] = table
    return list(tables.values())


def read_schema_response(raw: bytes, findings: Findings) -> list[Table]:
    """The tables of Schema's answer."""
    where = "Schema"
    try:
        response = messages.RawSchemaResponse.FromString(raw)
    except Exception as error:  # DecodeError is no class of its own in every implementation
        findings.add("message", where, f"it cannot be parsed: {error}")
        return []
    kind = response.WhichOneof("response")
    if kind != "with_schema":
        findings.add("schema", where, f"the answer is {kind}")
        return []
    if response.selection_not_supported:
        findings.add("schema", where, "the user may not choose")
    return read_schema_list(response.with_schema, findings, where)
