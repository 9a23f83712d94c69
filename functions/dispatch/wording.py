"""The words of a notification, from the message catalogues (Project Fluent), one file a language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.dispatch.message import Message

if TYPE_CHECKING:
    from fluent.runtime import FluentBundle

_FOLDER = Path(__file__).parent / "messages"
LANGUAGES = ("en", "hi", "mr")


def render(kind: str, language: str, arguments: Mapping[str, Any]) -> Message:
    """The message of a kind such as `order.shipped`. Raises KeyError for a kind without words, and for an
    argument that is missing.
    """
    bundle = _bundle(language if language in LANGUAGES else "en")
    message = bundle.get_message(kind.replace(".", "-"))
    if message is None:
        raise KeyError(kind)
    values = _values(kind, arguments)

    def text(pattern: Any) -> str:
        words, errors = bundle.format_pattern(pattern, values)
        if errors:
            raise KeyError(kind)
        return str(words).strip()

    attributes = dict(message.attributes)
    return Message(
        kind=kind,
        language=language,
        title=text(attributes["title"]),
        line=text(attributes["line"]),
        details=text(attributes["details"]) if "details" in attributes else "",
        footer=text(bundle.get_message("footer").value),
        template=_template(kind, values),
        parameters=tuple(str(arguments[name]) for name in _PARAMETERS if name in arguments),
    )


_PARAMETERS = ("order_id", "prescription_id")


def _template(kind: str, values: Mapping[str, Any]) -> str:
    return "_".join(filter(None, (kind.replace(".", "_"), values.get("next"))))


def _values(kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as the catalogues ask for them."""
    values: dict[str, Any] = {
        name: value for name, value in arguments.items() if isinstance(value, (str, int))
    }
    if kind == "order.shipped":
        values.setdefault("tracking_number", "none")
    if kind == "order.failed":
        values["next"] = "retry" if arguments.get("retrying") else "choose"
    if kind == "refill.due":
        days = int(arguments["days_left"])
        values["days"] = days
        values["days_left"] = "out" if days <= 0 else "one" if days == 1 else "other"
        values["products"] = ", ".join(arguments.get("products") or [arguments["product"]])
        values.setdefault("advice", "reorder")
    return values


@lru_cache(maxsize=len(LANGUAGES))
def _bundle(language: str) -> FluentBundle:
    from fluent.runtime import FluentBundle, FluentResource  # few invocations say anything

    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource((_FOLDER / f"{language}.ftl").read_text(encoding="utf-8")))
    return bundle
