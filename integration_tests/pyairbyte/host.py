"""PyAirbyte as its users have it: the connector as a local executable, a DuckDB file as the cache."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Dict, List, Optional, Sequence

# Read when airbyte is imported. Nothing is asked of any server, and nobody is told of this run.
os.environ.update({"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1", "NO_LIVE_PROGRESS": "1"})
warnings.filterwarnings("ignore", category=FutureWarning)

import airbyte  # noqa: E402  pylint: disable=wrong-import-position

# What the connector and PyAirbyte add to a table's columns.
ADDED = ("_ab_cdc_updated_at", "_ab_cdc_deleted_at", "_ab_cdc_cursor", "_airbyte_raw_id",
         "_airbyte_extracted_at", "_airbyte_meta")


def make_source(connector: str, config: Dict[str, object],
                streams: Optional[Sequence[str]] = None) -> airbyte.Source:
    source = airbyte.get_source("source-vitess", local_executable=connector, config=config)
    if streams is None:
        source.select_all_streams()
    else:
        source.select_streams(list(streams))
    return source


def open_cache(folder: Path) -> airbyte.caches.DuckDBCache:
    """The cache in that folder; an existing one is gone on with."""
    return airbyte.new_local_cache("vitess", cache_dir=folder)


def current_rows(cache: airbyte.caches.DuckDBCache, table: str,
                 key: Sequence[str]) -> List[Dict[str, object]]:
    """The rows that the source has, out of all records that the cache holds: the last of each key,
    unless it is of a deletion. Without a key, every record is a row."""
    if not key:
        return cache.run_sql_query(f'SELECT * FROM main."{table}"')
    columns = ", ".join(f'"{column}"' for column in key)
    return cache.run_sql_query(
        f'SELECT * FROM (SELECT * FROM main."{table}" QUALIFY row_number() OVER '
        f'(PARTITION BY {columns} ORDER BY _ab_cdc_cursor DESC) = 1) '
        'WHERE _ab_cdc_deleted_at IS NULL')


def saved_states(cache: airbyte.caches.DuckDBCache) -> Dict[str, str]:
    return {row["stream_name"]: row["state_json"] for row in cache.run_sql_query(
        "SELECT stream_name, state_json FROM main._airbyte_state")}


def forget_state(cache: airbyte.caches.DuckDBCache, table: str) -> None:
    cache.execute_sql(f"DELETE FROM main._airbyte_state WHERE stream_name = '{table}'")
