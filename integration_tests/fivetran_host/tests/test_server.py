"""Commands and answers."""

import json
import subprocess
import sys
import unittest
from typing import Any

from .test_connection import program


class ServerTest(unittest.TestCase):

    def setUp(self) -> None:
        self.host = subprocess.Popen([sys.executable, "-m", "fivetran_host", "--serve"],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.connection = self.ask("open")["connection"]

    def tearDown(self) -> None:
        assert self.host.stdin is not None and self.host.stdout is not None
        self.host.stdin.close()
        self.assertEqual(self.host.wait(10), 0)
        self.host.stdout.close()

    def send(self, command: str, **more: Any) -> None:
        assert self.host.stdin is not None
        self.host.stdin.write(json.dumps({"id": command, "command": command, **more}) + "\n")
        self.host.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self.host.stdout is not None
        return dict(json.loads(self.host.stdout.readline()))

    def ask(self, command: str, **more: Any) -> dict[str, Any]:
        self.send(command, **more)
        return self.answer()

    def tell(self, command: str, **more: Any) -> dict[str, Any]:
        return self.ask(command, connection=self.connection, **more)

    def test_the_whole_way(self) -> None:
        started = self.tell("start", program=program())
        self.assertGreater(started["port"], 0)
        self.assertEqual(self.tell("form")["tests"], [{"name": "connect", "label": "Connecting"}])
        self.assertEqual(self.tell("configure", values={"hots": "x"})["refused"],
                         ["there is no field hots", "host is required"])
        self.assertIsNone(self.tell("test", name="connect")["failure"])
        self.assertEqual(self.tell("schema")["tables"][0]["table"], "orders")
        report = self.tell("update")
        self.assertTrue(report["succeeded"])
        self.assertEqual(report["tables"]["shop.orders"]["upserts"], 3)
        self.assertEqual(json.loads(self.tell("state")["state"]), {"at": 1})
        self.assertEqual(self.tell("rows", schema="shop", table="orders", columns=["id"])["rows"],
                         ['{"id":0}', '{"id":1}', '{"id":2}'])
        self.assertEqual(self.tell("columns", schema="shop", table="orders")["columns"],
                         ["id", "note"])
        self.assertEqual(self.tell("count", schema="shop", table="orders"),
                         {"id": "count", "living": 3, "marked": 0})
        self.assertEqual(len(self.tell("log")["lines"]), 1)
        self.assertEqual(self.tell("close")["broken"], [])

    def test_commands_run_side_by_side(self) -> None:
        self.tell("start", program=program("endless"))
        self.tell("schema")
        self.send("update", connection=self.connection)
        self.send("cancel", connection=self.connection)
        answers = [self.answer()]
        while {answer["id"] for answer in answers} != {"update", "cancel"}:
            self.send("cancel", connection=self.connection)
            answers.append(self.answer())
        self.assertEqual([answer["status"] for answer in answers if answer["id"] == "update"],
                         ["CANCELLED"])
        while answers.count({"id": "cancel"}) < len(answers) - 1:
            answers.append(self.answer())

    def test_a_failure_is_an_answer(self) -> None:
        self.assertIn("there is no connector", self.tell("schema")["error"])
        self.assertIn("KeyError", self.ask("form", connection=99)["error"])


if __name__ == "__main__":
    unittest.main()
