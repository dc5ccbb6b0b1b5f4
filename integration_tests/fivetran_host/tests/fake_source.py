"""A source that answers what a test says, faults and all. Run as a program, it is a connector:

    python3 -m fivetran_host.tests.fake_source fivetran --port 0 [--fault NAME]
"""

from __future__ import annotations

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterable, Optional, Union

import grpc

from ..messages import common_pb2, connector_sdk_pb2

Message = Union[bytes, connector_sdk_pb2.UpdateResponse]
Rows = Iterable[connector_sdk_pb2.Record]


def value(**member: Any) -> common_pb2.ValueType:
    return common_pb2.ValueType(**member)


def number(written: int) -> common_pb2.ValueType:
    return value(long_value=written)


def text(written: str) -> common_pb2.ValueType:
    return value(string=written)


NULL = common_pb2.ValueType(null=True)


def record(kind: str, table: str = "orders", schema: Optional[str] = "shop",
           **data: common_pb2.ValueType) -> connector_sdk_pb2.Record:
    made = connector_sdk_pb2.Record(table_name=table, type=common_pb2.RecordType.Value(kind))
    if schema is not None:
        made.schema_name = schema
    for name, one in data.items():
        made.data[name].CopyFrom(one)
    return made


def upsert(key: int, note: str = "a note") -> connector_sdk_pb2.Record:
    """A row of the table orders."""
    return record("UPSERT", id=number(key), note=text(note))


TRUNCATE = record("TRUNCATE")


def batch(*records: connector_sdk_pb2.Record) -> connector_sdk_pb2.UpdateResponse:
    return connector_sdk_pb2.UpdateResponse(records=connector_sdk_pb2.Records(records=records))


def checkpoint(state: str = '{"at": 1}') -> connector_sdk_pb2.UpdateResponse:
    return connector_sdk_pb2.UpdateResponse(checkpoint={"state_json": state})


def warning(message: str) -> connector_sdk_pb2.UpdateResponse:
    return connector_sdk_pb2.UpdateResponse(warning={"message": message})


def task(message: str) -> connector_sdk_pb2.UpdateResponse:
    return connector_sdk_pb2.UpdateResponse(task={"message": message})


def column(name: str, type_name: str, key: bool = False,
           decimal: Optional[tuple[int, int]] = None) -> common_pb2.Column:
    made = common_pb2.Column(name=name, type=common_pb2.DataType.Value(type_name), primary_key=key)
    if decimal is not None:
        made.params.decimal.precision, made.params.decimal.scale = decimal
    return made


def table(name: str, *columns: common_pb2.Column) -> common_pb2.Table:
    return common_pb2.Table(name=name, columns=columns)


def orders(*more: common_pb2.Column) -> common_pb2.Table:
    return table("orders", column("id", "LONG", key=True), column("note", "STRING"), *more)


def schema_list(*tables: common_pb2.Table, schema: str = "shop") -> common_pb2.SchemaList:
    return common_pb2.SchemaList(schemas=[common_pb2.Schema(name=schema, tables=tables)])


def schema_change(*tables: common_pb2.Table) -> connector_sdk_pb2.UpdateResponse:
    return connector_sdk_pb2.UpdateResponse(schema_change={"with_schema": schema_list(*tables)})


def schema_response(*tables: common_pb2.Table) -> connector_sdk_pb2.SchemaResponse:
    return connector_sdk_pb2.SchemaResponse(with_schema=schema_list(*tables))


def form(*fields: common_pb2.FormField) -> common_pb2.ConfigurationFormResponse:
    """One with a host and a password, or with other fields."""
    return common_pb2.ConfigurationFormResponse(
        schema_selection_supported=True, table_selection_supported=True,
        fields=fields or [
            common_pb2.FormField(name="host", label="Host", required=True, text_field=0),
            common_pb2.FormField(name="password", label="Password", text_field=1)],
        tests=[common_pb2.ConfigurationTest(name="connect", label="Connecting")])


class FakeSource:
    """Serves at a free port until it is closed. What it was asked is kept."""

    def __init__(self, update: Iterable[Message] = (), *,
                 tables: Iterable[common_pb2.Table] = (), schema: Optional[Message] = None,
                 ask: Optional[common_pb2.ConfigurationFormResponse] = None,
                 test: Optional[common_pb2.TestResponse] = None,
                 status: Optional[tuple[grpc.StatusCode, str]] = None,
                 endless: bool = False) -> None:
        """`update`: its messages, each call the same; `endless`: repeats the last one for ever;
        `status`: of Update and Schema, at their ends."""
        self.update = list(update)
        self.schema = schema or schema_response(*(list(tables) or [orders()]))
        self.form = ask or form()
        self.test = test or common_pb2.TestResponse(success=True)
        self.status = status
        self.endless = endless
        self.requests: list[Any] = []
        self.ended = threading.Event()  # an Update has
        self._server = grpc.server(ThreadPoolExecutor(8), options=[
            ("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)])
        self._server.add_generic_rpc_handlers((self._handlers(),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def __enter__(self) -> FakeSource:
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.stop(None).wait()

    def _handlers(self) -> grpc.GenericRpcHandler:
        def unary(request: Any, answer: Any) -> grpc.RpcMethodHandler:
            return grpc.unary_unary_rpc_method_handler(answer, request.FromString, _serialize)

        return grpc.method_handlers_generic_handler("fivetran_sdk.v2.SourceConnector", {
            "ConfigurationForm": unary(common_pb2.ConfigurationFormRequest,
                                       lambda request, context: self.form),
            "Test": unary(common_pb2.TestRequest, lambda request, context: self.test),
            "Schema": unary(connector_sdk_pb2.SchemaRequest, self._schema),
            "Update": grpc.unary_stream_rpc_method_handler(
                self._update, connector_sdk_pb2.UpdateRequest.FromString, _serialize)})

    def _schema(self, _request: Any, context: grpc.ServicerContext) -> Message:
        if self.status is not None and not self.update:
            context.abort(*self.status)
        return self.schema

    def _update(self, request: Any, context: grpc.ServicerContext) -> Iterable[Message]:
        context.add_callback(self.ended.set)
        self.requests.append(request)
        yield from self.update
        while self.endless and context.is_active():
            yield self.update[-1]
        if self.status is not None:
            context.abort(*self.status)


def _serialize(message: Message) -> bytes:
    return message if isinstance(message, bytes) else message.SerializeToString()


def _log(level: str, message: str) -> None:
    print(json.dumps({"level": level, "message": message, "message-origin": "sdk_connector"}),
          flush=True)


def _run(fault: str) -> None:
    with FakeSource([batch(TRUNCATE, *(upsert(i) for i in range(3))), checkpoint()],
                    endless=fault == "endless") as source:
        if fault == "log":
            print("Listening soon", flush=True)
        if fault == "secret":
            _log("INFO", "The password is sesame-open.")
        if fault == "stderr":
            print("a complaint", file=sys.stderr, flush=True)
        _log("ERROR" if fault == "level" else "INFO", f"Listening on port {source.port}.")
        source.ended.wait()
        if fault == "exit":
            sys.exit(3)
        time.sleep(600)


if __name__ == "__main__":
    _run(sys.argv[sys.argv.index("--fault") + 1] if "--fault" in sys.argv else "")
