"""`make audit`: what is known to be wrong with the packages we use.

Asks the advisory databases of PyPI (pip-audit) and npm (npm audit). What could not be asked is said, and is
not passed off as clean. Exit codes: 0 nothing is known, 1 something was found, 2 not everything was checked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infra.local.settings import PROJECT

_SECONDS = 120


class Unchecked(Exception):
    """The advisories could not be asked; the words say why."""


@dataclass(frozen=True)
class Finding:
    package: str
    advisory: str
    fixed_in: str


@dataclass(frozen=True)
class Explained:
    """A finding that is known and does not matter here, and why."""

    advisory: str
    reason: str


KNOWN: tuple[Explained, ...] = ()


@dataclass
class Report:
    found: list[Finding] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    packages: int = 0

    @property
    def code(self) -> int:
        return 1 if self.found else 2 if self.unchecked else 0


def python_findings(output: str) -> tuple[int, list[Finding]]:
    """(packages, findings) of pip-audit's JSON. Raises Unchecked for anything else."""
    try:
        listed = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        raise Unchecked("pip-audit gave no report") from None
    if skipped := [one["name"] for one in listed if "skip_reason" in one]:
        raise Unchecked(f"no advisories for {len(skipped)} of {len(listed)} packages, such as {skipped[0]}")
    return len(listed), [
        Finding(
            f"{one['name']} {one['version']}", fault["id"], ", ".join(fault["fix_versions"]) or "no version"
        )
        for one in listed
        for fault in one["vulns"]
    ]


def _versions(fixed: list[str]) -> str:
    return ", ".join(fixed) or "no version"


def node_findings(output: str) -> tuple[int, list[Finding]]:
    """(packages, findings) of npm audit's JSON. Raises Unchecked for anything else."""
    try:
        report = json.loads(output)
        faults: dict[str, Any] = report["vulnerabilities"]
        packages = int(report["metadata"]["dependencies"]["total"])
    except (ValueError, KeyError, TypeError):
        raise Unchecked("npm gave no report") from None
    found = {
        Finding(
            f"{name} {fault['range']}",
            str(via.get("url", via.get("source"))).rsplit("/", 1)[-1],
            "a fix is there" if fault.get("fixAvailable") else "no version",
        )
        for name, fault in faults.items()
        for via in fault["via"]
        if isinstance(via, dict)  # a name leads to the package that has the fault itself
    }
    return packages, sorted(found, key=lambda finding: finding.package)


def audit(sources: dict[str, Callable[[], tuple[int, list[Finding]]]]) -> Report:
    """Ask every source; one that cannot be asked does not keep the others from being."""
    report = Report()
    explained = {known.advisory for known in KNOWN}
    for name, ask in sources.items():
        try:
            packages, found = ask()
        except Unchecked as error:
            report.unchecked.append(f"{name}: {error}")
            continue
        report.packages += packages
        report.found += [finding for finding in found if finding.advisory not in explained]
    return report


def _output_of(*command: str) -> str:
    try:
        finished = subprocess.run(
            command, cwd=PROJECT, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unchecked(f"{command[0]} did not finish ({type(error).__name__})") from None
    if not finished.stdout.strip():
        last = finished.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise Unchecked(f"the advisories could not be asked ({last[0][:200]})")
    return finished.stdout


def main() -> int:
    pip_audit = (sys.executable, "-m", "pip_audit", "--progress-spinner=off", "--format=json", "--no-deps")
    report = audit(
        {
            "Python packages": lambda: python_findings(
                _output_of(*pip_audit, "--disable-pip", "-r", "requirements.txt")
            ),
            "Node packages": lambda: node_findings(_output_of("npm", "audit", "--json")),
        }
    )
    print(f"{report.packages} packages checked, {len(report.found)} findings.")
    for finding in report.found:
        print(f"  {finding.package}: {finding.advisory}, fixed in {finding.fixed_in}")
    for known in KNOWN:
        print(f"  known: {known.advisory}: {known.reason}")
    for what in report.unchecked:
        print(f"NOT CHECKED: {what}")
    return report.code


if __name__ == "__main__":
    sys.exit(main())
