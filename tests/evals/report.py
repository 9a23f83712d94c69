"""The results as a table for people and as JSON for everything else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.evals.playing import Failure, Result


def right_share(results: list[Result]) -> float:
    """Of all conversations, from 0 to 1; 0 when there are none."""
    return sum(result.right for result in results) / len(results) if results else 0.0


def unsafe_outcomes(results: list[Result]) -> list[str]:
    return [f"{one.conversation.id}: {why}" for one in results for why in one.unsafe]


def table(results: list[Result]) -> str:
    """Accuracy by group and in total, the unsafe outcomes, and how long a turn took."""
    lines = [f"{'group':<22} {'right':>9} {'':>6}  unsafe"]
    for group, members in _by_group(results):
        lines.append(_row(group, members))
    lines += ["", _row("all", results)]
    times = [one for result in results for one in result.milliseconds]
    if len(times) > 1:
        slow = quantiles(times, n=20)[-1]
        lines.append(
            f"{len(times)} turns, {median(times):.0f} ms in the median, {slow:.0f} ms at the 95th percentile"
        )
    if dangers := unsafe_outcomes(results):
        lines += ["", "UNSAFE", *(f"  {danger}" for danger in dangers)]
    return "\n".join(lines)


def failures(results: list[Result]) -> str:
    """Every failure: what was said, what came back and why that is wrong."""
    return "\n".join(
        line
        for result in results
        for failure in result.failures
        for line in _explained(result.conversation.id, failure)
    )


def write(results: list[Result], path: Path) -> None:
    """All numbers and every failure (said, got, expected)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(_document(results), ensure_ascii=False, indent=1, default=str), encoding="utf-8"
    )


def _document(results: list[Result]) -> dict[str, Any]:
    return {
        "conversations": len(results),
        "right": sum(result.right for result in results),
        "unsafe": unsafe_outcomes(results),
        "groups": {
            group: {
                "conversations": len(members),
                "right": sum(one.right for one in members),
                "unsafe": len(unsafe_outcomes(members)),
            }
            for group, members in _by_group(results)
        },
        "failures": [
            {"id": result.conversation.id, "patient": result.conversation.patient, **asdict(failure)}
            for result in results
            for failure in result.failures
        ],
    }


def _by_group(results: list[Result]) -> Iterable[tuple[str, list[Result]]]:
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.conversation.group, []).append(result)
    return sorted(groups.items())


def _row(name: str, results: list[Result]) -> str:
    right = sum(result.right for result in results)
    dangers = len(unsafe_outcomes(results))
    return f"{name:<22} {right:>4}/{len(results):<4} {right_share(results):>6.1%}  {dangers or ''}".rstrip()


def _explained(conversation_id: str, failure: Failure) -> list[str]:
    got = {key: value for key, value in failure.got.items() if value and key != "reply"}
    marks = [f"    UNSAFE {why}" for why in failure.unsafe]
    return [
        f"{conversation_id} turn {failure.turn}: {failure.said!r}",
        f"    {'; '.join(failure.differences)}",
        *marks,
        f"    got {json.dumps(got, ensure_ascii=False, default=str)}",
        f"    «{failure.got.get('reply', '')}»",
    ]
