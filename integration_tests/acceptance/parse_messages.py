"""Parses lines with the models that Airbyte makes of its protocol's definition.

    parse_messages.py FILE

prints how many messages of each type the file has; or, and ends with 1, the first line that is none:
that a model refuses, that has a member that no model knows, or a value that a model would change.
"""

import collections
import json
import sys

import pydantic
from airbyte_protocol.models import AirbyteMessage

# The member that belongs to each type.
BODIES = {
    "RECORD": "record",
    "STATE": "state",
    "LOG": "log",
    "SPEC": "spec",
    "CONNECTION_STATUS": "connectionStatus",
    "CATALOG": "catalog",
    "TRACE": "trace",
}


def unknown_members(model, path=""):
    """The paths of members that the models keep but do not know, but for what may be anything."""
    if not type(model).model_fields:
        return
    for name in model.model_extra or {}:
        yield f"{path}{name}"
    for name in model.model_fields_set - set(model.model_extra or {}):
        value = getattr(model, name)
        for element in value if isinstance(value, list) else [value]:
            if isinstance(element, pydantic.BaseModel):
                yield from unknown_members(element, f"{path}{name}.")


def what_is_wrong(line):
    """What is wrong with the line, or None, and the message's kind."""
    try:
        message = AirbyteMessage.model_validate_json(line)
    except pydantic.ValidationError as error:
        return str(error), ""
    kind = message.type.value
    body = BODIES.get(kind)
    if message.model_fields_set != {"type", body}:
        return f"a {kind} has the members {sorted(message.model_fields_set)}", kind
    unknown = list(unknown_members(message))
    if unknown:
        return f"no model knows {', '.join(unknown)}", kind
    written = json.loads(message.model_dump_json(exclude_unset=True))
    if written != json.loads(line):
        return "a model makes something else of it", kind
    return None, f"{kind}.{message.trace.type.value}" if kind == "TRACE" else kind


def main(path):
    kinds = collections.Counter()
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            wrong, kind = what_is_wrong(line)
            if wrong is not None:
                print(f"line {number}: {wrong}: {line[:300]}")
                return 1
            kinds[kind] += 1
    for kind, count in sorted(kinds.items()):
        print(kind, count)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
