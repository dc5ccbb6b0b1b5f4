"""Each rule is broken once, and nothing else is found."""

import unittest
from typing import Any, Callable, Optional

import grpc

from ..connection import Connection
from ..findings import RULES
from ..messages import common_pb2, connector_sdk_pb2
from ..selection import Selection
from ..warehouse import Warehouse
from . import fake_source as fake
from .fake_source import NULL, TRUNCATE, FakeSource, batch, checkpoint, number, record, text, upsert


def found(source: FakeSource, *, configuration: Optional[dict[str, str]] = None,
          selection: Optional[dict[str, Any]] = None, syncs: int = 1) -> dict[str, int]:
    """The rules that are broken by the form, the tests, the schema and so many Updates."""
    connection = Connection(Warehouse())
    connection.connect(source.port)
    connection.configure(configuration or {"host": "vtgate", "password": "sesame-open"})
    connection.selection = Selection(selection)
    connection.test("connect")
    try:
        connection.ask_schema()
    except grpc.RpcError:
        pass
    for _ in range(syncs):
        connection.update()
    connection.close()
    return connection.findings.counts()


def in_update(*messages: fake.Message, tables: Any = (), **arguments: Any) -> Callable[[], Any]:
    def run() -> dict[str, int]:
        with FakeSource(messages, tables=tables) as source:
            return found(source, **arguments)
    return run


def with_value(type_name: str, value: common_pb2.ValueType, **arguments: Any) -> Callable[[], Any]:
    """A value in a column of that type."""
    column = fake.column("extra", type_name, **arguments)
    row = upsert(1)
    row.data["extra"].CopyFrom(value)
    return in_update(batch(TRUNCATE, row), checkpoint(), tables=[fake.orders(column)])


def in_source(**arguments: Any) -> Callable[[], Any]:
    def run() -> dict[str, int]:
        with FakeSource(**arguments) as source:
            return found(source)
    return run


def in_form(*fields: common_pb2.FormField) -> Callable[[], Any]:
    return in_source(ask=fake.form(*fields))


def in_schema(*tables: common_pb2.Table) -> Callable[[], Any]:
    return in_source(schema=fake.schema_response(*tables))


def field(name: str, **kind: Any) -> common_pb2.FormField:
    return common_pb2.FormField(name=name, label="A label", **kind)


def group(parent: str, **condition: Any) -> common_pb2.FormField:
    return field("", conditional_fields=common_pb2.ConditionalFields(
        condition=common_pb2.VisibilityCondition(condition_field=parent, **condition),
        fields=[field("inner", text_field=0)]))


def not_utf8(message: connector_sdk_pb2.UpdateResponse, mark: bytes) -> bytes:
    """The message with bytes that are no UTF-8 in the place of the text `mark`."""
    serialized = message.SerializeToString()
    assert mark in serialized
    return serialized.replace(mark, b"\xff" * len(mark))


def twice_in_record() -> bytes:
    """A record in which the column id stands twice."""
    entry = connector_sdk_pb2.Record(data={"id": number(1)}).SerializeToString()
    row = upsert(1).SerializeToString() + entry
    return (b"\x32" + bytes([len(row) + 2]) + b"\x0a" + bytes([len(row)]) + row)


KEYLESS = fake.table("events", fake.column("what", "STRING"), fake.column("size", "LONG"))
EVENTS = record("TRUNCATE", "events")
BEGIN = batch(TRUNCATE, upsert(1))
LONG_TEXT = "x" * 60_000

# Breaches by the rule that they break.
BREACHES: list[tuple[str, Callable[[], dict[str, int]]]] = [
    ("message", in_update(b"\xff\xff\xff")),
    ("message", in_update(connector_sdk_pb2.UpdateResponse())),
    ("message", in_source(test=common_pb2.TestResponse())),
    ("message", in_source(schema=b"\xff\xff\xff")),
    ("message-size", in_update(fake.warning("x" * (128 * 1024 * 1024)))),
    ("utf-8", in_update(not_utf8(batch(TRUNCATE, upsert(1, "mark")), b"mark"), checkpoint())),
    ("utf-8", in_update(not_utf8(fake.warning("mark"), b"mark"))),
    ("utf-8", in_source(
        schema=not_utf8(fake.schema_response(fake.orders()), b"orders"))),
    ("status-text", in_source(update=[checkpoint()],
                              status=(grpc.StatusCode.INTERNAL, "x" * 8000))),
    ("status-text", in_source(status=(grpc.StatusCode.INTERNAL, "x" * 8000))),
    ("secret", in_update(fake.warning("the password sesame-open is wrong"))),
    ("secret", in_update(checkpoint('{"password": "sesame-open"}'))),
    ("secret", in_source(test=common_pb2.TestResponse(failure="not sesame-open"))),
    ("secret", in_source(update=[checkpoint()],
                         status=(grpc.StatusCode.INTERNAL, "sesame-open"))),
    ("form", in_form(field("host", text_field=0), field("host", text_field=0))),
    ("form", in_form(field("host", text_field=0), group("host", string_value="x"),
                     group("host", string_value="y"))),
    ("form", in_form(field("host", text_field=0), group("elsewhere", string_value="x"))),
    ("form", in_form(field("on", toggle_field={}), group("on", string_value="true"))),
    ("form", in_form(field("way", dropdown_field={"dropdown_field": ["a"]}),
                     group("way", string_value="b"))),
    ("form", in_form(field("way", dropdown_field={"dropdown_field": ["a"]}, default_value="b"))),
    ("form", in_form(field("file", upload_field={"allowed_file_type": ["pem"]}))),
    ("form", in_form(field("nothing"))),
    ("form", in_source(ask=common_pb2.ConfigurationFormResponse())),
    ("schema", in_schema(fake.orders(), fake.orders())),
    ("schema", in_schema(fake.orders(fake.column("note", "STRING")))),
    ("schema", in_schema(fake.table("empty"))),
    ("schema", in_source(schema=connector_sdk_pb2.SchemaResponse(
        schema_response_not_supported=True))),
    ("declared-type", in_schema(fake.orders(fake.column("more", "UNSPECIFIED")))),
    ("declared-type", in_schema(fake.orders(fake.column("more", "DECIMAL")))),
    ("declared-type", in_schema(fake.orders(fake.column("more", "DECIMAL", decimal=(39, 2))))),
    ("declared-type", in_schema(fake.orders(fake.column("more", "LONG", decimal=(9, 2))))),
    ("batch-records", in_update(batch(TRUNCATE, *map(upsert, range(100))), checkpoint())),
    ("batch-records", in_update(batch())),
    ("batch-bytes", in_update(
        batch(TRUNCATE, upsert(1, LONG_TEXT), upsert(2, LONG_TEXT), upsert(3)), checkpoint())),
    ("schema-name", in_update(batch(TRUNCATE, record("DELETE", schema=None, id=number(1))),
                              checkpoint())),
    ("record-type", in_update(batch(connector_sdk_pb2.Record(
        schema_name="shop", table_name="orders", type=7)), checkpoint())),
    ("undeclared", in_update(batch(record("UPSERT", "unknown", id=number(1))), checkpoint())),
    ("undeclared", in_update(batch(TRUNCATE, record(
        "UPSERT", id=number(1), note=NULL, unknown=NULL)), checkpoint())),
    ("excluded", in_update(BEGIN, checkpoint(), selection={"schemas": {"shop": {"tables": {
        "orders": {"columns": {"note": False}}}}}})),
    ("excluded", in_update(batch(TRUNCATE), checkpoint(), selection={
        "include_new_schemas": False})),
    ("reserved-column", in_update(batch(TRUNCATE, record(
        "UPSERT", id=number(1), note=NULL, _fivetran_deleted=NULL)), checkpoint())),
    ("reserved-column", in_schema(fake.orders(fake.column("_Fivetran_id", "LONG")))),
    ("repeated-column", in_update(batch(TRUNCATE), twice_in_record(), checkpoint())),
    ("upsert-complete", in_update(batch(TRUNCATE, record("UPSERT", id=number(1))), checkpoint())),
    ("upsert-complete", in_update(
        fake.schema_change(fake.table("late", *fake.orders().columns)), batch(
            record("TRUNCATE", "late"), record("UPSERT", "late", id=number(1))), checkpoint())),
    ("key-complete", in_update(batch(TRUNCATE, record("DELETE", note=text("x"))), checkpoint())),
    ("key-complete", in_update(batch(TRUNCATE, record("UPDATE", note=text("x"))), checkpoint())),
    ("key-complete", in_update(batch(EVENTS, record("DELETE", "events", what=text("x"))),
                               checkpoint(), tables=[KEYLESS])),
    ("key-null", in_update(batch(TRUNCATE, record("UPSERT", id=NULL, note=NULL)), checkpoint())),
    ("keyless-update", in_update(batch(EVENTS, record("UPDATE", "events", what=text("x"),
                                                      size=number(1))),
                                 checkpoint(), tables=[KEYLESS])),
    ("truncate-first", in_update(batch(upsert(1)), checkpoint())),
    ("truncate-resumed", in_update(batch(TRUNCATE, upsert(1), TRUNCATE), checkpoint())),
    ("truncate-resumed", in_update(BEGIN, checkpoint(), syncs=2)),
    ("truncate-data", in_update(batch(record("TRUNCATE", id=number(1))), checkpoint())),
    ("value-type", with_value("INT", number(1))),
    ("value-unset", with_value("LONG", common_pb2.ValueType())),
    ("value-unset", with_value("LONG", common_pb2.ValueType(null=False))),
    ("value-range", with_value("SHORT", fake.value(short_value=32768))),
    ("value-range", with_value("DOUBLE", fake.value(double_value=float("nan")))),
    ("value-range", with_value("DECIMAL", fake.value(decimal="100.5"), decimal=(3, 1))),
    ("value-range", with_value("DECIMAL", fake.value(decimal="1e3"), decimal=(9, 1))),
    ("value-range", with_value("NAIVE_DATE", fake.value(naive_date={"seconds": 1}))),
    ("value-range", with_value("UTC_DATETIME", fake.value(utc_datetime={"nanos": -1}))),
    ("value-range", with_value("NAIVE_DATETIME", fake.value(
        naive_datetime={"seconds": 253402300800}))),
    ("naive-time", with_value("STRING", fake.value(naive_time={"seconds": 1}))),
    ("naive-time", in_schema(fake.orders(fake.column("time", "NAIVE_TIME")))),
    ("json", with_value("JSON", fake.value(json=""))),
    ("json", with_value("JSON", fake.value(json="[NaN]"))),
    ("json", with_value("JSON", fake.value(json=r'"\ud800"'))),
    ("schema-change", in_update(fake.schema_change())),
    ("schema-change", in_update(fake.schema_change(
        fake.table("orders", fake.column("id", "LONG"), fake.column("note", "STRING"))))),
    ("checkpoint", in_update(checkpoint("[]"))),
    ("checkpoint", in_update(checkpoint("{"))),
    ("checkpoint-last", in_update(BEGIN)),
    ("notice", in_update(fake.warning(" "))),
    ("notice", in_source(test=common_pb2.TestResponse(failure=""))),
    ("task-last", in_update(fake.task("do this"), fake.task("do that"))),
    ("task-last", in_source(update=[fake.task("do this")],
                            status=(grpc.StatusCode.INTERNAL, "it ended"))),
]

# Those of the process are broken in test_connection.
OF_THE_PROCESS = {"log-line", "stderr", "process"}


class RulesTest(unittest.TestCase):

    def test_each_breach_is_found_and_nothing_else(self) -> None:
        for number_of_breach, (rule, run) in enumerate(BREACHES):
            with self.subTest(rule=rule, breach=number_of_breach):
                self.assertEqual(set(run()), {rule})

    def test_every_rule_is_broken_once(self) -> None:
        self.assertEqual({rule for rule, _ in BREACHES} | OF_THE_PROCESS, set(RULES))

    def test_a_source_that_keeps_the_rules_is_told_so(self) -> None:
        more = fake.orders(fake.column("price", "DECIMAL", decimal=(9, 2)))
        priced = upsert(4)
        priced.data["price"].CopyFrom(fake.value(decimal="12.5"))
        with FakeSource([
                batch(TRUNCATE, EVENTS),
                batch(*(upsert(i) for i in range(100))),
                batch(upsert(100, LONG_TEXT * 3)),
                connector_sdk_pb2.UpdateResponse(record=upsert(101)),
                checkpoint(),
                fake.warning("take care"),
                batch(record("UPDATE", id=number(3), note=text("new")),
                      record("DELETE", id=number(2)),
                      record("UPSERT", "events", what=text("a"), size=NULL),
                      record("DELETE", "events", what=text("a"), size=NULL)),
                fake.schema_change(more),
                fake.schema_change(more),
                batch(priced, upsert(5)),
                checkpoint('{"at": 2}')], tables=[fake.orders(), KEYLESS]) as source:
            self.assertEqual(found(source), {})

    def test_a_full_batch_may_end_with_the_record_that_fills_it(self) -> None:
        run = in_update(batch(TRUNCATE, upsert(1, LONG_TEXT), upsert(2, LONG_TEXT)), checkpoint())
        self.assertEqual(run(), {})

    def test_a_table_of_a_state_from_elsewhere_needs_no_truncate(self) -> None:
        with FakeSource([batch(upsert(1)), checkpoint()]) as source:
            connection = Connection(Warehouse())
            connection.connect(source.port)
            connection.ask_schema()
            connection.resync('{"foreign": true}')
            connection.update()
            connection.close()
        self.assertEqual(connection.findings.tell(), [])

    def test_a_table_that_is_put_back_may_be_copied_again_or_go_on(self) -> None:
        connection = Connection(Warehouse())
        for messages in ([BEGIN, checkpoint()], [checkpoint()], [BEGIN, checkpoint()],
                         [checkpoint()], [batch(upsert(1)), checkpoint()]):
            without = messages == [checkpoint()]
            connection.selection = Selection({"include_new_schemas": not without})
            with FakeSource(messages) as source:
                connection.connect(source.port)
                connection.ask_schema()
                connection.update()
        connection.close()
        self.assertEqual(connection.findings.tell(), [])

    def test_breaches_tell_where_and_what(self) -> None:
        with FakeSource([batch(TRUNCATE, record("UPSERT", id=number(1))), checkpoint()]) as source:
            connection = Connection(Warehouse())
            connection.connect(source.port)
            connection.ask_schema()
            connection.update()
            connection.close()
        self.assertEqual(connection.findings.tell(), [
            "message 1, record 2: UPSERT of shop.orders lacks note "
            "(upsert-complete [2.6]: an UPSERT has every selected column that this sync began "
            "with)"])


if __name__ == "__main__":
    unittest.main()
