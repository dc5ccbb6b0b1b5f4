"""Values have one stored form, by which they can be compared."""

import unittest
from typing import Any

from .. import messages, values
from ..catalog import Column
from ..messages import common_pb2


def stored(column: Column, **member: Any) -> values.Stored:
    """The stored form of a value that breaks no rule."""
    message = common_pb2.ValueType(**member)
    name = message.WhichOneof("inner")
    value = getattr(message, name)
    raw = value.encode() if isinstance(value, str) else value

    def complain(rule: str, what: str) -> None:
        raise AssertionError(f"{rule}: {what}")

    return values.store(messages.MEMBER_NUMBERS[name], raw, column, complain)


def of(data_type: int, precision: int = 0, scale: int = 0) -> Column:
    return Column("c", data_type, precision=precision, scale=scale)


class ValuesTest(unittest.TestCase):

    def test_equal_decimals_have_the_same_form(self) -> None:
        column = of(messages.DECIMAL, 38, 2)
        for written, kept in (("1.5", "1.50"), ("001.500", "1.50"), ("-0.00", "0.00"),
                              ("7", "7.00"),
                              ("-12345678901234567890123456789012345.25",
                               "-12345678901234567890123456789012345.25")):
            self.assertEqual(stored(column, decimal=written), kept)
        self.assertEqual(stored(of(messages.DECIMAL, 20, 0), decimal="18446744073709551615"),
                         "18446744073709551615")

    def test_decimals_that_do_not_fit_are_none(self) -> None:
        for written in ("1000", "0.001", "", "1e2", "1,000", "+1", ".5", "1.", "١"):
            self.assertIsNone(values.decimal_text(written, of(messages.DECIMAL, 5, 2)), written)

    def test_times_keep_their_nanoseconds(self) -> None:
        moment = {"seconds": 1705314645, "nanos": 123456789}
        self.assertEqual(stored(of(messages.NAIVE_DATETIME), naive_datetime=moment),
                         "2024-01-15T10:30:45.123456789")
        self.assertEqual(stored(of(messages.UTC_DATETIME), utc_datetime=moment),
                         "2024-01-15T10:30:45.123456789Z")
        before_1970 = {"seconds": -1, "nanos": 5}
        self.assertEqual(stored(of(messages.UTC_DATETIME), utc_datetime=before_1970),
                         "1969-12-31T23:59:59.000000005Z")

    def test_dates_from_the_first_to_the_last(self) -> None:
        for seconds, day in ((-62135596800, "0001-01-01"), (253402214400, "9999-12-31"),
                             (0, "1970-01-01")):
            self.assertEqual(stored(of(messages.NAIVE_DATE), naive_date={"seconds": seconds}), day)

    def test_the_rest_is_kept_as_it_comes(self) -> None:
        self.assertEqual(stored(of(messages.BOOLEAN), bool_value=True), 1)
        self.assertEqual(stored(of(messages.LONG), long_value=-2**63), -2**63)
        self.assertEqual(stored(of(messages.DOUBLE), double_value=0.1), 0.1)
        self.assertEqual(stored(of(messages.BINARY), binary=b"\x00\xff"), b"\x00\xff")
        self.assertEqual(stored(of(messages.STRING), string="é\x00"), "é\x00")
        self.assertEqual(stored(of(messages.JSON), json='{"a": 1.10}'), '{"a": 1.10}')
        self.assertIsNone(stored(of(messages.STRING), null=True))

    def test_json_is_strict(self) -> None:
        for document in ("1", "null", '"\\ud83d\\ude00"', '{"a": [true]}', " {} "):
            self.assertTrue(values.is_json(document), document)
        for document in ("", "{", "NaN", "-Infinity", "'a'", '"\\ud83d"', "{} {}", '{"a":}'):
            self.assertFalse(values.is_json(document), document)

    def test_values_follow_the_type_of_their_column(self) -> None:
        cases: list[tuple[values.Stored, Column, Column, values.Stored]] = [
                (5, of(messages.INT), of(messages.LONG), 5),
                (5, of(messages.INT), of(messages.DECIMAL, 9, 2), "5.00"),
                (5, of(messages.INT), of(messages.DOUBLE), 5.0),
                (5, of(messages.INT), of(messages.STRING), "5"),
                (1, of(messages.BOOLEAN), of(messages.STRING), "true"),
                ("5.0", of(messages.DECIMAL, 9, 1), of(messages.DECIMAL, 20, 3), "5.000"),
                ("2024-01-15", of(messages.NAIVE_DATE), of(messages.NAIVE_DATETIME),
                 "2024-01-15T00:00:00.000000000"),
                (None, of(messages.INT), of(messages.STRING), None)]
        for value, before, after, expected in cases:
            self.assertEqual(values.convert(value, before, after), expected)

    def test_rows_are_told_exactly(self) -> None:
        for value, column, told in (
                (None, of(messages.INT), "null"), (0, of(messages.BOOLEAN), "false"),
                ("1.50", of(messages.DECIMAL, 9, 2), "1.50"),
                (b"\x01", of(messages.BINARY), '"01"'),
                ('{"a":1}', of(messages.JSON), '"{\\"a\\":1}"'),
                ("é", of(messages.STRING), '"é"')):
            self.assertEqual(values.to_json(value, column), told)


if __name__ == "__main__":
    unittest.main()
