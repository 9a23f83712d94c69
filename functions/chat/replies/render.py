"""Replies and cards in the patient's language, from message catalogues (Project Fluent), one file a language.

What was said is stored as keys with arguments, so a turn reads the same when it is looked at later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from fluent.runtime import FluentBundle, FluentResource

_FOLDER = Path(__file__).parent
_FINDINGS_SHOWN = 5


def render_reply(language: str, record: Mapping[str, Any], card: Mapping[str, Any] | None) -> str:
    """The words of an answer; `record` is {outcome, questions, said: {said, notes}}, as it is stored."""
    outcome = record["outcome"]
    said = record["said"] or {"said": [], "notes": []}
    lines = [_text(language, part["key"], part["args"]) for part in said["said"]]
    if outcome in ("said", "noted"):
        lines += [_text(language, "noted")] if outcome == "noted" else []
    elif outcome in ("placed", "placed_before"):
        lines.append(_placed(language, outcome, card or {}))
    elif outcome == "questions":
        lines.append(_text(language, "questions-first"))
    elif outcome == "nothing_open":
        lines.append(_text(language, "nothing-to-confirm"))
    else:
        lines += [_text(language, outcome)] if outcome in ("changed", "expired") else []
        lines += _proposal(language, card or {})
        lines += [_text(language, part["key"], part["args"]) for part in said["notes"]]
        if (card or {}).get("type") == "order_confirmation" and not record["questions"]:
            lines.append(_text(language, "ask-confirm"))
    if record["questions"]:
        lines.append(_text(language, f"ask-{record['questions'][0]}"))
    return " ".join(line for line in lines if line)


def render_card(
    language: str, record: Mapping[str, Any], card: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """The card as the frontend reads it: the sentences in it are in the language of the reply."""
    if card is None:
        return None
    shown = dict(card)
    said = record["said"] or {"said": [], "notes": []}
    if shown["type"] == "order_confirmation":
        shown["items"] = [
            {**item, "warnings": [_localised(language, warning, item) for warning in item["warnings"]]}
            for item in shown["items"]
        ]
        shown["warnings"] = [_localised(language, warning, warning) for warning in shown["warnings"]]
        shown["notes"] = [_text(language, part["key"], part["args"]) for part in said["notes"]]
    if "rejected_items" in shown:
        shown["rejected_items"] = [
            {**item, "reason": _finding(language, item, item, fallback="reason")}
            for item in shown["rejected_items"]
        ]
    match shown["type"]:
        case "clarification":
            shown["question"] = " ".join(
                _text(language, part["key"], part["args"]) for part in said["said"] if part["key"] != "option"
            )
        case "safety_alert" | "order_status" | "order_tracking" | "refill_list" | "emergency":
            shown["message"] = render_reply(language, record, card)
    return shown


def problem_reply(status: int, sentence: str) -> str:
    """What the chat says when a message could not be taken: English, because no language is known by then."""
    if status == 401:
        return "Please sign in so that I can help you with your medicines."
    return sentence


def _proposal(language: str, card: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    if card.get("type") == "order_confirmation":
        lines.append(_text(language, "proposal"))
        lines += [
            _text(
                language,
                "proposal-item",
                {"product": item["product_name"], "packs": item["qty"], "total": float(item["line_total"])},
            )
            for item in card["items"]
        ]
        lines.append(_text(language, "proposal-total", {"total": float(card["total"])}))
        warnings = _unique(_finding(language, warning, warning) for warning in card["warnings"])
        lines += warnings[:_FINDINGS_SHOWN]
        if card.get("awaits_pharmacist"):
            lines.append(_text(language, "proposal-waits"))
    rejected = card.get("rejected_items") or []
    lines += _unique(_finding(language, item, item, fallback="reason") for item in rejected)[:_FINDINGS_SHOWN]
    alternatives = _unique(
        alternative["product_name"] for item in rejected for alternative in item.get("alternatives") or []
    )
    if alternatives:
        lines.append(_text(language, "alternatives", {"names": ", ".join(alternatives)}))
    if rejected and card.get("type") == "safety_alert":
        lines.append(_text(language, "nothing-ordered"))
    return lines


def _placed(language: str, outcome: str, card: Mapping[str, Any]) -> str:
    if outcome == "placed_before":
        key = "placed-before"
    elif card.get("status") == "awaiting_pharmacist":
        key = "placed-waiting"
    else:
        key = "placed"
    return _text(language, key, {"order": str(card["order_id"]), "total": float(card["total"])})


def _localised(language: str, warning: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    return {**warning, "message": _finding(language, warning, item)}


def _finding(
    language: str, finding: Mapping[str, Any], item: Mapping[str, Any], fallback: str = "message"
) -> str:
    """A finding in the patient's language; in English the database's own sentence, which says the most."""
    if language == "en":
        return str(finding[fallback])
    key = f"finding-{finding['code'].replace('_', '-')}"
    args = {"product": item.get("product_name") or "", "subject": finding.get("subject") or ""}
    return _text(language, key, args) if _bundle(language).has_message(key) else str(finding[fallback])


def _unique(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))


def _text(language: str, key: str, args: Mapping[str, Any] | None = None) -> str:
    bundle = _bundle(language)
    pattern = bundle.get_message(key).value
    if pattern is None:
        raise LookupError(f"message {key} has no text in {language}")
    text, errors = bundle.format_pattern(pattern, dict(args or {}))
    if errors:
        raise errors[0]
    return str(text)


@lru_cache(maxsize=3)
def _bundle(language: str) -> FluentBundle:
    # Isolation marks are for mixed directions of writing; all our scripts run the same way.
    bundle = FluentBundle([f"{language}-IN"], use_isolating=False)
    bundle.add_resource(FluentResource((_FOLDER / f"{language}.ftl").read_text("utf-8")))
    return bundle
