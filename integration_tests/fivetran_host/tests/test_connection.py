"""Updates that go on, that are ended early, and processes that misbehave."""

import sys
import threading
import unittest

from ..connection import Connection, Pause, Stop
from ..selection import Selection
from ..warehouse import Warehouse
from . import fake_source as fake
from .fake_source import TRUNCATE, FakeSource, batch, checkpoint, upsert


def connect(source: FakeSource) -> Connection:
    connection = Connection(Warehouse())
    connection.connect(source.port)
    connection.configure({"host": "vtgate"})
    connection.ask_schema()
    return connection


def program(fault: str = "") -> list[str]:
    return [sys.executable, "-m", "fivetran_host.tests.fake_source", "fivetran", "--port", "0",
            "--fault", fault]


class UpdateTest(unittest.TestCase):

    def test_goes_on_from_the_last_checkpoint(self) -> None:
        with FakeSource([batch(TRUNCATE, upsert(1)), checkpoint('{"at": 1}')]) as source:
            connection = connect(source)
            self.assertTrue(connection.update().succeeded)
            connection.update()
            self.assertEqual([request.state_json for request in source.requests],
                             ["{}", '{"at": 1}'])
            connection.close()

    def test_asks_with_the_configuration_and_the_selection(self) -> None:
        with FakeSource([checkpoint()]) as source:
            connection = connect(source)
            connection.update()
            connection.selection = Selection({"include_new_schemas": False, "schemas": {
                "shop": {"tables": {"orders": {"columns": {"note": False}}}}}})
            connection.update()
            first, second = source.requests
            self.assertEqual(dict(first.configuration), {"host": "vtgate", "password": ""})
            self.assertFalse(first.HasField("selection"))
            chosen = second.selection.with_schema
            self.assertFalse(chosen.include_new_schemas)
            self.assertEqual(dict(chosen.schemas[0].tables[0].columns), {"note": False})
            connection.close()

    def test_counts_what_it_gets(self) -> None:
        with FakeSource([batch(TRUNCATE, upsert(1), fake.record("DELETE", id=fake.number(2))),
                         checkpoint(), fake.warning("take care")]) as source:
            connection = connect(source)
            report = connection.update()
            counts = report.counts.of(("shop", "orders"))
            self.assertEqual((counts.upserts, counts.deletes, counts.ignored, counts.truncates),
                             (1, 1, 1, 1))
            self.assertEqual((report.counts.messages, report.counts.records), (3, 3))
            self.assertEqual(report.warnings, ["take care"])
            connection.close()

    def test_a_task_is_no_success(self) -> None:
        with FakeSource([fake.task("grant it")]) as source:
            connection = connect(source)
            report = connection.update()
            self.assertEqual((report.succeeded, report.task, report.status),
                             (False, "grant it", "OK"))
            self.assertEqual(connection.findings.tell(), [])
            connection.close()

    def test_is_cancelled_behind_so_many_messages_bytes_or_milliseconds(self) -> None:
        for stop in (Stop(after_messages=5), Stop(after_bytes=100), Stop(after_milliseconds=30)):
            with self.subTest(stop=stop), FakeSource(
                    [batch(TRUNCATE), batch(upsert(1)), checkpoint()], endless=True) as source:
                connection = connect(source)
                report = connection.update(stop)
                self.assertTrue(report.stopped)
                self.assertEqual(report.status, "CANCELLED")
                self.assertTrue(source.ended.wait(10))
                connection.close()

    def test_is_cancelled_from_another_thread(self) -> None:
        with FakeSource([batch(TRUNCATE)], endless=True) as source:
            connection = connect(source)
            timer = threading.Timer(0.05, connection.cancel)
            timer.start()
            self.assertEqual(connection.update().status, "CANCELLED")
            connection.close()

    def test_that_takes_too_long_is_ended(self) -> None:
        with FakeSource([batch(TRUNCATE)], endless=True) as source:
            connection = connect(source)
            self.assertTrue(connection.update(patience_seconds=0.05).timed_out)
            connection.close()

    def test_a_host_that_is_busy_takes_everything_in_the_end(self) -> None:
        with FakeSource([batch(TRUNCATE), *(batch(upsert(i)) for i in range(50)),
                         checkpoint()]) as source:
            connection = connect(source)
            report = connection.update(pause=Pause(3, 100))
            self.assertGreaterEqual(report.seconds, 0.1)
            self.assertEqual(connection.warehouse.count(("shop", "orders")), 50)
            connection.close()

    def test_rows_behind_the_last_checkpoint_are_dropped_if_so_wanted(self) -> None:
        for keep, rows in ((True, 2), (False, 1)):
            with self.subTest(keep=keep), FakeSource(
                    [batch(TRUNCATE, upsert(1)), checkpoint(), batch(upsert(2))],
                    endless=True) as source:
                connection = connect(source)
                connection.update(Stop(after_messages=4), keep=keep)
                self.assertEqual(connection.warehouse.count(("shop", "orders")), rows)
                connection.close()


class ProcessTest(unittest.TestCase):

    def run_program(self, fault: str, stop: bool = True) -> Connection:
        connection = Connection(Warehouse())
        connection.start(program(fault))
        connection.configure({"host": "vtgate", "password": "sesame-open"})
        connection.ask_schema()
        connection.update()
        if stop:
            connection.stop()
        return connection

    def test_one_that_keeps_the_rules_is_told_so(self) -> None:
        connection = self.run_program("", stop=False)
        self.assertRegex(connection.log()[0], "Listening on port")
        connection.stop()
        self.assertEqual(connection.findings.tell(), [])
        self.assertEqual(connection.warehouse.count(("shop", "orders")), 3)
        connection.close()

    def test_its_output_is_looked_at(self) -> None:
        for fault, rule in (("log", "log-line"), ("level", "log-line"), ("stderr", "stderr"),
                            ("secret", "secret")):
            with self.subTest(fault=fault):
                connection = self.run_program(fault)
                self.assertEqual(connection.findings.counts(), {rule: 1})
                connection.close()

    def test_one_that_ends_by_itself_is_found(self) -> None:
        connection = self.run_program("exit", stop=False)
        connection._process._process.wait(10)  # type: ignore[union-attr]
        connection.stop()
        self.assertIn("process", connection.findings.counts())
        connection.close()

    def test_one_that_does_not_listen_is_an_error(self) -> None:
        connection = Connection(Warehouse())
        with self.assertRaises(RuntimeError):
            connection.start(["/bin/true"])
        connection.close()

    def test_one_that_is_killed_broke_nothing_and_is_started_again(self) -> None:
        connection = Connection(Warehouse())
        connection.start(program("endless"))
        connection.ask_schema()
        report = connection.update(Stop(by="kill", after_messages=4))
        self.assertEqual((report.stopped, report.status), (True, "UNAVAILABLE"))
        self.assertEqual(connection.findings.tell(), [])
        connection.start(program(""))
        self.assertEqual(connection.update().status, "OK")
        connection.close()


if __name__ == "__main__":
    unittest.main()
