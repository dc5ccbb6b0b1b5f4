"""The four calls, as Fivetran makes them [2.1]: plaintext, gzip, 128 MiB."""

from __future__ import annotations

import threading
from typing import Iterator, Mapping, Optional

import grpc

from .messages import common_pb2, connector_sdk_pb2
from .selection import Selection

_SERVICE = "/fivetran_sdk.v2.SourceConnector/"
_MOST_BYTES = 128 * 1024 * 1024
# Of a call that answers once, with the time until the connector is ready.
_PATIENCE_SECONDS = 120.0


class UpdateCall:
    """A call of Update that is under way."""

    def __init__(self, call: grpc.UnaryStreamMultiCallable) -> None:
        self._call = call

    def messages(self) -> Iterator[bytes]:
        """The messages as they come, serialized, until the call has a status. A connector that
        sends faster than they are taken is held up."""
        try:
            yield from self._call
        except grpc.RpcError:
            return

    def cancel(self) -> None:
        """Thread-safe."""
        self._call.cancel()

    def status(self) -> tuple[str, str]:
        """The code's name and the text, once there are no more messages."""
        return self._call.code().name, self._call.details() or ""


class Client:
    """A channel to a connector on this machine, which may still be starting: calls that answer once
    wait for it. Thread-safe. Calls raise grpc.RpcError."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._channel = grpc.insecure_channel(
            f"{host}:{port}",
            options=[("grpc.max_receive_message_length", _MOST_BYTES),
                     ("grpc.max_send_message_length", _MOST_BYTES),
                     # Otherwise one that is started again at the same port has the former's state.
                     ("grpc.use_local_subchannel_pool", 1)],
            compression=grpc.Compression.Gzip)
        self._closing = threading.Lock()

    def close(self) -> None:
        """Ends all calls."""
        with self._closing:
            self._channel.close()

    def configuration_form(self) -> common_pb2.ConfigurationFormResponse:
        call = self._channel.unary_unary(
            _SERVICE + "ConfigurationForm",
            common_pb2.ConfigurationFormRequest.SerializeToString,
            common_pb2.ConfigurationFormResponse.FromString)
        return call(common_pb2.ConfigurationFormRequest(), timeout=_PATIENCE_SECONDS,
                    wait_for_ready=True)

    def test(self, name: str, configuration: Mapping[str, str]) -> common_pb2.TestResponse:
        call = self._channel.unary_unary(_SERVICE + "Test",
                                         common_pb2.TestRequest.SerializeToString,
                                         common_pb2.TestResponse.FromString)
        return call(common_pb2.TestRequest(name=name, configuration=configuration),
                    timeout=_PATIENCE_SECONDS, wait_for_ready=True)

    def schema(self, configuration: Mapping[str, str]) -> bytes:
        """The answer, serialized."""
        call = self._channel.unary_unary(_SERVICE + "Schema",
                                         connector_sdk_pb2.SchemaRequest.SerializeToString)
        return call(connector_sdk_pb2.SchemaRequest(configuration=configuration),
                    timeout=_PATIENCE_SECONDS, wait_for_ready=True)

    def update(self, configuration: Mapping[str, str], selection: Selection,
               state: Optional[str]) -> UpdateCall:
        request = connector_sdk_pb2.UpdateRequest(configuration=configuration, state_json=state)
        chosen = selection.to_message()
        if chosen is not None:
            request.selection.CopyFrom(chosen)
        call = self._channel.unary_stream(_SERVICE + "Update",
                                          connector_sdk_pb2.UpdateRequest.SerializeToString)
        return UpdateCall(call(request))
