"""The audit never passes off as clean what it could not check."""

from __future__ import annotations

import json

import pytest

from infra.audit import Finding, Unchecked, audit, node_findings, python_findings

CLEAN = json.dumps({"dependencies": [{"name": "httpx", "version": "1.0", "vulns": []}]})
FAULTY = json.dumps(
    {
        "dependencies": [
            {"name": "a", "version": "1", "vulns": [{"id": "GHSA-1", "fix_versions": ["2"]}]},
            {"name": "b", "version": "1", "vulns": []},
        ]
    }
)
NODE = json.dumps(
    {
        "vulnerabilities": {
            "x": {"range": "<2", "fixAvailable": True, "via": [{"url": "https://advisories.example/GHSA-9"}]},
            "y": {"range": "*", "fixAvailable": True, "via": ["x"]},
        },
        "metadata": {"dependencies": {"total": 3}},
    }
)


def test_nothing_known_is_clean() -> None:
    assert audit({"python": lambda: python_findings(CLEAN)}).code == 0


def test_what_is_known_is_named_once_with_what_fixes_it() -> None:
    report = audit({"python": lambda: python_findings(FAULTY), "node": lambda: node_findings(NODE)})

    assert report.code == 1
    assert report.packages == 5
    assert report.found == [Finding("a 1", "GHSA-1", "2"), Finding("x <2", "GHSA-9", "a fix is there")]


@pytest.mark.parametrize("said", ["", "<html>", "{}", '{"message": "405 Method Not Allowed"}', "[]"])
def test_what_is_no_report_is_not_clean(said: str) -> None:
    report = audit({"python": lambda: python_findings(said), "node": lambda: node_findings(said)})

    assert report.code == 2
    assert len(report.unchecked) == 2


def test_a_package_that_was_skipped_was_not_checked() -> None:
    skipped = json.dumps({"dependencies": [{"name": "a", "skip_reason": "not on PyPI"}]})

    with pytest.raises(Unchecked, match="a"):
        python_findings(skipped)


def test_one_source_that_is_away_hides_nothing_of_the_other() -> None:
    report = audit({"node": lambda: node_findings(""), "python": lambda: python_findings(FAULTY)})

    assert (report.code, len(report.found), len(report.unchecked)) == (1, 1, 1)
