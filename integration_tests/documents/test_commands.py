"""Every block of the documents that is marked as runnable is run, as it stands there.

Those of one page are run one after the other by one shell after another in one folder, which has
the project's `examples`, and a `config.json` that leads to a simulated Vitess with the
demonstration's shop. `source-vitess` is on the PATH.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Optional

from postgres_loader.postgresql import PostgresServer
from postgres_loader.simulator import Simulator

from .blocks import Page, Step, pages

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ["SOURCE_VITESS_PROGRAM"])
SHOP = ROOT / "integration_tests/demo/shop.sql"
TIMEOUT = 120


class CommandsTest(unittest.TestCase):
    postgres: Optional[PostgresServer] = None

    @classmethod
    def tearDownClass(cls) -> None:
        if cls.postgres:
            cls.postgres.stop()

    def environment(self, page: Page, simulator: Simulator) -> dict:
        environment = {**os.environ, "PATH": f"{PROGRAM.parent}:/usr/bin:/bin",
                       "VITESS_ADDRESS": simulator.address, "LC_ALL": "C.UTF-8"}
        if page.needs_postgres:
            if not CommandsTest.postgres:
                CommandsTest.postgres = PostgresServer()
            database = CommandsTest.postgres.make_database()
            environment.update(CommandsTest.postgres.environment(database))
        return environment

    def run_step(self, page: Page, step: Step, folder: str, environment: dict) -> None:
        where = f"{page.path.relative_to(ROOT)}:{step.line}"
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", step.command], cwd=folder, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8", start_new_session=True)
        try:
            output, errors = shell.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            self.fail(f"{where} does not end: {shell.communicate()}")
        self.assertEqual(shell.returncode, 0, f"{where}\n{output[-2000:]}\n{errors}")
        if step.prints is not None:
            self.assertEqual(output, step.prints, where)

    def run_page(self, page: Page) -> None:
        simulator = Simulator([SHOP])
        try:
            with tempfile.TemporaryDirectory() as folder:
                os.symlink(ROOT / "examples", Path(folder) / "examples")
                (Path(folder) / "config.json").write_text(json.dumps(
                    {"host": simulator.host, "port": simulator.port,
                     "keyspaces": ["commerce", "lookup"]}))
                environment = self.environment(page, simulator)
                for step in page.steps:
                    if step.command:
                        self.run_step(page, step, folder, environment)
                    else:
                        simulator.run(step.keyspace, step.statement)
        finally:
            simulator.stop()

    def test_the_blocks_of_every_page_do_what_they_say(self) -> None:
        found = pages(ROOT)
        self.assertGreater(len(found), 0)
        for page in found:
            with self.subTest(page=str(page.path.relative_to(ROOT))):
                self.run_page(page)


if __name__ == "__main__":
    unittest.main()
