"""The connector in the platform's containers: what it says, and that nothing is lost when it is killed."""

from __future__ import annotations

import os
import random
import tempfile
import time
import unittest
from collections import Counter
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from postgres_loader.simulator import Simulator

from . import image
from .destination import Destination
from .pod import TIMEOUT, Job, Sync, require_root
from .rules import Rules

ROOT = Path(__file__).resolve().parents[2]
SHOP = [ROOT / "integration_tests/demo/shop.sql",
        ROOT / "integration_tests/postgres_loader/visits.sql"]

# Columns whose values read the same in a record and in the source's answer.
COMPARED = {
    ("commerce", "customers"): ["id", "name", "email", "country", "newsletter", "joined"],
    ("commerce", "orders"): ["customer_id", "id", "status", "note"],
    ("commerce", "products"): ["id", "sku", "name"],
    ("commerce", "events"): ["id", "body"],
    ("lookup", "countries"): ["code", "name", "own_name"],
    ("lookup", "visits"): ["page"],
}
VISITS = ("lookup", "visits")
KEYED = [name for name in COMPARED if name != VISITS]
EVENTS = 1500
# Each is a history of its own: which changes come when, and when which attempt is killed.
FIRST_SEED = int(os.environ.get("SOURCE_VITESS_PLATFORM_SEED", "1"))
HISTORIES = int(os.environ.get("SOURCE_VITESS_PLATFORM_HISTORIES", "8"))
MOST_KILLS = 8
PIPE = 65536


def setUpModule() -> None:
    require_root()


def text(value: object) -> Optional[str]:
    return None if value is None else str(value)


class PlatformTest(unittest.TestCase):

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        events = Path(folder.name) / "events.sql"
        # More than a pipe holds, so that the connector waits for its reader on the way.
        rows = ", ".join(f"({number}, '{'e' * 200}')" for number in range(1, EVENTS + 1))
        events.write_text(
            "use commerce; create table events (id bigint not null primary key, "
            "body varchar(400) not null); alter vschema on commerce.events add vindex hash(id); "
            f"insert into events values {rows};")
        self.vitess = Simulator([*SHOP, events], ["--packet-bytes", "4000"])
        self.addCleanup(self.vitess.stop)
        self.config = {"host": self.vitess.host, "port": self.vitess.port,
                       "keyspaces": ["commerce", "lookup"], "checkpoint_interval": 100}

    def execute(self, *statements: str) -> None:
        for statement in statements:
            self.vitess.run("commerce", statement)

    def discover(self) -> dict:
        """The catalog as a user configures it, in the platform's words."""
        with Job() as job:
            self.assertEqual(job.run("discover", self.config), 0)
            self.assertEqual(job.errors(), "")
            [catalog] = [message["catalog"] for message in job.messages()
                         if message["type"] == "CATALOG"]
        streams = []
        for stream in catalog["streams"]:
            key = stream.get("source_defined_primary_key", [])
            streams.append({
                "stream": stream, "sync_mode": "incremental" if key else "full_refresh",
                "destination_sync_mode": "append_dedup" if key else "overwrite",
                "primary_key": key, "cursor_field": stream.get("default_cursor_field", []),
                "generation_id": 3, "minimum_generation_id": 0 if key else 3, "sync_id": 12,
                "include_files": False})
        return {"streams": streams}

    def sync(self, catalog: dict, destination: Destination) -> Rules:
        """One that nobody disturbs, held against the rules."""
        rules = Rules(catalog)
        with Sync(self.config, catalog, destination.states()) as sync:
            messages = [rules.take(line) for line in sync.lines()]
            rules.end(sync.exit_code(), sync.errors)
        self.assertEqual(rules.broken, [])
        destination.commit(messages, len(messages), 0)
        return rules

    def in_vitess(self, name: Tuple[str, str]) -> Counter:
        keyspace, table = name
        return Counter(self.vitess.rows(
            keyspace, f"select {', '.join(COMPARED[name])} from {table}"))

    def held(self, destination: Destination, name: Tuple[str, str]) -> Counter:
        return Counter(tuple(text(row[column]) for column in COMPARED[name])
                       for row in destination.rows(name))

    def assert_equal(self, destination: Destination) -> None:
        for name in COMPARED:
            with self.subTest(table=name):
                self.assertEqual(self.held(destination, name), self.in_vitess(name))


class ContainerTest(PlatformTest):
    """The emulation is what it says, and the commands whose output goes to a file."""

    def probe(self, script: str, variables: Optional[Dict[str, str]] = None) -> Tuple[int, str]:
        with Job({"AIRBYTE_ENTRYPOINT": "/bin/sh /source/probe", **(variables or {})}) as job:
            (job.source / "probe").write_text(script)
            code = job.run("check")
            output = job.config / "jobOutput.json"
            return code, output.read_text() if output.exists() else ""

    def test_it_has_the_rights_of_the_platforms_container(self) -> None:
        code, output = self.probe("id -u; id -g; id -G; grep -E '^(CapEff|NoNewPrivs)' "
                                  "/proc/self/status | tr -d '\\t'; echo $1; pwd; "
                                  "cat /proc/1/comm\n")
        self.assertEqual(code, 0)
        self.assertEqual(output.split(), ["1000", "1000", "1000", "CapEff:0000000000000000",
                                          "NoNewPrivs:1", "check", "/source", "sh"])

    def test_nothing_can_be_written_outside_of_what_is_mounted(self) -> None:
        for folder, written in {"/": 1, "/airbyte": 1, "/tmp": 1, "/usr": 1, "/etc": 1,
                                "/source": 0, "/config": 0}.items():
            with self.subTest(folder=folder):
                code, _ = self.probe(f"touch {folder}/file 2>/dev/null; echo $?; "
                                     f"test -f {folder}/file\n")
                self.assertEqual(code, written)

    def test_an_image_without_an_entry_point_is_refused(self) -> None:
        self.assertEqual(self.probe("", {"AIRBYTE_ENTRYPOINT": ""})[0], 127)

    def test_the_image_says_the_same_to_docker_and_to_the_platform(self) -> None:
        self.assertEqual(image.environment()["AIRBYTE_ENTRYPOINT"], " ".join(image.entry_point()))

    def test_the_specification_needs_no_configuration(self) -> None:
        with Job() as job:
            self.assertEqual(job.run("spec"), 0)
            self.assertEqual([message["type"] for message in job.messages()], ["SPEC"])
            self.assertEqual(job.errors(), "")

    def test_a_check_has_one_status_and_the_exit_code_0_whatever_it_says(self) -> None:
        for host, status in {"127.0.0.1": "SUCCEEDED", "": "FAILED"}.items():
            with self.subTest(host=host), Job() as job:
                self.assertEqual(job.run("check", {**self.config, "host": host}), 0)
                self.assertEqual([message["connectionStatus"]["status"]
                                  for message in job.messages()
                                  if message["type"] == "CONNECTION_STATUS"], [status])
                self.assertEqual(job.errors(), "")

    def test_a_discovery_that_fails_has_no_catalog_but_an_error(self) -> None:
        with Job() as job:
            self.assertEqual(job.run("discover", {**self.config, "keyspaces": ["comerce"]}), 1)
            kinds = [message["type"] for message in job.messages()]
            self.assertNotIn("CATALOG", kinds)
            [error] = [message["trace"]["error"] for message in job.messages()
                       if message["type"] == "TRACE"]
            self.assertEqual(error["failure_type"], "config_error")
            self.assertIn("comerce", error["message"])
            self.assertEqual(job.errors(), "")


class SyncTest(PlatformTest):

    def test_an_undisturbed_sync_keeps_the_rules_and_delivers_all(self) -> None:
        catalog = self.discover()
        destination = Destination(catalog)
        rows = sum(sum(self.in_vitess(name).values()) for name in COMPARED)
        self.assertEqual(self.sync(catalog, destination).records(), rows)
        self.assert_equal(destination)
        self.execute("update events set body = 'changed' where id = 7",
                     "delete from events where id = 8", "delete from customers where id = 4")
        destination.forget(VISITS)
        self.assertEqual(self.sync(catalog, destination).records(), 3 + 3)
        self.assert_equal(destination)

    def test_a_refresh_of_one_stream_reads_that_one_again(self) -> None:
        catalog = self.discover()
        destination = Destination(catalog)
        self.sync(catalog, destination)
        self.execute("delete from customers where id = 4")
        for name in (VISITS, ("commerce", "customers")):
            destination.forget(name)
        self.assertEqual(self.sync(catalog, destination).records(), 3 + 23)
        self.assert_equal(destination)

    def test_a_table_that_is_gone_fails_alone_and_in_words(self) -> None:
        catalog = self.discover()
        self.execute("drop table products")
        rules = Rules(catalog)
        statuses = {}
        with Sync(self.config, catalog, []) as sync:
            for line in sync.lines():
                trace = rules.take(line).get("trace", {})
                if trace.get("type") == "STREAM_STATUS":
                    status = trace["stream_status"]
                    statuses[status["stream_descriptor"]["name"]] = status["status"]
            code = sync.exit_code()
            rules.end(code, sync.errors)
        self.assertEqual(rules.broken, [])
        self.assertEqual(code, 1)
        self.assertEqual({table for table, status in statuses.items() if status != "COMPLETE"},
                         {"products"})
        [error] = rules.errors
        self.assertIn("products", error["message"])
        self.assertEqual(error["stream_descriptor"]["name"], "products")

    def test_a_destination_that_stops_reading_holds_the_connector_up(self) -> None:
        catalog = self.discover()
        with Sync(self.config, catalog, []) as sync:
            patience = time.monotonic() + TIMEOUT
            while sync.unread() < PIPE // 2:
                self.assertLess(time.monotonic(), patience)
                time.sleep(0.01)
            sync.terminate()
            self.assertEqual(sync.exit_code(), 143)
            self.assertLessEqual(sum(len(line) for line in sync.lines()), PIPE)

    def change(self, chance: random.Random, next_id: int) -> int:
        """A few changes of tables with keys; the next unused id of an event."""
        for _ in range(chance.randrange(1, 12)):
            event, customer = chance.randrange(1, next_id), chance.randrange(1, 30)
            statement = chance.choice([
                f"insert into events values ({next_id}, 'new {chance.random()}')",
                f"update events set body = 'changed {chance.random()}' where id = {event}",
                f"delete from events where id = {event}",
                f"update customers set name = 'Name {chance.random()}' where id = {customer}",
                f"delete from orders where customer_id = {customer}",
                f"update products set sku = 'sku {chance.randrange(10**6)}' where id = 5"])
            self.execute(statement)
            next_id += statement.startswith("insert")
        return next_id

    def attempt(self, chance: random.Random, catalog: dict, destination: Destination) -> bool:
        """One that is killed at some line, and of which the destination has taken some part. Whether
        it came to its end before that."""
        rules = Rules(catalog)
        messages: List[dict] = []
        last = chance.randrange(1, chance.choice([30, 300, EVENTS]))
        by_signal = chance.random() < 0.25
        with Sync(self.config, catalog, destination.states()) as sync:
            for line in sync.lines():
                if not line.endswith(b"\n"):
                    break  # cut off with the container
                messages.append(rules.take(line))
                if len(messages) == last:
                    if by_signal:
                        sync.terminate()
                        sync.exit_code()
                    else:
                        sync.kill()
                        break
            if len(messages) < last or (by_signal and sync.exit_code() == 0):
                rules.end(sync.exit_code(), sync.errors)
                self.assertEqual(rules.broken, [])
                destination.commit(messages, len(messages), 0)
                return True
        self.assertEqual(rules.broken, [])
        # Behind the last state that the destination has acknowledged, it may hold more records.
        states = [index for index, message in enumerate(messages) if message["type"] == "STATE"]
        behind = chance.randrange(1, 4)
        acknowledged = states[-behind] + 1 if behind <= len(states) else 0
        destination.commit(messages, acknowledged,
                           chance.randrange(0, len(messages) - acknowledged + 1))
        return False

    def test_what_is_killed_at_random_goes_on_from_what_was_acknowledged(self) -> None:
        for seed in range(FIRST_SEED, FIRST_SEED + HISTORIES):
            with self.subTest(seed=seed):
                self.setUp()
                self.run_history(random.Random(seed))
                self.doCleanups()

    def run_history(self, chance: random.Random) -> None:
        catalog = self.discover()
        destination = Destination(catalog)
        next_id = EVENTS + 1
        for _job in range(2):
            for _kill in range(chance.randrange(1, MOST_KILLS)):
                if self.attempt(chance, catalog, destination):
                    break
                next_id = self.change(chance, next_id)
            self.sync(catalog, destination)
            for name in KEYED:
                self.assertEqual(self.held(destination, name), self.in_vitess(name), name)
            # Read anew in each attempt that begins without its last state: all, some more than once.
            self.assertEqual(set(self.held(destination, VISITS)), set(self.in_vitess(VISITS)))
            self.assertEqual(self.in_vitess(VISITS) - self.held(destination, VISITS), Counter())
            destination.forget(VISITS)
            # Much to read in the next job, be it from the binary logs or by a copy.
            first = chance.randrange(1, EVENTS // 2)
            self.execute(f"update events set body = concat('changed ', id) where id > {first}")
            if chance.random() < 0.5:
                destination.forget(chance.choice(KEYED))
        self.sync(catalog, destination)
        self.assert_equal(destination)


if __name__ == "__main__":
    unittest.main()
