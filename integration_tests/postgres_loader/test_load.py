"""The tables of PostgreSQL hold what Vitess holds, whatever is killed on the way."""

from __future__ import annotations

import decimal
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Callable, Dict, List, Optional

from .postgresql import PostgresServer
from .simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
LOADER = ROOT / "examples/postgres_loader/load.py"
CONNECTOR = os.environ["SOURCE_VITESS_PROGRAM"]
SEEDS = [ROOT / "integration_tests/demo/shop.sql", Path(__file__).with_name("visits.sql")]
CHANGES = ROOT / "integration_tests/demo/changes.sql"
TIMEOUT = 120

# By table, what is compared: columns that both servers write the same way as text.
COMPARED = {
    "commerce.customers": ["id", "name", "email", "country", "newsletter", "joined"],
    "commerce.orders": ["customer_id", "id", "status", "total", "note", "placed_at"],
    "commerce.products": ["id", "sku", "name", "price", "weight_kg", "labels", "launched"],
    "lookup.countries": ["code", "name", "own_name"],
    "lookup.visits": ["at", "page"],
}

postgres: PostgresServer


def setUpModule() -> None:
    global postgres
    postgres = PostgresServer()


def tearDownModule() -> None:
    postgres.stop()


class LoadTest(unittest.TestCase):

    def setUp(self) -> None:
        # Small messages, so that there is something to be in the middle of.
        self.vitess = Simulator(SEEDS, ["--packet-bytes", "300"])
        self.addCleanup(self.vitess.stop)
        self.database = postgres.make_database()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.configure()
        self.discover()

    def configure(self, name: str = "config.json", **more: object) -> None:
        config = {"host": self.vitess.host, "port": self.vitess.port,
                  "keyspaces": ["commerce", "lookup"], "checkpoint_interval": 5, **more}
        (self.folder / name).write_text(json.dumps(config))

    def loader(self, *arguments: str, stdin=None, stdout=subprocess.PIPE) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, str(LOADER), *arguments], cwd=self.folder, stdin=stdin, stdout=stdout,
            stderr=subprocess.PIPE, env={**os.environ, **postgres.environment(self.database)})

    def finish(self, process: subprocess.Popen) -> str:
        """Its stderr, of one that ended well."""
        _, errors = process.communicate(timeout=TIMEOUT)
        self.assertEqual(process.returncode, 0, errors.decode())
        return errors.decode()

    def discover(self) -> None:
        found = subprocess.run([CONNECTOR, "discover", "--config", "config.json"], check=True,
                               cwd=self.folder, timeout=TIMEOUT, stdout=subprocess.PIPE)
        (self.folder / "discovered.jsonl").write_bytes(found.stdout)
        with open(self.folder / "discovered.jsonl", "rb") as discovered, \
                open(self.folder / "catalog.json", "wb") as catalog:
            self.finish(self.loader("catalog", stdin=discovered, stdout=catalog))

    def take_states(self, connection: str = "default") -> List[dict]:
        with open(self.folder / "state.json", "wb") as file:
            self.finish(self.loader("state", f"--connection={connection}", stdout=file))
        return json.loads((self.folder / "state.json").read_text())

    def read(self, config: str = "config.json") -> subprocess.Popen:
        return subprocess.Popen(
            [CONNECTOR, "read", "--config", config, "--catalog", "catalog.json",
             "--state", "state.json"], cwd=self.folder, stdout=subprocess.PIPE)

    def start_load(self, *more: str, stdin=subprocess.PIPE) -> subprocess.Popen:
        return self.loader("load", "--catalog", "catalog.json", "--state", "state.json", *more,
                           stdin=stdin)

    def sync(self, *more: str) -> None:
        """What a user's script does: states, and then one program into the other."""
        self.take_states()
        connector = self.read()
        load = self.start_load(*more, stdin=connector.stdout)
        connector.stdout.close()
        self.finish(load)
        self.assertEqual(connector.wait(TIMEOUT), 0)

    def sync_and_kill(self, which: str, at: Callable[[List[dict]], bool]) -> None:
        """Kills the connector or the loader once `at` holds for the messages so far."""
        self.take_states()
        connector = self.read()
        load = self.start_load()
        messages: List[dict] = []
        for line in connector.stdout:
            load.stdin.write(line)
            messages.append(json.loads(line))
            if at(messages):
                break
        else:
            self.fail("the read ended before the kill")
        load.stdin.flush()
        if which == "loader":
            load.send_signal(signal.SIGKILL)
        connector.send_signal(signal.SIGKILL)
        connector.stdout.close()
        connector.wait(TIMEOUT)
        load.communicate(timeout=TIMEOUT)
        self.assertNotEqual(load.returncode, 0)

    def execute(self, *statements: str, keyspace: str = "commerce") -> None:
        for statement in statements:
            self.vitess.run(keyspace, statement)

    def change(self) -> None:
        self.execute(*CHANGES.read_text().splitlines())

    def rows(self, query: str) -> List[tuple]:
        return postgres.rows(self.database, query)

    def in_postgres(self, table: str, columns: List[str]) -> List[tuple]:
        texts = ", ".join(f"{column}::text" for column in columns)
        return sorted(self.rows(f"SELECT {texts} FROM {table}"), key=repr)

    def in_vitess(self, table: str, columns: List[str]) -> List[tuple]:
        keyspace, _, name = table.partition(".")
        return sorted(self.vitess.rows(keyspace, f"select {', '.join(columns)} from {name}"),
                      key=repr)

    def assert_equal(self, compared: Optional[Dict[str, List[str]]] = None) -> None:
        for table, columns in (compared or COMPARED).items():
            with self.subTest(table=table):
                wanted = self.in_vitess(table, columns)
                self.assertGreater(len(wanted), 0)
                self.assertEqual(self.in_postgres(table, columns), wanted)

    def test_a_first_load_holds_what_vitess_holds(self) -> None:
        self.sync()
        self.assert_equal()
        [(details, insured, barcode, changed_at)] = self.rows(
            "SELECT details, insured, barcode, changed_at::text FROM commerce.products "
            "WHERE id = 6")
        self.assertEqual(details, {"height_cm": {"from": 72, "to": 118}})
        self.assertIs(insured, True)
        self.assertEqual(bytes(barcode), bytes.fromhex("04006381e9be"))
        self.assertEqual(changed_at, "2025-07-16 08:06:00.222+00")

    def test_changes_deletes_and_changed_keys_are_applied(self) -> None:
        self.sync()
        self.change()
        self.execute("update customers set id = 1001 where id = 7",
                     "delete from customers where id = 8",
                     "insert into customers values "
                     "(8, 'Back', 'b@example.com', 'PL', 1, '2026-01-06')")
        self.execute("delete from visits where page is null", keyspace="lookup")
        self.sync()
        self.assert_equal()
        self.assertEqual(self.rows("SELECT count(*) FROM commerce.orders WHERE customer_id = 1"),
                         [(0,)])

    def test_a_sync_without_changes_changes_nothing_but_the_table_that_is_replaced(self) -> None:
        self.sync()
        before = self.rows("SELECT xmin, * FROM commerce.products ORDER BY id")
        self.sync()
        self.assertEqual(self.rows("SELECT xmin, * FROM commerce.products ORDER BY id"), before)
        self.assert_equal()

    def test_soft_deletes_keep_the_row_as_it_was(self) -> None:
        self.sync("--deletes", "soft")
        self.execute("delete from customers where id = 5")
        self.sync("--deletes", "soft")
        self.assertEqual(
            self.rows("SELECT id, name FROM commerce.customers "
                      "WHERE _ab_cdc_deleted_at IS NOT NULL"),
            [(5, "Eiko Tanaka")])

    def test_a_new_column_is_added_and_a_reset_fills_it_for_old_rows(self) -> None:
        self.sync()
        self.execute("alter table customers add column points int not null default 7")
        self.execute("update customers set points = 12 where id = 3")
        self.discover()
        self.sync()
        self.assert_equal()
        self.assertEqual(self.rows("SELECT points FROM commerce.customers WHERE id = 3"), [(12,)])
        self.assertEqual(self.rows("SELECT points FROM commerce.customers WHERE id = 4"), [(None,)])
        self.finish(self.loader("reset", "commerce.customers", "--dsn", f"dbname={self.database}"))
        self.sync()
        self.assert_equal({"commerce.customers": COMPARED["commerce.customers"] + ["points"]})

    def test_a_table_made_by_hand_keeps_its_types(self) -> None:
        self.rows("CREATE SCHEMA lookup; CREATE TABLE lookup.countries "
                  "(code char(2) PRIMARY KEY, name varchar(60), loaded timestamptz DEFAULT now())")
        self.sync()
        self.assert_equal()
        self.assertEqual(
            self.rows("SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
                      "WHERE attrelid = 'lookup.countries'::regclass AND attname = 'code'"),
            [("character(2)",)])

    def test_numbers_keep_their_digits_and_texts_without_a_place_are_replaced(self) -> None:
        self.execute(
            "create table extremes (id bigint unsigned primary key, d decimal(65, 30), "
            "t text, j json)",
            "insert into extremes values (18446744073709551615, "
            "12345678901234567890123456789012345.000000000000000000000000000001, "
            "'a\\0b \\\\u0000', '{\"n\": 9007199254740993}')", keyspace="lookup")
        self.discover()
        self.sync()
        [(key, digits, text, document)] = self.rows(
            "SELECT id, d, t, j::text FROM lookup.extremes")
        self.assertEqual(key, decimal.Decimal("18446744073709551615"))
        self.assertEqual(str(digits),
                         "12345678901234567890123456789012345.000000000000000000000000000001")
        self.assertEqual(text, "a\ufffdb \\u0000")
        self.assertEqual(document, '{"n": 9007199254740993}')

    def half_way(self, messages: List[dict]) -> bool:
        """Some records are behind their stream's last state, and some before one."""
        states = [message for message in messages if message["type"] == "STATE"]
        covered = sum(state["state"]["sourceStats"]["recordCount"] for state in states)
        records = sum(message["type"] == "RECORD" for message in messages)
        return covered >= 20 and records > covered

    def kill_twice_and_compare(self, which: str) -> None:
        self.sync_and_kill(which, self.half_way)
        self.sync_and_kill(which, self.half_way)
        self.sync()
        self.assert_equal()
        self.change()
        self.sync_and_kill(
            which, lambda messages: sum(each["type"] == "RECORD" for each in messages) >= 3)
        self.sync()
        self.assert_equal()

    def test_a_connector_that_is_killed_is_gone_on_with(self) -> None:
        self.kill_twice_and_compare("connector")

    def test_a_loader_that_is_killed_is_gone_on_with(self) -> None:
        self.kill_twice_and_compare("loader")

    def test_what_was_committed_is_what_the_state_covers(self) -> None:
        covered: Dict[str, int] = {}

        def count(messages: List[dict]) -> bool:
            covered.clear()
            for message in messages:
                if message["type"] == "STATE":
                    stream = message["state"]["stream"]["stream_descriptor"]
                    name = f"{stream['namespace']}.{stream['name']}"
                    covered[name] = covered.get(name, 0) + int(
                        message["state"]["sourceStats"]["recordCount"])
            return self.half_way(messages)

        self.sync_and_kill("connector", count)
        for table in ("commerce.customers", "commerce.orders", "commerce.products"):
            self.assertEqual(self.rows(f"SELECT count(*) FROM {table}"), [(covered.get(table, 0),)])

    def test_a_load_with_other_states_than_the_saved_ones_is_refused(self) -> None:
        self.take_states()
        stale = (self.folder / "state.json").read_text()
        self.sync()
        (self.folder / "state.json").write_text(stale)
        connector = self.read()
        load = self.start_load(stdin=connector.stdout)
        connector.stdout.close()
        _, errors = load.communicate(timeout=TIMEOUT)
        connector.wait(TIMEOUT)
        self.assertEqual(load.returncode, 1)
        self.assertIn("another load came between", errors.decode())
        self.assert_equal()

    def sync_connection(self, name: str) -> None:
        """A sync of the connection that NAME.json configures."""
        self.take_states(name)
        connector = self.read(f"{name}.json")
        load = self.start_load(f"--connection={name}", stdin=connector.stdout)
        connector.stdout.close()
        self.finish(load)
        self.assertEqual(connector.wait(TIMEOUT), 0)

    def test_connections_over_disjoint_shards_fill_the_same_tables(self) -> None:
        for shard in ("-80", "80-"):
            self.configure(f"{shard}.json", keyspaces=["commerce"], shards=[shard])
        self.configure(keyspaces=["commerce"])
        self.discover()
        commerce = {table: columns for table, columns in COMPARED.items() if table[0] == "c"}
        for change in (lambda: None, self.change):
            change()
            for shard in ("-80", "80-"):
                self.sync_connection(shard)
            self.assert_equal(commerce)

    def test_connections_over_keyspaces_fill_a_schema_each(self) -> None:
        for change in (lambda: None, self.change):
            change()
            for keyspace in ("commerce", "lookup"):
                self.configure(keyspaces=[keyspace])
                self.configure(f"{keyspace}.json", keyspaces=[keyspace])
                self.discover()
                self.sync_connection(keyspace)
            self.assert_equal()


if __name__ == "__main__":
    unittest.main()
