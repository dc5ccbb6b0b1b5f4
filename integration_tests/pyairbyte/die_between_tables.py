"""Reads into a cache, and dies by SIGKILL once the first table's records and state are in it.

Arguments: CONNECTOR CONFIG CACHE-FOLDER, the configuration as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from .host import make_source, open_cache

from airbyte.shared.sql_processor import SqlProcessorBase  # isort: skip


def main() -> None:
    connector, config, folder = sys.argv[1:]
    source = make_source(connector, json.loads(config), ["customers", "orders", "products"])
    cache = open_cache(Path(folder))
    write_stream_data = SqlProcessorBase.write_stream_data
    written = 0

    def write_one(*arguments: object, **more: object) -> object:
        nonlocal written
        if written == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        written += 1
        return write_stream_data(*arguments, **more)

    SqlProcessorBase.write_stream_data = write_one
    source.read(cache=cache, write_strategy="append")


if __name__ == "__main__":
    main()
