"""Rows by Fivetran's rules, in both modes, and states that are saved with them."""

import os
import tempfile
import unittest

from .. import messages
from ..catalog import Column, Table
from ..warehouse import Warehouse

ORDERS = Table("shop", "orders", {
    "id": Column("id", messages.LONG, in_key=True), "note": Column("note", messages.STRING),
    "size": Column("size", messages.INT)})
EVENTS = Table("shop", "events", {
    "what": Column("what", messages.STRING), "size": Column("size", messages.INT)})


class SoftDeleteTest(unittest.TestCase):

    def setUp(self) -> None:
        self.warehouse = Warehouse()
        for table in (ORDERS, EVENTS):
            self.warehouse.describe(table)
        self.warehouse.begin_update()

    def orders(self) -> list[str]:
        return self.warehouse.rows(ORDERS.id)

    def test_an_upsert_replaces_the_row_and_nulls_what_it_lacks(self) -> None:
        self.warehouse.upsert(ORDERS.id, {"id": 1, "note": "a", "size": 2})
        self.warehouse.upsert(ORDERS.id, {"id": 1, "note": "b"})
        self.assertEqual(self.orders(), ['{"id":1,"note":"b","size":null}'])

    def test_an_update_changes_what_it_has(self) -> None:
        self.warehouse.upsert(ORDERS.id, {"id": 1, "note": "a", "size": 2})
        self.assertTrue(self.warehouse.update(ORDERS.id, {"id": 1, "size": 3}))
        self.assertEqual(self.orders(), ['{"id":1,"note":"a","size":3}'])

    def test_an_update_or_delete_of_a_row_that_is_missing_is_ignored(self) -> None:
        self.assertFalse(self.warehouse.update(ORDERS.id, {"id": 1, "size": 3}))
        self.assertFalse(self.warehouse.delete(ORDERS.id, {"id": 1}))
        self.assertEqual(self.orders(), [])

    def test_a_deleted_row_is_marked_and_comes_back_with_an_upsert(self) -> None:
        self.warehouse.upsert(ORDERS.id, {"id": 1, "note": "a", "size": 2})
        self.assertTrue(self.warehouse.delete(ORDERS.id, {"id": 1}))
        self.assertEqual((self.orders(), self.warehouse.count(ORDERS.id, living=False)), ([], 1))
        self.assertFalse(self.warehouse.update(ORDERS.id, {"id": 1, "note": "b"}))
        self.warehouse.upsert(ORDERS.id, {"id": 1, "note": "c", "size": 4})
        self.assertEqual(self.orders(), ['{"id":1,"note":"c","size":4}'])

    def test_a_truncate_marks_the_rows_before_it(self) -> None:
        self.warehouse.upsert(ORDERS.id, {"id": 1})
        self.warehouse.upsert(ORDERS.id, {"id": 2})
        self.assertTrue(self.warehouse.truncate(ORDERS.id))
        self.warehouse.upsert(ORDERS.id, {"id": 2})
        self.assertEqual(self.orders(), ['{"id":2,"note":null,"size":null}'])
        self.assertFalse(self.warehouse.truncate(("shop", "unknown")))

    def test_rows_without_a_key_are_known_by_all_their_values(self) -> None:
        self.warehouse.upsert(EVENTS.id, {"what": "a", "size": 1})
        self.warehouse.upsert(EVENTS.id, {"what": "a", "size": 1})
        self.warehouse.upsert(EVENTS.id, {"what": "a", "size": None})
        self.assertEqual(self.warehouse.count(EVENTS.id), 2)
        self.assertFalse(self.warehouse.delete(EVENTS.id, {"what": "b", "size": 1}))
        self.assertTrue(self.warehouse.delete(EVENTS.id, {"what": "a", "size": 1}))
        self.assertEqual(self.warehouse.rows(EVENTS.id), ['{"what":"a","size":null}'])

    def test_a_row_without_a_key_stays_itself_when_its_table_changes(self) -> None:
        self.warehouse.upsert(EVENTS.id, {"what": "a", "size": 1})
        wider = dict(EVENTS.columns)
        wider["size"] = Column("size", messages.DECIMAL, precision=9, scale=2)
        wider["more"] = Column("more", messages.STRING)
        self.warehouse.describe(Table("shop", "events", wider))
        self.assertEqual(self.warehouse.rows(EVENTS.id), ['{"what":"a","size":1.00,"more":null}'])
        self.assertTrue(
            self.warehouse.delete(EVENTS.id, {"what": "a", "size": "1.00", "more": None}))

    def test_columns_that_are_added_are_null_in_the_rows_before(self) -> None:
        self.warehouse.upsert(ORDERS.id, {"id": 1, "note": "a", "size": 2})
        self.warehouse.describe(
            Table("shop", "orders", {**ORDERS.columns, "more": Column("more", messages.JSON)}))
        self.warehouse.upsert(ORDERS.id, {"id": 2, "note": "b", "size": 3, "more": "{}"})
        self.assertEqual(self.warehouse.rows(ORDERS.id, ["more", "id", "unknown"]), [
            '{"more":null,"id":1,"unknown":null}', '{"more":"{}","id":2,"unknown":null}'])

    def test_values_that_differ_by_type_alone_are_kept_apart(self) -> None:
        keys = Table("shop", "keys", {"key": Column("key", messages.STRING, in_key=True)})
        self.warehouse.describe(keys)
        for key in ("1", "1.0", "A", "a", "a ", ""):
            self.warehouse.upsert(keys.id, {"key": key})
        self.assertEqual(self.warehouse.count(keys.id), 6)

    def test_what_a_broken_update_wrote_behind_its_checkpoint_is_kept_or_dropped(self) -> None:
        for keep, left in ((True, 3), (False, 2)):
            with self.subTest(keep=keep):
                self.setUp()
                self.warehouse.upsert(ORDERS.id, {"id": 1})
                self.warehouse.upsert(ORDERS.id, {"id": 2})
                self.warehouse.checkpoint('{"at": 2}', {"begun": ["shop.orders"]})
                self.warehouse.upsert(ORDERS.id, {"id": 3})
                self.warehouse.describe(Table("shop", "late", dict(ORDERS.columns)))
                self.warehouse.end_update(keep)
                self.assertEqual(self.warehouse.count(ORDERS.id), left)
                self.assertEqual(self.warehouse.state, '{"at": 2}')
                self.assertEqual(self.warehouse.table(("shop", "late")) is not None, keep)

    def test_a_file_keeps_everything(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "warehouse.db")
            first = Warehouse(path)
            first.describe(ORDERS)
            first.begin_update()
            first.upsert(ORDERS.id, {"id": 1, "note": "a", "size": 2})
            first.checkpoint('{"at": 1}', {"begun": ["shop.orders"]})
            first.end_update()
            first.close()
            second = Warehouse(path)
            self.assertEqual(second.rows(ORDERS.id), ['{"id":1,"note":"a","size":2}'])
            self.assertEqual((second.state, second.progress),
                             ('{"at": 1}', {"begun": ["shop.orders"]}))
            second.begin_update()
            self.assertTrue(second.truncate(ORDERS.id))
            self.assertEqual(second.rows(ORDERS.id), [])
            second.close()


class HistoryTest(unittest.TestCase):

    def setUp(self) -> None:
        self.warehouse = Warehouse(history=True)
        self.warehouse.describe(ORDERS)
        self.warehouse.begin_update()

    def test_every_change_makes_a_version(self) -> None:
        self.warehouse.upsert(ORDERS.id, {"id": 1, "note": "a", "size": 2})
        self.warehouse.upsert(ORDERS.id, {"id": 1, "note": "b", "size": 2})
        self.assertTrue(self.warehouse.update(ORDERS.id, {"id": 1, "size": 3}))
        self.assertEqual(self.warehouse.rows(ORDERS.id), ['{"id":1,"note":"b","size":3}'])
        self.assertEqual(self.warehouse.count(ORDERS.id, living=False), 2)

    def test_a_deleted_row_has_former_versions_alone(self) -> None:
        self.warehouse.upsert(ORDERS.id, {"id": 1, "note": "a", "size": 2})
        self.assertTrue(self.warehouse.delete(ORDERS.id, {"id": 1}))
        self.assertFalse(self.warehouse.update(ORDERS.id, {"id": 1, "size": 3}))
        self.assertFalse(self.warehouse.delete(ORDERS.id, {"id": 1}))
        self.assertEqual(self.warehouse.rows(ORDERS.id), [])
        self.assertEqual(self.warehouse.count(ORDERS.id, living=False), 1)

    def test_a_truncate_ends_the_versions_before_it(self) -> None:
        self.warehouse.upsert(ORDERS.id, {"id": 1})
        self.warehouse.upsert(ORDERS.id, {"id": 2})
        self.warehouse.truncate(ORDERS.id)
        self.warehouse.upsert(ORDERS.id, {"id": 2})
        self.assertEqual(self.warehouse.rows(ORDERS.id), ['{"id":2,"note":null,"size":null}'])
        self.assertEqual(self.warehouse.count(ORDERS.id, living=False), 2)

    def test_versions_of_a_row_do_not_overlap(self) -> None:
        for size in range(3):
            self.warehouse.upsert(ORDERS.id, {"id": 1, "size": size})
        versions = self.warehouse._database.execute(
            'SELECT _fivetran_start, _fivetran_end FROM "shop.orders" ORDER BY 1').fetchall()
        self.assertEqual([end + 1 for _, end in versions[:-1]],
                         [start for start, _ in versions[1:]])


if __name__ == "__main__":
    unittest.main()
