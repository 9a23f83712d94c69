"""Complaints and conditions are heard as people put and spell them, and nothing else is heard as one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, LiteralString

import psycopg
import pytest

from functions.chat.understanding.lexical import is_vocabulary, spoken_digits
from functions.chat.understanding.words import split
from tests.integration.chatting import Conversation, new_patient
from tests.running_stack import RunningStack


@pytest.fixture
def database(stack: RunningStack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.database_url) as connection, connection.transaction(force_rollback=True):
        yield connection


def heard(database: psycopg.Connection, message: str) -> list[tuple[str, int]]:
    """The conditions of a message with their distance, the longest phrase first, none inside another."""
    words = split(message)
    rows = database.execute(
        "select first, length, distance, condition from private.find_terms(%s, %s)"
        " order by length desc, first",
        [[spoken_digits(word) for word in words], [is_vocabulary(word) for word in words]],
    ).fetchall()
    taken: set[int] = set()
    found = []
    for first, length, distance, condition in rows:
        places = set(range(first, first + length))
        if not places & taken:
            taken |= places
            found.append((first, condition, distance))
    return [(condition, distance) for _, condition, distance in sorted(found)]


def row(database: psycopg.Connection, statement: LiteralString) -> Any:
    found = database.execute(statement).fetchone()
    assert found is not None
    return found


def conditions(database: psycopg.Connection, message: str) -> list[str]:
    return [condition for condition, _ in heard(database, message)]


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        ("something for hedache", "headache"),
        ("headach please", "headache"),
        ("i have feever", "fever"),
        ("asidity ki dawai", "acidity"),
        ("alergy tablet", "allergy"),
        ("konstipation", "constipation"),
        ("mujhe bukhaar hai", "fever"),
        ("khansee ki dava", "cough"),
        ("khujlee ho rahi", "allergy"),
        ("sirr daard ho raha hai", "headache"),
        ("डोकेदूखी वर काही द्या", "headache"),
        ("जुखाम की दवा", "cold"),
        ("एसीडीटी हो रही है", "acidity"),
    ],
)
def test_a_complaint_spelt_by_ear_is_heard(
    database: psycopg.Connection, message: str, condition: str
) -> None:
    assert heard(database, message) == [(condition, 0)]


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        ("haedache", "headache"),
        ("heradache", "headache"),
        ("constipaton", "constipation"),
        ("diarrhoe", "diarrhoea"),
        ("my diabtes medicine", "diabetes"),
        ("hypertenson tablets", "hypertension"),
        ("cholesteral", "cholesterol"),
        ("thyorid goli", "thyroid"),
    ],
)
def test_a_complaint_is_heard_through_one_slip(
    database: psycopg.Connection, message: str, condition: str
) -> None:
    assert conditions(database, message) == [condition]


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        ("my head is really hurting", "headache"),
        ("sir mein bahut dard hai", "headache"),
        ("matha phat raha hai", "headache"),
        ("डोकं खूप दुखतंय", "headache"),
        ("pet dukh raha hai", "acidity"),
        ("pot dukhtay", "acidity"),
        ("पोटात जळजळ होतेय", "acidity"),
        ("gas ho gayi hai", "acidity"),
        ("naak band hai", "cold"),
        ("नाक चोंदलंय", "cold"),
        ("my nose is blocked", "cold"),
        ("मला खोकला आहे", "cough"),
        ("gale mein kharash", "cough"),
        ("घसा बसला आहे", "cough"),
        ("ang dukhtay", "body pain"),
        ("ghutno mein bahut dard", "body pain"),
        ("कंबर दुखतेय", "body pain"),
        ("motion nahi ho raha", "constipation"),
        ("potty nahi ho rahi", "constipation"),
        ("संडासला होत नाही", "constipation"),
        ("pet kharab hai", "diarrhoea"),
        ("पोट बिघडलंय", "diarrhoea"),
        ("dast lag gaye", "diarrhoea"),
        ("थंडी वाजतेय", "fever"),
        ("kankan", "fever"),
        ("angavar khaj yete", "allergy"),
        ("अंगावर पित्त उठलंय", "allergy"),
        ("ungli kat gayi", "wound"),
        ("खरचटलं", "wound"),
        ("नायटा झाला", "fungal"),
        ("thakan rehti hai", "vitamins"),
        ("b p ki goli", "hypertension"),
        ("दम्याची गोळी", "asthma"),
        ("साखरेची गोळी", "diabetes"),
    ],
)
def test_complaints_are_heard_as_people_put_them(
    database: psycopg.Connection, message: str, condition: str
) -> None:
    assert conditions(database, message) == [condition]


@pytest.mark.parametrize(
    "message",
    [
        # English: near fever, cough, cold, gas, pressure, weakness, sneezing, rash, dast.
        "fewer tablets than that",
        "never mind",
        "a tough day",
        "gold and silver",
        "geese",
        "with pleasure",
        "it weakens",
        "sensing something",
        "race",
        "dost",
        "could you",
        "presser foot",
        # Hindi: aunt, dog, small, fourth, ate, book, friend.
        "चाची",
        "कुत्ते",
        "छोटे",
        "चौथे",
        "खाया",
        "पोथी",
        "दोस्त",
        "chhota patta",
        "kutta",
        # Marathi: what, ghee, cat, jacket, a name, a bird.
        "काय झालं",
        "तूप",
        "मांजर",
        "कोट",
        "काशी",
        "कोकिळा",
        "kothimbir",
        "tapas",
    ],
)
def test_no_ordinary_word_is_a_complaint(database: psycopg.Connection, message: str) -> None:
    assert heard(database, message) == []


def test_no_name_of_the_catalogue_is_heard_as_a_complaint_that_is_none(database: psycopg.Connection) -> None:
    """Only a word that is itself a phrase ("cough" of a cough syrup) is one."""
    words = [word for (word,) in database.execute("select word from public.catalogue_words").fetchall()]
    phrases = {
        phrase
        for (phrase,) in database.execute(
            "select joined from public.complaint_phrases union select joined from public.condition_phrases"
        ).fetchall()
    }
    found = database.execute(
        "select w from unnest(%s::text[]) as w cross join lateral private.find_terms(array[w], array[false])",
        [words],
    ).fetchall()
    assert {word for (word,) in found} <= phrases


def test_a_word_of_the_language_is_heard_only_by_its_sound(database: psycopg.Connection) -> None:
    distance = "select distance from private.find_terms(array[%s], array[%s])"
    assert database.execute(distance, ["haedache", True]).fetchall() == [(0,)]
    assert database.execute(distance, ["heradache", False]).fetchall() == [(1,)]
    assert database.execute(distance, ["heradache", True]).fetchall() == []


def test_a_longer_phrase_is_another_complaint_than_what_is_in_it(database: psycopg.Connection) -> None:
    assert conditions(database, "dard") == ["body pain"]
    assert conditions(database, "sir dard aur pet dard") == ["headache", "acidity"]
    assert conditions(database, "potty") == ["diarrhoea"]
    assert conditions(database, "potty nahi") == ["constipation"]


def test_a_new_phrase_is_heard_at_once_and_misspelt(database: psycopg.Connection) -> None:
    assert heard(database, "kharkharahat") == []
    database.execute(
        "insert into public.complaint_phrases (phrase_key, condition) values ('kharkharahat', 'cough')"
    )
    assert heard(database, "kharkharahat") == [("cough", 0)]
    assert heard(database, "kharkhrahat") == [("cough", 1)]
    database.execute(
        "update public.complaint_phrases set phrase_key = 'gurgurahat' where phrase_key = 'kharkharahat'"
    )
    assert heard(database, "gurgurahatt") == [("cough", 0)]
    assert heard(database, "kharkharahat") == []


def test_the_phrases_of_a_rule_set_are_heard_while_it_is_in_force(database: psycopg.Connection) -> None:
    (before,) = row(database, "select version from public.rule_sets where status = 'active'")
    (draft,) = row(
        database,
        "insert into public.rule_sets (version, source) values ('test-phrases', 'test')"
        " returning rule_set_id",
    )
    for table in (
        "drug_classes",
        "allergy_rules",
        "interaction_rules",
        "condition_rules",
        "ingredient_limits",
        "condition_terms",
    ):
        _copy_rules(database, table, draft)
    database.execute(
        "update public.condition_terms set phrases = array['wobbliness']"
        " where rule_set_id = %s and condition = 'fever'",
        [draft],
    )
    assert heard(database, "wobbliness") == []
    database.execute("select private.activate_rule_set('test-phrases')")
    assert heard(database, "wobblness") == [("fever", 1)]
    assert heard(database, "ताप") == [], "a phrase of the set before"
    database.execute("select private.activate_rule_set(%s)", [before])
    assert heard(database, "wobbliness") == []
    assert heard(database, "ताप") == [("fever", 0)]


def _copy_rules(database: psycopg.Connection, table: str, draft: int) -> None:
    """The rules in force, once more in the draft."""
    columns = ", ".join(
        name
        for (name,) in database.execute(
            """
            select column_name from information_schema.columns
            where table_schema = 'public' and table_name = %s and is_generated = 'NEVER'
              and column_name <> 'rule_set_id'
            """,
            [table],
        )
    )
    database.execute(
        f"insert into public.{table} (rule_set_id, {columns}) select %s, {columns} from public.{table}"
        " where rule_set_id = private.active_rule_set_id()",
        [draft],
    )


@pytest.mark.parametrize("message", ["hedache", "डोकेदूखीसाठी काहीतरी द्या", "mujhe bukhaar hai dawai do"])
def test_a_misspelt_complaint_is_offered_something(stack: RunningStack, message: str) -> None:
    with new_patient(stack) as api:
        card = Conversation(api).card(message)
    assert card["type"] == "clarification"
    assert "MED001" in {option["product_id"] for option in card["options"]}


def test_what_is_a_complaint_as_it_stands_is_no_misspelt_medicine(stack: RunningStack) -> None:
    """With a medicine of nearly the same name on the shelf, "asidity" is still the complaint."""
    with psycopg.connect(stack.database_url) as database, database.transaction(force_rollback=True):
        database.execute(
            """
            insert into public.products (
              product_id, product_name, active_ingredient, strength, form, pack_unit, units_per_pack, unit,
              package_size, price, prescription_required, schedule, category, manufacturer
            )
            values ('TEST-ASIDIT', 'Asidita', 'Ranitidine', '150 mg', 'tablet', 'strip', 10, 'tablet',
              '10 Tablets', 10, false, 'OTC', 'Gastro', 'Test')
            """
        )
        (user_id,) = row(database, "select user_id from public.patients where patient_id = 'PAT001'")
        database.execute("select set_config('request.jwt.claim.sub', %s, true)", [str(user_id)])
        (context,) = row(database, """select public.chat_context('[["asidity", false]]')""")
    assert [term["condition"] for term in context["terms"]] == ["acidity"]
    assert "TEST-ASIDIT" not in {mention["product_id"] for mention in context["mentions"]}


def test_of_phrases_that_share_words_the_first_counts(database: psycopg.Connection) -> None:
    """ "dard ki dawai" is a phrase as well, and longer than "sir dard"."""
    found = "select first, length, condition from private.find_terms(%s, %s)"
    words = ["sir", "dard", "ki", "dawai"]
    assert database.execute(found, [words, [True] * 4]).fetchall() == [(1, 2, "headache")]


def test_a_complaint_repeated_without_end_is_verified_a_few_times(database: psycopg.Connection) -> None:
    found = database.execute(
        "select count(*) from private.find_terms(%s, %s)", [["dard", "nahi"] * 200, [True] * 400]
    ).fetchone()
    assert found == (12,)
