"""The connector's answers, read without trust.

The generated messages hide what a host has to see: text that is no UTF-8 (the whole message is
refused then) and columns that stand in a record twice (the last one wins). So answers are parsed
with definitions made from the same files in which texts are bytes and maps are lists of entries.
The wire is the same.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

try:
    from fivetran import common_pb2, connector_sdk_pb2
except ImportError as missing:
    raise ImportError(
        "the definitions of the messages are missing: build the target fivetran_host, and put its "
        "folder fivetran_host/generated into PYTHONPATH") from missing

_FieldType = descriptor_pb2.FieldDescriptorProto


def _distrust(message: descriptor_pb2.DescriptorProto) -> None:
    message.options.ClearField("map_entry")
    for field in message.field:
        if field.type == _FieldType.TYPE_STRING:
            field.type = _FieldType.TYPE_BYTES
    for nested in message.nested_type:
        _distrust(nested)


def _raw_messages() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for module in (timestamp_pb2, common_pb2, connector_sdk_pb2):
        definitions = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(definitions)
        for message in definitions.message_type:
            _distrust(message)
        pool.AddSerializedFile(definitions.SerializeToString())
    return pool


_pool = _raw_messages()


def _raw_class(name: str) -> Any:
    descriptor = _pool.FindMessageTypeByName("fivetran_sdk.v2." + name)
    return message_factory.MessageFactory(_pool).GetPrototype(descriptor)


RawUpdateResponse = _raw_class("UpdateResponse")
RawSchemaResponse = _raw_class("SchemaResponse")

# RecordType and DataType, by their numbers on the wire.
UPSERT, UPDATE, DELETE, TRUNCATE = range(4)
(UNSPECIFIED, BOOLEAN, SHORT, INT, LONG, DECIMAL, FLOAT, DOUBLE, NAIVE_DATE, NAIVE_DATETIME,
 UTC_DATETIME, BINARY, XML, STRING, JSON, NAIVE_TIME) = range(16)

RECORD_TYPE_NAMES = common_pb2.RecordType.keys()
DATA_TYPE_NAMES = common_pb2.DataType.keys()

# ValueType: the number of each member by its name. Names are each side's own; numbers are the wire.
MEMBER_NUMBERS = {
    field.name: field.number
    for field in common_pb2.ValueType.DESCRIPTOR.oneofs_by_name["inner"].fields
}
MEMBER_NULL = 1
MEMBER_NAIVE_TIME = 16
# The member of the values of each DataType.
MEMBER_OF_TYPE = {
    BOOLEAN: 2, SHORT: 3, INT: 4, LONG: 5, FLOAT: 6, DOUBLE: 7, NAIVE_DATE: 8, NAIVE_DATETIME: 9,
    UTC_DATETIME: 10, DECIMAL: 11, BINARY: 12, STRING: 13, JSON: 14, XML: 15,
    NAIVE_TIME: MEMBER_NAIVE_TIME,
}
TYPE_OF_MEMBER = {member: data_type for data_type, member in MEMBER_OF_TYPE.items()}
