"""The command for people."""

import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from typing import Any

import grpc

from . import fake_source as fake
from .fake_source import TRUNCATE, FakeSource, batch, checkpoint, upsert


class CommandLineTest(unittest.TestCase):

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.configuration = self.folder / "configuration.json"
        self.configuration.write_text(json.dumps({"host": "vtgate"}))

    def sync(self, source: FakeSource, *more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "fivetran_host", "--port", str(source.port), "--configuration",
             str(self.configuration), "--directory", str(self.folder), *map(str, more)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

    def rows(self) -> Any:
        database = sqlite3.connect(self.folder / "warehouse.db")
        self.addCleanup(database.close)
        return database.execute(
            'SELECT id FROM "shop.orders" WHERE NOT _fivetran_deleted').fetchall()

    def test_a_sync_fills_the_warehouse_and_tells_what_came(self) -> None:
        with FakeSource([batch(TRUNCATE, upsert(1), upsert(2)), checkpoint()]) as source:
            run = self.sync(source)
        self.assertEqual(run.stdout.splitlines(), [
            "[Connecting]: PASSED", "Upserts: 2", "Updates: 0", "Deletes: 0", "Truncates: 1",
            "SchemaChanges: 0", "Checkpoints: 1", "Sync SUCCEEDED"])
        self.assertEqual(run.returncode, 0)
        self.assertEqual((self.folder / "state.json").read_text(), '{"at": 1}')
        self.assertEqual(self.rows(), [(1,), (2,)])

    def test_it_goes_on_from_the_state_in_the_folder(self) -> None:
        with FakeSource([batch(TRUNCATE, upsert(1)), checkpoint()]) as source:
            self.sync(source)
        with FakeSource([batch(upsert(2)), checkpoint('{"at": 2}')]) as source:
            self.assertEqual(self.sync(source).returncode, 0)
            self.assertEqual(source.requests[0].state_json, '{"at": 1}')
        (self.folder / "state.json").unlink()
        with FakeSource([batch(TRUNCATE, upsert(3)), checkpoint()]) as source:
            self.assertEqual(self.sync(source).returncode, 0)
            self.assertEqual(source.requests[0].state_json, "{}")
        self.assertEqual(self.rows(), [(3,)])

    def test_a_test_that_fails_ends_it(self) -> None:
        with FakeSource(test=fake.common_pb2.TestResponse(failure="no way there")) as source:
            run = self.sync(source)
            self.assertEqual(source.requests, [])
        self.assertEqual(run.stdout.splitlines(), ["[Connecting]: FAILED: no way there"])
        self.assertEqual(run.returncode, 1)

    def test_failures_and_broken_rules_are_told(self) -> None:
        with FakeSource([batch(upsert(1)), checkpoint()],
                        status=(grpc.StatusCode.UNAVAILABLE, "gone")) as source:
            run = self.sync(source)
        self.assertIn("Broken rule: message 1, record 1: the first record of shop.orders",
                      run.stdout)
        self.assertEqual(run.stdout.splitlines()[-2:], ["Status: UNAVAILABLE: gone", "Sync FAILED"])
        self.assertEqual(run.returncode, 1)

    def test_the_selection_is_written_and_then_read(self) -> None:
        selection = self.folder / "selection.json"
        with FakeSource([checkpoint()]) as source:
            self.assertEqual(self.sync(source, "--selection", selection).returncode, 0)
            document = json.loads(selection.read_text())
            document["schemas"]["shop"]["tables"]["orders"]["included"] = False
            selection.write_text(json.dumps(document))
            self.sync(source, "--selection", selection)
            self.assertFalse(source.requests[1].selection.with_schema.schemas[0].tables[0].included)

    def test_a_configuration_that_the_form_refuses_ends_it(self) -> None:
        self.configuration.write_text(json.dumps({"hots": "vtgate"}))
        with FakeSource() as source:
            run = self.sync(source)
        self.assertIn("configuration: there is no field hots", run.stdout)
        self.assertEqual(run.returncode, 1)


if __name__ == "__main__":
    unittest.main()
