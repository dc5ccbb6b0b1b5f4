"""The rules that a connector has to keep, and what it did against them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Iterable

# Each rule's name, where it comes from, and what it says.
RULES: dict[str, tuple[str, str]] = {
    # Messages.
    "message": ("1.5", "an answer is a message of the protocol with something in it"),
    "message-size": ("2.1", "no message is larger than 128 MiB"),
    "utf-8": ("2.7", "texts are UTF-8"),
    "status-text": ("2.1", "the text of a status is shorter than 8 kB"),
    "secret": ("2.10", "no password in the log, in messages to the user or in the state"),
    # The form, tests and the schema.
    "form": ("2.2", "fields and tests have names of their own, and values that can be given"),
    "schema": ("2.4", "tables are declared in schemas, each with its own name and columns"),
    "declared-type": ("2.4", "columns have a type of a source's, and decimals their size"),
    # Batches.
    "batch-records": ("2.6", "a batch has 100 records at most, and one at least"),
    "batch-bytes": ("2.6", "a batch ends with the record that fills 100 kB"),
    # Records.
    "schema-name": ("2.4", "a record says the schema of its table"),
    "record-type": ("1.4", "a record is one of the four types"),
    "undeclared": ("2.6", "tables and columns are declared before their first record"),
    "excluded": ("2.5", "what the user has not selected is not sent"),
    "reserved-column": ("2.6", "columns named _fivetran_ are the platform's"),
    "repeated-column": ("1.5", "a column stands in a record once"),
    "upsert-complete": ("2.6", "an UPSERT has every selected column that this sync began with"),
    "key-complete": ("2.6", "an UPDATE or DELETE has the whole key, or without one every column"),
    "key-null": ("2.6", "columns of a key are not null"),
    "keyless-update": ("2.12", "a row without a key cannot be updated: it is deleted and inserted"),
    "truncate-first": ("2.6", "a table is truncated before the first record of a copy"),
    "truncate-resumed": ("2.6", "a table that the state has, or with records, is not truncated"),
    "truncate-data": ("2.6", "a TRUNCATE has no values"),
    # Values.
    "value-type": ("2.6", "a value is of the type that was declared"),
    "value-unset": ("2.7", "a value is something, and null is true"),
    "value-range": ("2.7", "a value is one of its type's"),
    "naive-time": ("2.7", "a source sends no NAIVE_TIME"),
    "json": ("2.7", "JSON is valid"),
    # What else a stream has.
    "schema-change": ("2.6", "an announcement is a whole table, and leaves its key as it is"),
    "checkpoint": ("2.5", "a state is a JSON object"),
    "checkpoint-last": ("2.6", "an Update that succeeds ends with a checkpoint behind its records"),
    "notice": ("2.6", "a Warning or Task says something"),
    "task-last": ("2.6", "behind the one Task comes nothing but the status OK"),
    # The process.
    "log-line": ("2.10", "every line on stdout is a JSON object with level, message and origin"),
    "stderr": ("2.10", "nothing is written to stderr"),
    "process": ("2.1", "the connector says its port, and ends only when it is told to"),
}

_MOST_OF_A_RULE = 20
# Shorter ones stand in ordinary text by chance.
_LEAST_BYTES_OF_SECRET = 6


@dataclass(frozen=True)
class Finding:
    """One breach. `where` is what the host was at, `what` the breach in words, without values."""
    rule: str
    where: str
    what: str

    def __str__(self) -> str:
        section, says = RULES[self.rule]
        return f"{self.where}: {self.what} ({self.rule} [{section}]: {says})"


class Findings:
    """Breaches in their order; 20 of a rule at most, all of them counted. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[Finding] = []
        self._counts: dict[str, int] = {}

    def add(self, rule: str, where: str, what: str) -> None:
        assert rule in RULES, rule
        with self._lock:
            self._counts[rule] = self._counts.get(rule, 0) + 1
            if self._counts[rule] <= _MOST_OF_A_RULE:
                self._kept.append(Finding(rule, where, what))

    def kept(self) -> list[Finding]:
        with self._lock:
            return list(self._kept)

    def counts(self) -> dict[str, int]:
        """How often each rule was broken."""
        with self._lock:
            return dict(self._counts)

    def tell(self) -> list[str]:
        """A line each, and one for each rule that was broken more often than is kept."""
        lines = [str(finding) for finding in self.kept()]
        for rule, count in self.counts().items():
            if count > _MOST_OF_A_RULE:
                lines.append(f"{rule} was broken {count} times")
        return lines


class Secrets:
    """Texts that nobody may read, wherever they turn up."""

    def __init__(self, texts: Iterable[str], findings: Findings) -> None:
        self._secrets = [text.encode() for text in texts
                         if len(text.encode()) >= _LEAST_BYTES_OF_SECRET]
        self._findings = findings

    def look_in(self, raw: bytes, where: str) -> None:
        if any(secret in raw for secret in self._secrets):
            self._findings.add("secret", where, "it holds one")
