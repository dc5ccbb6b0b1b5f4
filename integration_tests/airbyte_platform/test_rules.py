"""Each rule about messages is broken by the messages that break it, and by no others."""

from __future__ import annotations

import json
import unittest
from typing import List, Optional

from .rules import LONGEST_LINE, Rules

CATALOG = {"streams": [{
    "stream": {"name": "t", "namespace": "k",
               "json_schema": {"properties": {"id": {}, "v": {}}}},
    "sync_mode": "incremental", "primary_key": [["id"]]}]}


def record(data: Optional[dict] = None, stream: str = "t") -> dict:
    return {"type": "RECORD", "record": {"stream": stream, "namespace": "k", "emitted_at": 1,
                                         "data": {"id": 1} if data is None else data}}


def state(count: object, kind: str = "STREAM") -> dict:
    return {"type": "STATE", "state": {
        "type": kind, "stream": {"stream_descriptor": {"name": "t", "namespace": "k"},
                                 "stream_state": {"at": 1}}, "sourceStats": {"recordCount": count}}}


def status(value: str) -> dict:
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": {
        "stream_descriptor": {"name": "t", "namespace": "k"}, "status": value}}}


def estimate(rows: object) -> dict:
    return {"type": "TRACE", "trace": {"type": "ESTIMATE", "emitted_at": 1, "estimate": {
        "type": "STREAM", "name": "t", "namespace": "k", "row_estimate": rows}}}


ERROR = {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1,
                                    "error": {"message": "It broke."}}}
BEGUN = [status("STARTED"), status("RUNNING")]
WHOLE = [*BEGUN, estimate(9), record(), record(), state(2.0), state(0.0), status("COMPLETE")]


class RulesTest(unittest.TestCase):

    def broken(self, messages: List[dict], exit_code: int = 0, errors: bytes = b"") -> List[str]:
        """The names of the broken rules."""
        rules = Rules(CATALOG)
        for message in messages:
            rules.take(json.dumps(message).encode() + b"\n")
        rules.end(exit_code, errors)
        return [text.partition(":")[0] for text in rules.broken]

    def test_a_whole_read_breaks_none(self) -> None:
        self.assertEqual(self.broken(WHOLE), [])

    def test_a_read_that_fails_in_words_breaks_none(self) -> None:
        self.assertEqual(self.broken([*BEGUN, record(), status("INCOMPLETE"), ERROR], 1), [])
        self.assertEqual(self.broken([status("STARTED"), status("INCOMPLETE"), ERROR], 1), [])

    def test_statuses_have_an_order(self) -> None:
        self.assertIn("status-order", self.broken([status("RUNNING")]))
        self.assertIn("status-order", self.broken([status("STARTED"), status("COMPLETE")]))
        self.assertIn("status-order", self.broken([*WHOLE, status("RUNNING")]))
        self.assertIn("status-order", self.broken([status("STARTED"), record()]))
        self.assertIn("status-order", self.broken([state(0.0)]))

    def test_nothing_of_a_stream_comes_after_its_end(self) -> None:
        for late in (record(), state(0.0), estimate(1), status("COMPLETE")):
            with self.subTest(late=late):
                self.assertIn("status-order", self.broken([*WHOLE, late]))

    def test_a_stream_ends(self) -> None:
        self.assertIn("status-end", self.broken(WHOLE[:-1]))
        self.assertIn("status-end", self.broken([]))

    def test_a_state_counts_the_records_since_the_last(self) -> None:
        self.assertIn("state-count", self.broken([*BEGUN, record(), state(2.0)]))
        self.assertIn("state-count", self.broken([*BEGUN, record(), state(1)]))
        self.assertIn("state-count", self.broken([*BEGUN, record(), state(None)]))
        self.assertIn("state-type", self.broken([*BEGUN, state(0.0, "GLOBAL")]))

    def test_the_last_state_covers_all_records(self) -> None:
        self.assertIn("last-state", self.broken([*BEGUN, state(0.0), record(), status("COMPLETE")]))
        self.assertIn("last-state", self.broken([*BEGUN, status("COMPLETE")]))

    def test_a_record_is_of_its_stream(self) -> None:
        self.assertIn("record-stream", self.broken([*BEGUN, record(stream="u")]))
        self.assertIn("record-data", self.broken([*BEGUN, record({})]))
        self.assertIn("record-columns", self.broken([*BEGUN, record({"id": 1, "w": 2})]))
        self.assertIn("record-key", self.broken([*BEGUN, record({"id": None, "v": 2})]))

    def test_a_line_is_one_message_of_bounded_length(self) -> None:
        for rule, line in {"json": b"Segmentation fault\n", "type": b'{"type":"SPEC"}\n',
                           "line-end": b'{"type":"LOG","log":{"level":"INFO","message":""}}',
                           "log-level": b'{"type":"LOG","log":{"level":"LOUD","message":""}}\n',
                           "line-length": b" " * LONGEST_LINE + b"{}\n"}.items():
            with self.subTest(rule=rule):
                rules = Rules(CATALOG)
                rules.take(line)
                self.assertIn(rule, " ".join(rules.broken))

    def test_an_estimate_is_a_number_of_rows(self) -> None:
        self.assertIn("estimate", self.broken([*BEGUN, estimate(-1)]))
        self.assertIn("estimate", self.broken([*BEGUN, estimate("many")]))

    def test_the_exit_code_agrees_with_the_statuses(self) -> None:
        self.assertIn("exit-code", self.broken(WHOLE, 1))
        self.assertIn("exit-code", self.broken([*BEGUN, status("INCOMPLETE"), ERROR], 0))
        self.assertIn("exit-code", self.broken([*BEGUN, status("INCOMPLETE")], 1))

    def test_stderr_is_empty(self) -> None:
        self.assertIn("stderr", self.broken(WHOLE, errors=b"warning"))


if __name__ == "__main__":
    unittest.main()
