"""What is said in the measurement: conversations of every kind, in three languages.

`{brand}`, `{product}` and `{misspelt}` stand for names of the catalogue at hand: of a larger one, its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Dialogue:
    kind: str
    turns: tuple[str, ...]
    patient: str | None = "rahul@example.com"
    """Who says it; None is somebody new, who has bought nothing yet."""


RAHUL, AMIT, MEERA, SNEHA = (f"{name}@example.com" for name in ("rahul", "amit", "meera", "sneha"))

_SAID: dict[str, tuple[str, ...]] = {
    "orders": (
        "2 strips of dolo 650",
        "get me 3 packs of cetirizine and one omez",
        "I need metformin for 2 months twice a day and a bottle of betadine please",
        "mala dolo 650 pahije don patti",
        "मुझे क्रोसिन की दो स्ट्रिप भेज दो",
        "डोलो ६५० ची २ पाकिटे आणि ओआरएस द्या",
        "paracetamol 650",
        "vitamin d3 60k and shelcal and becosules, 1 each",
    ),
    "brands": (
        "2 strips of {product}",
        "{brand}",
        "{brand} chahiye do patte",
        "3 {misspelt} and one {product}",
    ),
    "misspellings": (
        "paracetmol",
        "azithromicin 500",
        "2 strip cetrizin and panttoprazole",
        "metfromin 500 chahiye",
        "send ciproflaxcin and amoxycilin",
        "एझिथ्रोमायसीन पाहिजे",
    ),
    "complaints": (
        "something for headache",
        "i have fever and cough since yesterday, please suggest some medicine",
        "sir dard ki dawai chahiye",
        "pet mein gas hai, dawai batao",
        "डोकेदुखीसाठी काहीतरी द्या",
        "मुझे बुखार और खांसी है",
        "hedache",
        "loose motion ho rahe hain",
    ),
    "conditions": (
        "my diabetes stuff",
        "bp ki goli bhej do",
        "माझी बीपीची गोळी हवी आहे",
        "my sugar and bp medicines",
    ),
    "refills": ("refill my usual", "meri roz ki dawai phir se bhej do", "माझी नेहमीची औषधे पाठवा"),
    "questions": (
        "how much is crocin?",
        "can i take ibuprofen with my metformin?",
        "kya main brufen aur dolo saath le sakta hoon?",
        "where is my order?",
    ),
    "talk": ("hello", "kya haal hai bhaiya sab theek", "what is the weather like in pune today"),
}

_EDITS: tuple[tuple[str, ...], ...] = (
    ("2 strips of dolo 650", "make it 3", "add one omez", "remove the dolo", "no"),
    ("crocin", "the first one", "actually make it 2 strips"),
    ("मुझे दो ओआरएस चाहिए", "एक और जोड़ दो", "रहने दो"),
)
_ORDERED: tuple[tuple[str, ...], ...] = (
    ("one strip of dolo 650", "yes"),
    ("ors sachets 2 box", "haan bhej do"),
    ("मला बेटाडीन पाहिजे", "होय"),
)


def dialogues(brands: Sequence[str], products: Sequence[str]) -> Iterator[Dialogue]:
    """All of them, each kind said by several patients: with medicines, allergies and conditions."""
    speakers = (RAHUL, AMIT, MEERA, SNEHA)
    for kind, said in _SAID.items():
        for place, message in enumerate(said):
            product, brand = products[place % len(products)], brands[place % len(brands)]
            message = message.format(product=product, brand=brand, misspelt=misspelt(brand))
            yield Dialogue(kind, (message,), speakers[place % len(speakers)])
    yield from [Dialogue("edits", turns) for turns in _EDITS]
    yield from [Dialogue("confirmations", turns, None) for turns in _ORDERED]


def misspelt(word: str) -> str:
    """One letter left out, from the middle."""
    place = len(word) // 2
    return word[:place] + word[place + 1 :]
