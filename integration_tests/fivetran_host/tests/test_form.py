"""What a user fills in."""

import unittest

from ..findings import Findings
from ..form import Form, read_form
from ..messages import common_pb2
from . import fake_source as fake


def field(name: str, **kind: object) -> common_pb2.FormField:
    return common_pb2.FormField(name=name, label="A label", **kind)  # type: ignore[arg-type]


def group(parent: str, *fields: common_pb2.FormField, **condition: object) -> common_pb2.FormField:
    return field("", conditional_fields=common_pb2.ConditionalFields(
        condition=common_pb2.VisibilityCondition(condition_field=parent, **condition),
        fields=fields))


class FormTest(unittest.TestCase):

    def setUp(self) -> None:
        findings = Findings()
        self.form: Form = read_form(fake.form(
            field("host", text_field=0, required=True),
            field("port", text_field=0, default_value="15991"),
            field("tls", toggle_field={}),
            group("tls", field("authority", upload_field={"allowed_file_type": [".pem"]}),
                  bool_value=True),
            field("way", dropdown_field={"dropdown_field": ["none", "password"]},
                  default_value="none"),
            group("way", field("password", text_field=1, required=True), string_value="password")),
            findings)
        self.assertEqual(findings.tell(), [])

    def test_fields_that_are_left_have_their_default_or_an_empty_text(self) -> None:
        self.assertEqual(self.form.fill_in({"host": "vtgate"}),
                         {"host": "vtgate", "port": "15991", "tls": "false", "way": "none"})

    def test_fields_are_shown_on_their_condition(self) -> None:
        self.assertEqual(
            self.form.fill_in({"host": "v", "tls": "true", "way": "password", "password": "p"}),
            {"host": "v", "port": "15991", "tls": "true", "authority": "", "way": "password",
             "password": "p"})

    def test_what_cannot_be_given_is_refused(self) -> None:
        self.assertEqual(self.form.refuse({"host": "v"}), [])
        self.assertEqual(self.form.refuse({"hots": "v", "way": "other", "authority": "x"}), [
            "there is no field hots", "host is required", "authority is not shown",
            "way cannot be other"])
        self.assertEqual(self.form.refuse({"host": "v", "way": "password"}),
                         ["password is required"])

    def test_passwords_are_secrets(self) -> None:
        self.assertEqual(self.form.secrets({"host": "v", "password": "p"}), ["p"])


if __name__ == "__main__":
    unittest.main()
