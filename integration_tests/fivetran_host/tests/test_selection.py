"""The choice of schemas, tables and columns."""

import unittest

from .. import messages
from ..catalog import Column, Table
from ..selection import Selection, everything

ORDERS = Table("shop", "orders", {
    "id": Column("id", messages.LONG, in_key=True), "note": Column("note", messages.STRING)})


class SelectionTest(unittest.TestCase):

    def test_none_chooses_everything(self) -> None:
        self.assertIsNone(Selection().to_message())
        self.assertTrue(Selection().has_table("any", "table"))
        self.assertTrue(Selection().has_column(ORDERS, "note"))

    def test_a_table_is_chosen_by_the_nearest_word_about_it(self) -> None:
        selection = Selection({"include_new_schemas": False, "schemas": {
            "out": {"included": False, "tables": {"t": {"included": True}}},
            "closed": {"include_new_tables": False, "tables": {"t": {}}},
            "open": {"tables": {"t": {"included": False}}}}})
        for schema, table, chosen in (("unknown", "t", False), ("out", "t", False),
                                      ("closed", "t", True), ("closed", "new", False),
                                      ("open", "t", False), ("open", "new", True)):
            self.assertEqual(selection.has_table(schema, table), chosen, (schema, table))

    def test_columns_of_the_key_are_always_chosen(self) -> None:
        selection = Selection({"schemas": {"shop": {"tables": {"orders": {
            "columns": {"id": False, "note": False}, "include_new_columns": False}}}}})
        self.assertTrue(selection.has_column(ORDERS, "id"))
        self.assertFalse(selection.has_column(ORDERS, "note"))
        self.assertFalse(selection.has_column(ORDERS, "new"))

    def test_the_message_says_the_same(self) -> None:
        message = Selection({"schemas": {"shop": {"include_new_tables": False, "tables": {
            "orders": {"include_new_columns": False, "columns": {"note": True}}}}}}).to_message()
        assert message is not None
        chosen = message.with_schema
        self.assertTrue(chosen.include_new_schemas)
        schema = chosen.schemas[0]
        self.assertEqual((schema.schema_name, schema.included, schema.include_new_tables),
                         ("shop", True, False))
        table = schema.tables[0]
        self.assertEqual((table.table_name, table.included, table.include_new_columns,
                          dict(table.columns)), ("orders", True, False, {"note": True}))

    def test_a_document_of_everything_chooses_all_of_it(self) -> None:
        document = everything([ORDERS])
        self.assertEqual(document["schemas"]["shop"]["tables"]["orders"]["columns"], {"note": True})
        self.assertTrue(Selection(document).has_column(ORDERS, "note"))


if __name__ == "__main__":
    unittest.main()
