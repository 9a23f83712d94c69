"""Reads what a prescription says, as far as its form is the usual one: names, strengths, directions.

Text in, lines out; which medicine a line names is for the database to say, and what counts for a pharmacist.
A line is clear when nothing of its directions is left to guess.
"""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_LINES = 40
_LONGEST_LINE = 200
_LONGEST_STRENGTH = 50
_MOST_UNITS = 100_000
_HIGHEST_DOSE = 100

_NUMBER = r"\d+(?:\.\d+)?"
_DAILY_DOSES = re.compile(rf"(?<![\d./-])({_NUMBER})((?: ?[-+] ?{_NUMBER}){{2,3}})(?![\d./-])")
_STRENGTH = re.compile(rf"({_NUMBER}) ?(mg|mcg|µg|gm?|iu|%|k\b)( ?/ ?(?:{_NUMBER} ?)?ml)?(?![a-z])")
_DOSE = re.compile(
    rf"({_NUMBER}) ?(tabs?|tablets?|caps?|capsules?|puffs?|drops?|sachets?|ml|units?)(?![a-z])(?! ?/)"
)
_DURATION = re.compile(r"(?:x|for|×)? ?(\d+) ?(days?|d|weeks?|wks?|months?|/7|/52|/12)(?![a-z\d])")
_QUANTITY = re.compile(r"(?:qty|quantity|disp(?:ense)?|total|nos?|#)[.:]? ?(\d+)(?!\d)")
_INDEX = re.compile(r"^ ?(?:\(?\d{1,2}[.)]|[-*•]) ?(?=\S)")

_DOSES_PER_DAY = {
    "once_daily": 1.0,
    "twice_daily": 2.0,
    "three_times_daily": 3.0,
    "four_times_daily": 4.0,
    "alternate_days": 0.5,
    "once_weekly": 1 / 7,
}
_TIMES = {1: "once_daily", 2: "twice_daily", 3: "three_times_daily", 4: "four_times_daily"}
_DAYS = {"d": 1, "/7": 1, "w": 7, "/52": 7, "m": 30, "/12": 30}
_USUAL_DOSE = {"ml": 30, "unit": _HIGHEST_DOSE}
"""Above these, and above 4 of anything else, a number is what is to be handed out."""

_WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
_FORMS = frozenset(_WORDS["forms"])
_USUAL = _FORMS | frozenset(_WORDS["usual"])
"""Words that say nothing of which medicine it is, and change nothing about it."""


def _any_of(phrases: list[str]) -> str:
    longest_first = sorted(phrases, key=len, reverse=True)
    return "|".join(re.escape(phrase).replace(r"\.", r"\.?") for phrase in longest_first)


_ANY_FREQUENCY = "|".join(f"(?P<{name}>{_any_of(said)})" for name, said in _WORDS["frequencies"].items())
_FREQUENCY = re.compile(rf"(?<![a-z.])(?:{_ANY_FREQUENCY})(?![a-z])")


@dataclass(frozen=True, slots=True)
class Line:
    """What one medicine's line says. `words` are in the form in which the database compares names."""

    said: str
    words: list[str]
    is_vocabulary: list[bool]
    strength: str | None
    dosage_frequency: str | None
    units_per_dose: float | None
    units: int | None
    is_clear: bool


def read(text: str) -> list[Line]:
    """The lines that look like medicines, in order."""
    lines = (_line(entry) for entry in _entries(text))
    return [line for line in lines if line.words][:MOST_LINES]


def _entries(text: str) -> Iterator[str]:
    """One medicine each: its line, with those after it that hold nothing but directions (tables come so)."""
    entry = ""
    for raw in text.splitlines():
        line = " ".join(raw.split())[:_LONGEST_LINE]
        if not line:
            continue
        plain = _plain(line)
        if entry and _is_directions(plain) and len(entry) < _LONGEST_LINE:
            entry += " " + line
            continue
        if entry:
            yield entry
        entry = line if _names_a_medicine(plain) else ""
    if entry:
        yield entry


def _plain(line: str) -> str:
    text = unicodedata.normalize("NFKC", line.replace("½", "0.5").replace("¼", "0.25")).lower()
    text = re.sub(r"(?<![\d/])1/2(?![\d/])", "0.5", text)
    return re.sub(r"[‐‑‒–—]", "-", text)


def _names_a_medicine(plain: str) -> bool:
    return bool(_STRENGTH.search(plain) or _FORMS & set(_words(_INDEX.sub("", plain))[:2]))


def _is_directions(plain: str) -> bool:
    return all(word in _USUAL or _is_number(word) for word in _words(_without_directions(plain)))


def _without_directions(plain: str) -> str:
    for pattern in (_QUANTITY, _DAILY_DOSES, _DURATION, _FREQUENCY, _DOSE):
        plain = pattern.sub(" ", plain)
    return plain


def _line(entry: str) -> Line:
    plain = _INDEX.sub("", _plain(entry))
    strength = " + ".join(_written(*found.groups("")) for found in _STRENGTH.finditer(plain))
    rest = _without_directions(plain)
    words = _words(rest)
    of_strength = set(_words(" ".join(found.group() for found in _STRENGTH.finditer(plain))))
    frequency, dose, told_once = _directions(plain)
    days = [int(number) * _DAYS[_unit(unit)] for number, unit in _DURATION.findall(_QUANTITY.sub(" ", plain))]
    quantities = [int(number) for number in _QUANTITY.findall(plain)] + _handed_out(plain)
    units = _units(frequency, dose, days, quantities)
    return Line(
        said=entry,
        words=words,
        is_vocabulary=[word in _USUAL or word in of_strength for word in words],
        strength=strength if 0 < len(strength) <= _LONGEST_STRENGTH else None,
        dosage_frequency=frequency,
        units_per_dose=dose,
        units=units,
        is_clear=told_once and len(days) <= 1 and len(quantities) <= 1,
    )


def _directions(plain: str) -> tuple[str | None, float | None, bool]:
    """How often, how much at a time, and whether that is said once and without contradiction."""
    plain = _QUANTITY.sub(" ", plain)
    said: list[tuple[str | None, float | None]] = []
    for found in _DAILY_DOSES.finditer(plain):
        taken = [float(number) for number in re.findall(_NUMBER, found.group()) if float(number)]
        is_one_dose = len(set(taken)) == 1 and taken[0] <= _HIGHEST_DOSE
        said.append((_TIMES.get(len(taken)), taken[0] if is_one_dose else None))
    doses = {number for number, unit in _counted(plain) if _is_a_dose(number, unit)}
    frequencies = {found.lastgroup for found in _FREQUENCY.finditer(_DAILY_DOSES.sub(" ", plain))}
    if said:
        frequency, dose = said[0]
        agreed = len(said) == 1 and frequencies <= {frequency} and all(each == dose for each in doses)
        return frequency, dose, agreed
    frequency = next(iter(frequencies)) if len(frequencies) == 1 else None
    dose = next(iter(doses)) if len(doses) == 1 else None if doses else 1.0
    return frequency, dose if frequency else None, len(frequencies) == 1 and len(doses) <= 1


def _is_a_dose(number: float, unit: str) -> bool:
    return 0 < number <= _USUAL_DOSE.get(unit.rstrip("s"), 4)


def _handed_out(plain: str) -> list[int]:
    counted = _counted(_QUANTITY.sub(" ", plain))
    return [int(number) for number, unit in counted if not _is_a_dose(number, unit)]


def _counted(plain: str) -> list[tuple[float, str]]:
    """Numbers of tablets, millilitres and the like."""
    return [(float(number), unit) for number, unit in _DOSE.findall(plain)]


def _units(frequency: str | None, dose: float | None, days: list[int], quantities: list[int]) -> int | None:
    """What to hand out: as written, else what the directions come to."""
    if quantities:
        units = quantities[0]
    elif days and dose and frequency in _DOSES_PER_DAY:
        units = math.ceil(round(math.ceil(round(days[0] * _DOSES_PER_DAY[frequency], 6)) * dose, 6))
    else:
        return None
    return units if 0 < units <= _MOST_UNITS else None


def _written(number: str, unit: str, per: str) -> str:
    """A strength as the catalogue writes it: "500 mg", "60000 IU", "250 mg/5 ml", "1%"."""
    if unit == "k":
        return f"{int(float(number) * 1000)} IU"
    unit = {"gm": "g", "iu": "IU", "µg": "mcg"}.get(unit, unit)
    per = re.sub(r"(?<=\d)(?=ml)", " ", per.replace(" ", ""))
    return f"{number}{'' if unit == '%' else ' '}{unit}{per}"


def _unit(word: str) -> str:
    return word if word.startswith("/") else word[0]


def _words(plain: str) -> list[str]:
    """As private.normalise_name cuts names: letters and digits apart, a point only inside a number."""
    text = re.sub(r"[^a-z0-9.\u0900-\u097f]+|\.(?!\d)", " ", plain.replace("\u093c", ""))
    text = re.sub(r"(?<=\d)(?=[a-z\u0900-\u0965])|(?<=[a-z\u0900-\u0965])(?=\d)", " ", text)
    return text.split()


def _is_number(word: str) -> bool:
    return word.replace(".", "", 1).isdigit()
