"""A PostgreSQL of Debian's package, with its data in a temporary folder and a socket there."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
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
        try:
            if os.geteuid() == 0:
                shutil.chown(self.directory, _user())
            self._run(["initdb", "--auth=trust", f"--username={USER}", "--encoding=UTF8",
                       "--locale=C.UTF-8", "--no-sync"])
            settings = (f"-c listen_addresses='' -c unix_socket_directories={self.directory} "
                        "-c fsync=off -c max_connections=20 -c timezone=UTC")
            self._run(["pg_ctl", "start", "--wait", "--timeout=60",
                       f"--log={self.directory / 'log'}", f"--options={settings}"])
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise

    def _run(self, command: List[str]) -> None:
        done = subprocess.run(
            [str(_programs() / command[0]), *command[1:]], check=False, text=True,
            cwd=self.directory,
            env={"PGDATA": str(self.directory / "data"), "PATH": "/usr/bin:/bin"},
            user=_user() if os.geteuid() == 0 else None,
            group=_user() if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
            # What the server inherits would keep a pipe open.
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode != 0:
            log = self.directory / "log"
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: "
                               f"{log.read_text() if log.exists() else 'it said nothing'}")

    def stop(self) -> None:
        self._run(["pg_ctl", "stop", "--wait", "--mode=fast", "--timeout=60"])
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
