"""A destination that keeps the last record of each key, and acknowledges states once it has committed
what came before them."""

from __future__ import annotations

import json
from typing import Dict, List, Tuple

Name = Tuple[str, str]


class Destination:
    """Rows by key, or all of them of a stream without one. A key's last record is the one with the
    greatest _ab_cdc_cursor; a deleted row is gone."""

    def __init__(self, catalog: dict) -> None:
        self._keys: Dict[Name, List[str]] = {}
        for each in catalog["streams"]:
            name = (each["stream"]["namespace"], each["stream"]["name"])
            self._keys[name] = [path[0] for path in each.get("primary_key") or []]
        self._records: Dict[Name, Dict[str, dict]] = {name: {} for name in self._keys}
        self._appended: Dict[Name, List[dict]] = {name: [] for name in self._keys}
        self._states: Dict[Name, dict] = {}

    def commit(self, messages: List[dict], acknowledged: int, more: int) -> None:
        """Commits the first `acknowledged` of one attempt's messages, whose states the platform then
        has, and the records among the `more` behind them, whose states it has not. Those of a stream
        without any state are left out: what was deleted before a next attempt that knows nothing of
        this one cannot be told, by no source."""
        for index, message in enumerate(messages[:acknowledged + more]):
            if message["type"] == "RECORD":
                name = (message["record"]["namespace"], message["record"]["stream"])
                if index < acknowledged or name in self._states:
                    self._write(message["record"])
            elif message["type"] == "STATE" and index < acknowledged:
                descriptor = message["state"]["stream"]["stream_descriptor"]
                state = {key: value for key, value in message["state"].items()
                         if key in ("type", "stream")}
                self._states[descriptor["namespace"], descriptor["name"]] = state

    def _write(self, record: dict) -> None:
        name, data = (record["namespace"], record["stream"]), record["data"]
        key = self._keys[name]
        if not key:
            self._appended[name].append(data)
            return
        where = json.dumps([data[column] for column in key])
        before = self._records[name].get(where)
        if before is None or before["_ab_cdc_cursor"] <= data["_ab_cdc_cursor"]:
            self._records[name][where] = data

    def states(self) -> List[dict]:
        """As the platform hands them to the next attempt."""
        return list(self._states.values())

    def forget(self, name: Name) -> None:
        """A refresh of a stream: its state goes, and its rows with the new generation."""
        self._states.pop(name, None)
        self._records[name].clear()
        self._appended[name].clear()

    def rows(self, name: Name) -> List[dict]:
        if not self._keys[name]:
            return list(self._appended[name])
        return [data for data in self._records[name].values()
                if data["_ab_cdc_deleted_at"] is None]
