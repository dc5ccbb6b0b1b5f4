"""The cache of PyAirbyte holds what Vitess holds, whatever happens in between."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Dict, Optional, Sequence, Set, Tuple

from postgres_loader.simulator import Simulator

from .host import (ADDED, airbyte, current_rows, forget_state, make_source, open_cache,
                   saved_states)

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CONNECTOR = os.environ["SOURCE_VITESS_PROGRAM"]
SHOP = [ROOT / "integration_tests/demo/shop.sql",
        ROOT / "integration_tests/postgres_loader/visits.sql"]
CHANGES = ROOT / "integration_tests/demo/changes.sql"
RECORDINGS = ROOT / "integration_tests/recordings"
TIMEOUT = 120

# By table: its keyspace, its key, and the columns that are compared with the source's text.
TABLES = {
    "customers": ("commerce", ["id"], ["id", "name", "email", "country", "newsletter", "joined"]),
    "orders": ("commerce", ["customer_id", "id"],
               ["customer_id", "id", "status", "total", "note", "placed_at"]),
    "products": ("commerce", ["id"],
                 ["id", "sku", "name", "price", "weight_kg", "department", "labels", "launched"]),
    "countries": ("lookup", ["code"], ["code", "name", "own_name"]),
    "visits": ("lookup", [], ["at", "page"]),
}
KEYED = [table for table, (_, key, _) in TABLES.items() if key]


def as_text(value: object) -> Optional[str]:
    """A value of the cache as MySQL writes it, of a number without the zeros at its end."""
    if value is None:
        return None
    if isinstance(value, (decimal.Decimal, float)):
        return format(decimal.Decimal(str(value)).normalize(), "f")
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    return str(value)


def source_text(value: Optional[str]) -> Optional[str]:
    if value is None or "." not in value or not value.replace(".", "").isdigit():
        return value
    return format(decimal.Decimal(value).normalize(), "f")


class ReadTest(unittest.TestCase):
    """A cache of its own, and a simulated Vitess, for each test."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def start(self, seeds: Sequence[Path], keyspaces: Sequence[str], *options: str) -> None:
        self.vitess = Simulator(seeds, options)
        self.addCleanup(self.vitess.stop)
        self.config: Dict[str, object] = {
            "host": self.vitess.host, "port": self.vitess.port, "keyspaces": list(keyspaces),
            "checkpoint_interval": 5}
        self.cache = open_cache(self.folder)

    def start_shop(self) -> None:
        self.start(SHOP, ["commerce", "lookup"], "--packet-bytes", "300")

    def source(self, streams: Optional[Sequence[str]] = None,
               connector: str = CONNECTOR) -> airbyte.Source:
        return make_source(connector, self.config, streams)

    def read(self, streams: Optional[Sequence[str]] = None, strategy: str = "append",
             **more: object) -> airbyte.ReadResult:
        return self.source(streams).read(cache=self.cache, write_strategy=strategy, **more)

    def read_all(self) -> None:
        """Tables with a key are appended to, the one without is replaced."""
        self.read(KEYED)
        self.read(["visits"], "auto")

    def execute(self, *statements: str, keyspace: str = "commerce") -> None:
        for statement in statements:
            self.vitess.run(keyspace, statement)

    def assert_equal(self, tables: Sequence[str] = tuple(TABLES)) -> None:
        for table in tables:
            keyspace, key, columns = TABLES[table]
            with self.subTest(table=table):
                wanted = [tuple(source_text(cell) for cell in row) for row in self.vitess.rows(
                    keyspace, f"select {', '.join(columns)} from {table}")]
                held = [tuple(as_text(row[column]) for column in columns)
                        for row in current_rows(self.cache, table, key)]
                self.assertGreater(len(wanted), 0)
                self.assertEqual(sorted(held, key=repr), sorted(wanted, key=repr))


class ShopTest(ReadTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_shop()

    def test_the_connection_is_checked(self) -> None:
        self.source().check()
        self.config["keyspaces"] = ["comerce"]
        with self.assertRaises(airbyte.exceptions.AirbyteConnectorCheckFailedError) as failure:
            airbyte.get_source("source-vitess", local_executable=CONNECTOR,
                               config=self.config).check()
        self.assertIn("comerce", str(failure.exception))

    def test_a_configuration_is_held_against_the_specification(self) -> None:
        source = self.source()
        source.validate_config()
        with self.assertRaises(airbyte.exceptions.AirbyteConnectorValidationFailedError):
            source.validate_config({**self.config, "port": "many"})

    def test_tables_are_discovered_with_their_columns(self) -> None:
        source = self.source()
        self.assertEqual(sorted(source.get_available_streams()), sorted(TABLES))
        properties = source.get_stream_json_schema("orders")["properties"]
        self.assertEqual([name for name in properties if name not in ADDED],
                         TABLES["orders"][2])

    def test_the_first_read_holds_what_vitess_holds(self) -> None:
        result = self.read(KEYED)
        self.assertEqual(result.processed_records, 102)
        self.read(["visits"], "auto")
        self.assert_equal()

    def test_the_next_read_delivers_the_changes_alone(self) -> None:
        self.read_all()
        changes = CHANGES.read_text().splitlines()
        self.execute(*changes)
        self.execute("delete from visits where page is null",
                     "insert into visits values ('2026-01-05 11:00:00', '/cup')",
                     keyspace="lookup")
        # The new key of an order is a deletion and a new row, and customers 1 and 4 had 2 and 1.
        result = self.read(KEYED)
        self.assertEqual(result.processed_records, 3 + 3 + 2 + 2 + 1 + 1)
        self.read(["visits"], "auto")
        self.assert_equal()
        self.assertEqual(self.read(KEYED).processed_records, 0)
        self.assert_equal()

    def test_the_last_of_several_changes_of_a_key_stands(self) -> None:
        self.read(KEYED)
        self.execute("update customers set name = 'Once' where id = 3",
                     "update customers set name = 'Twice' where id = 3",
                     "delete from customers where id = 5",
                     "insert into customers values "
                     "(5, 'Back', 'b@example.com', 'PL', 1, '2026-01-06')",
                     "insert into customers values "
                     "(900, 'Brief', 'b@example.com', 'PL', 1, '2026-01-06')",
                     "delete from customers where id = 900",
                     "update customers set id = 1007 where id = 7")
        self.read(KEYED)
        self.assert_equal(KEYED)

    def test_deletions_stay_in_the_cache_as_such_with_the_row_as_it_was(self) -> None:
        self.read(["customers"])
        self.execute("delete from customers where id = 5")
        self.read(["customers"])
        self.assertEqual(
            self.cache.run_sql_query("SELECT id, name FROM main.customers "
                                     "WHERE _ab_cdc_deleted_at IS NOT NULL"),
            [{"id": 5, "name": "Eiko Tanaka"}])
        self.assert_equal(["customers"])

    def test_merged_tables_have_a_row_for_each_key_that_changed_once(self) -> None:
        self.read(strategy="auto")
        self.execute("update customers set email = 'new@example.com' where id = 2",
                     "delete from customers where id = 5",
                     "insert into customers values "
                     "(25, 'Zofia Lis', 'zofia@example.com', 'PL', 1, '2026-01-05')")
        self.read(strategy="auto")
        self.assert_equal()
        [counted] = self.cache.run_sql_query("SELECT count(*) AS n FROM main.customers")
        self.assertEqual(counted["n"], 25)

    def test_a_stream_whose_state_is_forgotten_is_copied_again(self) -> None:
        self.read(KEYED)
        before = saved_states(self.cache)
        self.execute("update customers set name = 'Changed' where id = 3")
        forget_state(self.cache, "customers")
        self.assertEqual(self.read(KEYED).processed_records, 24)
        self.assert_equal(KEYED)
        self.assertEqual(saved_states(self.cache).keys(), before.keys())

    def test_a_full_refresh_replaces_a_stream_and_changes_go_on_from_it(self) -> None:
        self.read(KEYED)
        self.execute("delete from customers where id = 5",
                     "update customers set name = 'Changed' where id = 3")
        self.read(["customers"], "replace", force_full_refresh=True)
        self.assert_equal(KEYED)
        [counted] = self.cache.run_sql_query("SELECT count(*) AS n FROM main.customers")
        self.assertEqual(counted["n"], 23)
        self.execute("delete from customers where id = 6",
                     "update customers set name = 'Changed again' where id = 3")
        self.assertEqual(self.read(KEYED).processed_records, 2)
        self.assert_equal(KEYED)

    def test_a_new_column_is_added(self) -> None:
        self.read(["customers"])
        self.execute("alter table customers add column points int not null default 7",
                     "update customers set points = 12 where id = 3")
        self.read(["customers"])
        self.assert_equal(["customers"])
        points = {row["id"]: row["points"]
                  for row in current_rows(self.cache, "customers", ["id"])}
        self.assertEqual((points[3], points[4]), (12, None))

    def test_records_are_read_without_a_cache_and_reading_may_stop_early(self) -> None:
        source = self.source()
        # A dataset that nobody holds any more stops its connector.
        countries = source.get_records("countries")
        self.assertEqual(sorted(record["code"] for record in countries),
                         ["AT", "BR", "CZ", "IN", "JP", "NG", "PE", "PL"])
        orders = source.get_records("orders", limit=3)
        self.assertEqual(len(list(orders)), 3)
        products = source.get_records("products")
        self.assertIn("sku", next(products))
        products.close()
        self.assertEqual(list(products), [])

    def dying_connector(self, records: int) -> str:
        """A connector that is killed in a read behind so many records."""
        program = self.folder / "dying-connector"
        program.write_text(
            "#!/bin/bash\n"
            f"[[ $1 == read ]] || exec '{CONNECTOR}' \"$@\"\n"
            f"exec {{out}}< <(exec '{CONNECTOR}' \"$@\")\n"
            "connector=$!\n"
            "records=0\n"
            "while IFS= read -r -u $out line; do\n"
            "  printf '%s\\n' \"$line\"\n"
            "  [[ $line != '{\"type\":\"RECORD\"'* ]] || ((++records))\n"
            f"  ((records < {records})) || break\n"
            "done\n"
            "kill -KILL $connector\n"
            "kill -KILL $$\n")
        program.chmod(0o755)
        return str(program)

    def test_a_connector_that_is_killed_is_gone_on_with_from_the_state_of_the_cache(self) -> None:
        self.read(KEYED)
        states = saved_states(self.cache)
        self.execute(*CHANGES.read_text().splitlines())
        with self.assertRaises(airbyte.exceptions.AirbyteConnectorFailedError):
            self.source(KEYED, self.dying_connector(4)).read(
                cache=self.cache, write_strategy="append")
        self.assertEqual(saved_states(self.cache), states)
        self.read(KEYED)
        self.assert_equal(KEYED)

    def test_a_first_read_whose_connector_is_killed_begins_again(self) -> None:
        with self.assertRaises(airbyte.exceptions.AirbyteConnectorFailedError):
            self.source(KEYED, self.dying_connector(40)).read(
                cache=self.cache, write_strategy="append")
        self.read(KEYED)
        self.assert_equal(KEYED)

    def test_a_host_that_is_killed_between_two_tables_goes_on_from_the_states_it_has(self) -> None:
        self.cache.close()
        ended = subprocess.run(
            [sys.executable, "-m", "pyairbyte.die_between_tables", CONNECTOR,
             json.dumps(self.config), str(self.folder)],
            check=False, timeout=TIMEOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(ended.returncode, -signal.SIGKILL, ended.stdout.decode())
        self.cache = open_cache(self.folder)
        self.assertEqual(len(saved_states(self.cache)), 1)
        self.execute(*CHANGES.read_text().splitlines())
        self.read(KEYED)
        self.assert_equal(KEYED)


class LimitsTest(ReadTest):
    """What README.md warns of, so that it is found out when a later PyAirbyte does better."""

    def setUp(self) -> None:
        super().setUp()
        self.start_shop()

    def test_a_merge_takes_several_records_of_a_key_in_any_order(self) -> None:
        self.read(["customers"], "auto")
        self.execute("insert into customers values "
                     "(900, 'Once', 'b@example.com', 'PL', 1, '2026-01-06')",
                     "update customers set name = 'Twice' where id = 900")
        self.read(["customers"], "auto")
        names = [row["name"] for row in self.cache.run_sql_query(
            "SELECT name FROM main.customers WHERE id = 900 ORDER BY name")]
        self.assertEqual(names, ["Once", "Twice"])
        # Nothing is lost that the cursor could not put in order.
        self.assert_equal(["customers"])

    def test_a_table_without_a_key_that_became_empty_keeps_its_old_rows(self) -> None:
        self.read(["visits"], "auto")
        self.execute("delete from visits where page = '/kettle' or page is null",
                     keyspace="lookup")
        self.assertEqual(self.read(["visits"], "auto").processed_records, 0)
        self.assertEqual(len(current_rows(self.cache, "visits", [])), 3)

    def test_tables_of_one_name_in_two_keyspaces_need_a_source_each(self) -> None:
        self.execute("create table countries (code char(2) not null primary key)",
                     "alter vschema on commerce.countries add vindex xxhash(code)",
                     "insert into countries values ('XX')")
        with self.assertRaises(Exception) as failure:
            self.read(["countries"])
        self.assertIn('duplicate key "countries"', str(failure.exception))
        self.config["keyspaces"] = ["commerce"]
        self.assertEqual(self.read(["countries"]).processed_records, 1)


class AllTypesTest(ReadTest):
    """Every MySQL type, as the recordings have them."""

    def setUp(self) -> None:
        super().setUp()
        seed = self.folder / "all_types.sql"
        seed.write_text("\n".join([
            "create keyspace customer shards ('-80', '80-') tablets (primary, rdonly) "
            "on one server; use customer;",
            (RECORDINGS / "data/schema.sql").read_text(),
            (HERE / "all_types_vindexes.sql").read_text(),
            (HERE / "all_types.sql").read_text()]))
        self.start([seed], ["customer"])
        self.properties = self.source(["alltypes"]).get_stream_json_schema("alltypes")["properties"]

    def expected(self, recording: str) -> Dict[int, Dict[str, object]]:
        """The last record of each row, but for the numbers that all_types.sql changed."""
        rows: Dict[int, Dict[str, object]] = {}
        for line in (RECORDINGS / "expected" / f"{recording}.jsonl").read_text().splitlines():
            record = json.loads(line, parse_float=decimal.Decimal).get("record")
            if record is None:
                continue
            if record["_ab_cdc_deleted_at"] is not None:
                del rows[record["id"]]
                continue
            rows[record["id"]] = {name: value for name, value in record.items()
                                  if name not in ADDED}
        rows[1]["bu"] = 9223372036854775807
        rows[3]["f"], rows[3]["d"] = decimal.Decimal("3.4e15"), decimal.Decimal("1e20")
        return rows

    def declared(self, name: str) -> Tuple[Set[str], Optional[str]]:
        """The types that the column's schema allows, and what Airbyte calls its values."""
        declared = self.properties[name]
        types = declared.get("type", [])
        return (set(types) if isinstance(types, list) else {types},
                declared.get("airbyte_type", declared.get("format")))

    def in_the_cache(self, name: str, value: object) -> object:
        """What PyAirbyte makes of a record's value: its numbers go through a double and have nine
        digits behind the point, and documents are texts."""
        if value is None:
            return None
        types, kind = self.declared(name)
        if kind == "json" or {"object", "array"} & types:
            return json.dumps(value, default=float, sort_keys=True)
        if kind in ("timestamp_with_timezone", "timestamp_without_timezone"):
            return datetime.datetime.fromisoformat(value.rstrip("Z"))
        if kind == "date":
            return datetime.date.fromisoformat(value)
        if kind in ("time", "time_without_timezone"):
            return datetime.time.fromisoformat(value)
        if "number" in types and kind != "integer":
            return float(value)
        return value

    def held(self, name: str, value: object) -> object:
        if value is None:
            return None
        types, kind = self.declared(name)
        if kind == "json" or {"object", "array"} & types:
            document = value
            if isinstance(value, str):
                try:
                    document = json.loads(value)
                except ValueError:  # a document that is a string has no quotes in a text column
                    pass
            return json.dumps(document, sort_keys=True)
        return float(value) if isinstance(value, decimal.Decimal) else value

    def assert_all_types(self, recording: str) -> None:
        held = {row["id"]: row for row in current_rows(self.cache, "alltypes", ["id"])}
        expected = self.expected(recording)
        self.assertEqual(sorted(held), sorted(expected))
        for key, row in expected.items():
            for name, value in row.items():
                with self.subTest(id=key, column=name):
                    self.assert_cell(self.held(name, held[key][name]),
                                     self.in_the_cache(name, value))

    def assert_cell(self, held: object, expected: object) -> None:
        if isinstance(expected, float):
            self.assertTrue(math.isclose(held, expected, rel_tol=1e-14, abs_tol=5e-10),
                            f"{held} instead of {expected}")
        else:
            self.assertEqual(held, expected)

    def test_copied_values_are_those_of_the_recordings(self) -> None:
        self.read(["alltypes"])
        self.assert_all_types("copy-all-types")

    def test_replicated_values_are_those_of_the_recordings(self) -> None:
        self.execute("delete from alltypes", keyspace="customer")
        self.read(["alltypes"])
        self.execute(*(HERE / "all_types.sql").read_text().split(";\n")[:-1],
                     "update alltypes set en = 'd''e', st = 'y' where id = 1",
                     "update alltypes set vc = 'v' where id = 2",
                     "delete from alltypes where id = 5", keyspace="customer")
        self.read(["alltypes"])
        self.assert_all_types("replicate-all-types")

    def test_a_number_without_a_place_in_the_cache_is_an_error_and_changes_nothing(self) -> None:
        self.read(["alltypes"])
        states = saved_states(self.cache)
        self.execute("update alltypes set bu = 18446744073709551615 where id = 2",
                     keyspace="customer")
        with self.assertRaises(Exception) as failure:
            self.read(["alltypes"])
        self.assertIn("18446744073709551615", str(failure.exception))
        self.assertEqual(saved_states(self.cache), states)
        self.assert_all_types("copy-all-types")


if __name__ == "__main__":
    unittest.main()
