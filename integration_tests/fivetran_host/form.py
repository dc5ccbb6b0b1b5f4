"""The configuration form [2.2]: its rules, and what a user has filled in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional

from .findings import Findings
from .messages import common_pb2


@dataclass(frozen=True)
class Condition:
    """When a field is shown."""
    parent: str
    value: str  # of the parent; a toggle's is "true" or "false"; "" for an empty one


@dataclass(frozen=True)
class Field:
    name: str
    kind: str  # text, password, hidden, dropdown, toggle, upload
    label: str
    required: bool
    default: Optional[str]
    values: tuple[str, ...] = ()  # of a dropdown
    conditions: tuple[Condition, ...] = ()


@dataclass
class Form:
    fields: list[Field] = field(default_factory=list)  # groups are taken apart
    tests: list[tuple[str, str]] = field(default_factory=list)  # name and label

    def fill_in(self, given: Mapping[str, str]) -> dict[str, str]:
        """The configuration as the host sends it: every field that is shown has a value, its
        default or an empty one where the user gave none; those that are not shown have none."""
        configuration: dict[str, str] = {}
        for entry in self.fields:
            if not all(self._holds(condition, configuration) for condition in entry.conditions):
                continue
            otherwise = "false" if entry.kind == "toggle" else ""
            configuration[entry.name] = given.get(entry.name, entry.default or otherwise)
        return configuration

    @staticmethod
    def _holds(condition: Condition, configuration: Mapping[str, str]) -> bool:
        return configuration.get(condition.parent, "") == condition.value

    def refuse(self, given: Mapping[str, str]) -> list[str]:
        """What the form would not take of a configuration."""
        names = {entry.name for entry in self.fields}
        problems = [f"there is no field {name}" for name in given if name not in names]
        filled_in = self.fill_in(given)
        for entry in self.fields:
            value = filled_in.get(entry.name)
            if value is None:
                if entry.name in given:
                    problems.append(f"{entry.name} is not shown")
            elif not value and entry.required:
                problems.append(f"{entry.name} is required")
            elif entry.values and value and value not in entry.values:
                problems.append(f"{entry.name} cannot be {value}")
        return problems

    def secrets(self, configuration: Mapping[str, str]) -> list[str]:
        """The values that nobody may read."""
        return [configuration[entry.name] for entry in self.fields
                if entry.kind == "password" and configuration.get(entry.name)]


_TEXT_KINDS = {common_pb2.PlainText: "text", common_pb2.Password: "password",
               common_pb2.Hidden: "hidden"}
_WHERE = "ConfigurationForm"


def read_form(response: common_pb2.ConfigurationFormResponse, findings: Findings) -> Form:
    """The form of an answer, checked."""
    form = Form()
    _read_fields(response.fields, (), form, findings)
    for test in response.tests:
        if not test.name or not test.label or test.name in (name for name, _ in form.tests):
            findings.add("form", _WHERE, f"the test \"{test.name}\" is unnamed, or there twice")
        form.tests.append((test.name, test.label))
    if not form.fields or not form.tests:
        findings.add("form", _WHERE, "there are no fields, or no tests")
    if not response.schema_selection_supported or not response.table_selection_supported:
        findings.add("form", _WHERE, "the user may not choose schemas and tables")
    return form


def _read_fields(fields: Any, conditions: tuple[Condition, ...], form: Form,
                 findings: Findings) -> None:
    for entry in fields:
        if entry.WhichOneof("type") == "conditional_fields":
            group = entry.conditional_fields
            condition = _read_condition(group.condition, form, findings)
            _read_fields(group.fields, conditions + (condition,), form, findings)
            continue
        read = _read_field(entry, conditions, findings)
        if not read.name or not read.label or any(known.name == read.name for known in form.fields):
            findings.add("form", _WHERE, f"the field \"{read.name}\" is unnamed, or there twice")
        form.fields.append(read)


def _read_condition(condition: Any, form: Form, findings: Findings) -> Condition:
    parent = next((known for known in form.fields if known.name == condition.condition_field), None)
    kind = condition.WhichOneof("visible_when")
    if parent is None:
        findings.add("form", _WHERE, f"a condition on {condition.condition_field}, not above")
    if kind is None or (kind == "bool_value") != (parent is not None and parent.kind == "toggle"):
        findings.add("form", _WHERE, f"a condition on {condition.condition_field} that cannot hold")
    if kind == "bool_value":
        return Condition(condition.condition_field, "true" if condition.bool_value else "false")
    if kind == "string_value" and parent is not None and parent.values and (
            condition.string_value not in parent.values):
        findings.add("form", _WHERE, f"{parent.name} cannot be {condition.string_value}")
    return Condition(condition.condition_field, condition.string_value)


def _read_field(entry: Any, conditions: tuple[Condition, ...], findings: Findings) -> Field:
    kind = entry.WhichOneof("type")
    choices: tuple[str, ...] = ()
    if kind == "text_field":
        kind = _TEXT_KINDS.get(entry.text_field, "unknown")
    elif kind == "dropdown_field":
        kind, choices = "dropdown", tuple(entry.dropdown_field.dropdown_field)
    elif kind == "descriptive_dropdown_fields":
        kind, choices = "dropdown", tuple(
            choice.value for choice in entry.descriptive_dropdown_fields.descriptive_dropdown_field)
    elif kind == "toggle_field":
        kind, choices = "toggle", ("true", "false")
    elif kind == "upload_field":
        kind = "upload"
        allowed = entry.upload_field.allowed_file_type
        if not allowed or not all(extension.startswith(".") for extension in allowed):
            findings.add("form", _WHERE, f"{entry.name} allows no files, or files without a dot")
    if kind is None or kind == "unknown" or (kind == "dropdown" and not all(choices or ("",))):
        findings.add("form", _WHERE, f"nothing can be given for {entry.name}")
    default = entry.default_value if entry.HasField("default_value") else None
    if default is not None and choices and default not in choices:
        findings.add("form", _WHERE, f"the default of {entry.name} cannot be given")
    return Field(entry.name, kind or "unknown", entry.label, entry.required, default, choices,
                 conditions)
