"""Single values: the rules for them [2.7], and the one form in which each is kept.

Kept so that two values are the same exactly when they are equal in SQLite:

    BOOLEAN, SHORT, INT, LONG   integers
    FLOAT, DOUBLE               reals
    DECIMAL                     text with as many digits behind the point as were declared
    NAIVE_DATE                  2024-01-15
    NAIVE_DATETIME              2024-01-15T10:20:30.123456000
    UTC_DATETIME                2024-01-15T10:20:30.123456000Z
    BINARY                      blobs
    STRING, XML, JSON           text, as it came
"""

from __future__ import annotations

import datetime
import json
import math
import re
from typing import Any, Callable, Optional, Union

from . import messages
from .catalog import Column

Stored = Union[None, int, float, str, bytes]
# Takes the name of a rule and what is wrong.
Complain = Callable[[str, str], None]

_SECONDS_OF_DAY = 86400
_FIRST_SECOND = -62135596800  # 0001-01-01T00:00:00Z
_LAST_SECOND = 253402300799   # 9999-12-31T23:59:59Z
_DAY_OF_1970 = datetime.date(1970, 1, 1).toordinal()
_DECIMAL = re.compile(r"(-?)(\d+)(?:\.(\d+))?\Z", re.ASCII)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def store(member: int, value: Any, column: Column, complain: Complain) -> Stored:
    """The stored form of a value in the member with that number, of a column declared like that."""
    if member == messages.MEMBER_NULL:
        if value is not True:
            complain("value-unset", "a null that is not true")
        return None
    if member == messages.MEMBER_NAIVE_TIME:
        complain("naive-time", "it is sent")
        return None
    data_type = messages.TYPE_OF_MEMBER[member]
    if column.type != messages.UNSPECIFIED and data_type != column.type:
        complain("value-type", f"{messages.DATA_TYPE_NAMES[data_type]} in a column of "
                 f"{_type_name(column.type)}")
    return _STORE[data_type](value, column, complain)


def _type_name(data_type: int) -> str:
    names = messages.DATA_TYPE_NAMES
    return names[data_type] if 0 <= data_type < len(names) else str(data_type)


def _integer(value: Any, column: Column, complain: Complain) -> Stored:
    if column.type == messages.SHORT and not -32768 <= value <= 32767:
        complain("value-range", "a SHORT of more than 16 bits")
    return int(value)


def _real(value: float, _column: Column, complain: Complain) -> Stored:
    if not math.isfinite(value):
        complain("value-range", "a number that is not finite")
        return str(value)
    return value


def _decimal(value: bytes, column: Column, complain: Complain) -> Stored:
    written = _text(value, column, complain)
    kept = decimal_text(written, column)
    if kept is None:
        complain("value-range", f"a DECIMAL that is none, or none of {column.precision} digits, "
                 f"{column.scale} of them behind the point")
        return written
    return kept


def decimal_text(written: str, column: Column) -> Optional[str]:
    """The decimal with the digits that its column declares; nothing where it does not fit."""
    match = _DECIMAL.match(written)
    if match is None:
        return None
    sign, whole, fraction = match.groups()
    whole = whole.lstrip("0")
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > column.scale or len(whole) > column.precision - column.scale:
        return None
    if not whole and not fraction:
        sign = ""
    kept = sign + (whole or "0")
    return kept + "." + fraction.ljust(column.scale, "0") if column.scale else kept


def _moment(value: Any, complain: Complain) -> Optional[str]:
    if not _FIRST_SECOND <= value.seconds <= _LAST_SECOND or not 0 <= value.nanos < 10**9:
        complain("value-range", "a time before the year 1, after 9999, or with odd nanoseconds")
        return None
    days, seconds = divmod(value.seconds, _SECONDS_OF_DAY)
    day = datetime.date.fromordinal(_DAY_OF_1970 + days).isoformat()
    return (f"{day}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            f".{value.nanos:09}")


def _naive_datetime(value: Any, _column: Column, complain: Complain) -> Stored:
    return _moment(value, complain)


def _utc_datetime(value: Any, _column: Column, complain: Complain) -> Stored:
    moment = _moment(value, complain)
    return None if moment is None else moment + "Z"


def _date(value: Any, _column: Column, complain: Complain) -> Stored:
    moment = _moment(value, complain)
    if moment is None:
        return None
    day, _, time = moment.partition("T")
    if time != "00:00:00.000000000":
        complain("value-range", "a date with a time of day")
    return day


def _bytes(value: bytes, _column: Column, _complain: Complain) -> Stored:
    return value


def _text(value: bytes, _column: Column, complain: Complain) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        complain("utf-8", "its text is no UTF-8")
        return value.decode("utf-8", errors="replace")


def _string(value: bytes, column: Column, complain: Complain) -> Stored:
    if column.byte_length and len(value) > column.byte_length:
        complain("value-range", f"a STRING longer than the declared {column.byte_length} bytes")
    return _text(value, column, complain)


def _json(value: bytes, column: Column, complain: Complain) -> Stored:
    document = _text(value, column, complain)
    if not is_json(document):
        complain("json", "it is not")
    return document


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def is_json(document: str) -> bool:
    """Whether it is JSON, and its strings are text."""
    try:
        parsed = json.loads(document, parse_constant=_refuse)
        if _SURROGATE_ESCAPE.search(document):
            json.dumps(parsed, ensure_ascii=False).encode("utf-8")
        return True
    except (ValueError, RecursionError):
        return False


_STORE: dict[int, Callable[[Any, Column, Complain], Stored]] = {
    messages.BOOLEAN: _integer, messages.SHORT: _integer, messages.INT: _integer,
    messages.LONG: _integer, messages.DECIMAL: _decimal, messages.FLOAT: _real,
    messages.DOUBLE: _real, messages.NAIVE_DATE: _date, messages.NAIVE_DATETIME: _naive_datetime,
    messages.UTC_DATETIME: _utc_datetime, messages.BINARY: _bytes, messages.XML: _text,
    messages.STRING: _string, messages.JSON: _json,
}


def convert(value: Stored, before: Column, after: Column) -> Stored:
    """The stored value of a column that gets another type, as a destination converts it [2.6]."""
    if value is None or before.type == after.type != messages.DECIMAL:
        return value
    if after.type == messages.DECIMAL and not isinstance(value, bytes):
        kept = decimal_text(str(value), after)
        return str(value) if kept is None else kept
    if after.type in (messages.FLOAT, messages.DOUBLE) and not isinstance(value, bytes):
        return float(value)
    if after.type == messages.STRING:
        if before.type == messages.BOOLEAN:
            return "true" if value else "false"
        return value if isinstance(value, (str, bytes)) else str(value)
    if before.type == messages.NAIVE_DATE and after.type in (
            messages.NAIVE_DATETIME, messages.UTC_DATETIME):
        zone = "Z" if after.type == messages.UTC_DATETIME else ""
        return str(value) + "T00:00:00.000000000" + zone
    return value


def to_json(value: Stored, column: Column) -> str:
    """The stored value as compact JSON: decimals are numbers with all their digits, bytes are
    hexadecimal, dates and times are text, and a JSON document is a string."""
    if value is None:
        return "null"
    if column.type == messages.BOOLEAN:
        return "true" if value else "false"
    if column.type == messages.DECIMAL:
        return str(value)
    if isinstance(value, bytes):
        return json.dumps(value.hex())
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
