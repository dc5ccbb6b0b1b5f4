"""A PostgreSQL of Debian's package, with its data in a temporary folder and a socket there."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import List, Optional

import psycopg2

USER = "loader"


def _programs() -> Path:
    """The folder of the newest version's programs, which Debian keeps off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"),
                   key=lambda path: int(path.parts[-3]))
    if not found:
        raise RuntimeError("there is no PostgreSQL: scripts/install-dependencies postgres")
    return found[-1].parent


def _user() -> str:
    """PostgreSQL refuses to run as root; its package makes a user for it."""
    return "postgres" if os.geteuid() == 0 else getpass.getuser()


class PostgresServer:
    """Runs until `stop`. Nobody but this machine's users can connect, and they need no password."""

    def __init__(self) -> None:
        # A socket's path has 107 bytes at most.
        self.directory = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))
        self._databases = 0
        self._log = open(self.directory / "log", "w+", encoding="utf-8")
        try:
            if os.geteuid() == 0:
                shutil.chown(self.directory, _user())
            made = self._start("initdb", "--auth=trust", f"--username={USER}", "--encoding=UTF8",
                               "--locale=C.UTF-8", "--no-sync").wait()
            if made != 0:
                raise RuntimeError(f"initdb ended with {made}: {self._said()}")
            # A child of this process, which ends with it where the tests are ended.
            self._server = self._start(
                "postgres", "-c", "listen_addresses=", "-c",
                f"unix_socket_directories={self.directory}", "-c", "fsync=off", "-c",
                "max_connections=20", "-c", "timezone=UTC")
            self._wait()
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise

    def _start(self, program: str, *arguments: str) -> subprocess.Popen:
        is_root = os.geteuid() == 0
        return subprocess.Popen(
            [str(_programs() / program), *arguments], cwd=self.directory,
            env={"PGDATA": str(self.directory / "data"), "PATH": "/usr/bin:/bin"},
            user=_user() if is_root else None, group=_user() if is_root else None,
            extra_groups=[] if is_root else None,
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT)

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect("postgres").close()
                return
            except psycopg2.OperationalError:
                if self._server.poll() is not None or time.monotonic() > deadline:
                    self._server.kill()
                    raise RuntimeError(f"PostgreSQL does not start: {self._said()}") from None
                time.sleep(0.05)

    def stop(self) -> None:
        self._server.send_signal(signal.SIGINT)  # sessions that are open are ended
        self._server.wait(60)
        self._log.close()
        shutil.rmtree(self.directory)

    def environment(self, database: str) -> dict:
        """libpq's variables."""
        return {"PGHOST": str(self.directory), "PGUSER": USER, "PGDATABASE": database}

    def make_database(self) -> str:
        """The name of a new one."""
        self._databases += 1
        name = f"warehouse_{self._databases}"
        connection = self.connect("postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        connection.close()
        return name

    def connect(self, database: str):
        return psycopg2.connect(host=str(self.directory), user=USER, dbname=database)

    def rows(self, database: str, query: str, parameters: Optional[tuple] = None) -> List[tuple]:
        connection = self.connect(database)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()
