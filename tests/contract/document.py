"""The OpenAPI document as the tests see it: its operations, and a request of each made of its examples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

Json = dict[str, Any]

PROJECT = Path(__file__).parents[2]
FILE = PROJECT / "functions" / "health" / "openapi.json"

_FORMATS: Json = {
    "date": "2026-11-21",
    "date-time": "2026-11-21T09:30:00Z",
    "uuid": "6f2c1c1e-3f0b-4c55-9a53-0f6f4a3a7d10",
    "binary": "",
}


class NoExample(Exception):
    """A part of a request for which the document shows no example."""


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    spec: Json = field(repr=False)
    document: Json = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @cached_property
    def function(self) -> str:
        """The folder of the function that serves it."""
        return next(name for name, _, path in gateway_routes() if path == without_names(self.path))

    @property
    def callers(self) -> set[str]:
        return set(self.spec.get("x-callers", ()))

    @cached_property
    def path_parameters(self) -> dict[str, Json]:
        return {one["name"]: one for one in self.spec.get("parameters", []) if one["in"] == "path"}

    @property
    def media_type(self) -> str | None:
        content = self.spec.get("requestBody", {}).get("content", {})
        return next(iter(content), None)

    @property
    def body_schema(self) -> Json:
        assert self.media_type
        schema: Json = self.spec["requestBody"]["content"][self.media_type]["schema"]
        return schema

    def address(self, values: Mapping[str, str]) -> str:
        """The path with these values, and examples for the other parameters."""
        found = self.path
        for name, parameter in self.path_parameters.items():
            value = values.get(name) or self._example_of(parameter["schema"], name)
            found = found.replace("{" + name + "}", str(value))
        return found

    def body(self) -> Any:
        """A request body as the document shows it; None where there is none. Raises NoExample."""
        if self.media_type is None:
            return None
        content = self.spec["requestBody"]["content"][self.media_type]
        if "example" in content:
            return content["example"]
        if "examples" in content:
            return next(iter(content["examples"].values()))["value"]
        return self._example_of(content["schema"], self.name)

    def answer_schema(self, status: str) -> Json:
        content = self.resolve(self.spec["responses"][status])["content"]
        schema: Json = next(iter(content.values()))["schema"]
        return schema

    def resolve(self, schema: Json) -> Json:
        while "$ref" in schema:
            found: Any = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def errors_of(self, value: Any, schema: Json) -> list[str]:
        """What is wrong with a value, by a schema of the document."""
        whole = {**schema, "components": self.document["components"]}
        validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return [error.message for error in validator.iter_errors(value)]

    def _example_of(self, schema: Json, where: str) -> Any:
        schema = self.resolve(schema)
        if "examples" in schema:
            return schema["examples"][0]
        for keyword in ("example", "const", "default"):
            if keyword in schema:
                return schema[keyword]
        if "enum" in schema:
            return schema["enum"][0]
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return self._example_of(schema[keyword][0], where)
        match schema.get("type"):
            case "object":
                members = schema.get("properties", {})
                needed = schema.get("required", [])
                return {name: self._example_of(members[name], f"{where}.{name}") for name in needed}
            case "array":
                needs_one = schema.get("minItems", 0) > 0
                return [self._example_of(schema["items"], where)] if needs_one else []
            case "boolean":
                return True
            case "null":
                return None
            case "string" if schema.get("format") in _FORMATS:
                return _FORMATS[schema["format"]]
        raise NoExample(where)


def without_names(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def gateway_routes() -> Iterator[tuple[str, str, str]]:
    """(function, method, path) of every HTTP event of every function, but for the catch-all."""
    for definition in PROJECT.glob("functions/*/function.yml"):
        text = re.sub(r"!\w+", "", definition.read_text())  # CloudFormation's own tags mean nothing here
        for event in yaml.safe_load(text).get("events", []):
            if (route := event.get("httpApi", "*")) != "*":
                method, _, path = route.partition(" ")
                yield definition.parent.name, method, without_names(path)


def stored_document() -> Json:
    document: Json = json.loads(FILE.read_text("utf-8"))
    return document


def operations_of(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, operations in document["paths"].items():
        for method, spec in operations.items():
            yield Operation(method.upper(), path, spec, dict(document))


OPERATIONS = list(operations_of(stored_document()))
