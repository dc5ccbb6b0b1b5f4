"""What the user has chosen of the source's schemas, tables and columns [2.5].

As JSON, for files and commands, as the protocol has it:

    {"include_new_schemas": true,
     "schemas": {"shop": {"included": true, "include_new_tables": true,
                          "tables": {"orders": {"included": true, "include_new_columns": true,
                                                "columns": {"note": false}}}}}}

What is left out of such a document is true, or empty.
"""

from __future__ import annotations

from typing import Any, Iterable, Optional

from .catalog import Table
from .messages import connector_sdk_pb2


class Selection:
    """One choice; None chooses everything."""

    def __init__(self, document: Optional[dict[str, Any]] = None) -> None:
        self._document = document
        self._schemas = (document or {}).get("schemas", {})

    def to_message(self) -> Optional[connector_sdk_pb2.Selection]:
        if self._document is None:
            return None
        selection = connector_sdk_pb2.Selection()
        chosen = selection.with_schema
        chosen.include_new_schemas = self._document.get("include_new_schemas", True)
        for schema_name, schema in self._schemas.items():
            out = chosen.schemas.add(
                included=schema.get("included", True), schema_name=schema_name,
                include_new_tables=schema.get("include_new_tables", True))
            for table_name, table in schema.get("tables", {}).items():
                out.tables.add(
                    included=table.get("included", True), table_name=table_name,
                    columns=table.get("columns", {}),
                    include_new_columns=table.get("include_new_columns", True))
        return selection

    def has_table(self, schema_name: str, table_name: str) -> bool:
        if self._document is None:
            return True
        schema = self._schemas.get(schema_name)
        if schema is None:
            return bool(self._document.get("include_new_schemas", True))
        if not schema.get("included", True):
            return False
        table = schema.get("tables", {}).get(table_name)
        if table is None:
            return bool(schema.get("include_new_tables", True))
        return bool(table.get("included", True))

    def has_column(self, table: Table, column_name: str) -> bool:
        """Of a table that is selected. Columns of the key always are."""
        column = table.columns.get(column_name)
        if column is not None and column.in_key:
            return True
        chosen = self._schemas.get(table.schema, {}).get("tables", {}).get(table.name)
        if chosen is None:
            return True
        otherwise = chosen.get("include_new_columns", True)
        return bool(chosen.get("columns", {}).get(column_name, otherwise))


def everything(tables: Iterable[Table]) -> dict[str, Any]:
    """A document that names and includes all of the tables, for a user to edit."""
    schemas: dict[str, Any] = {}
    for table in tables:
        schema = schemas.setdefault(
            table.schema, {"included": True, "include_new_tables": True, "tables": {}})
        schema["tables"][table.name] = {
            "included": True, "include_new_columns": True,
            "columns": {name: True for name in table.columns if name not in table.key}}
    return {"include_new_schemas": True, "schemas": schemas}
