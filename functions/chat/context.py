"""What the database knows that matters to one message: the first round trip of a turn, as dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from functions.chat.understanding.words import normalise

MentionKind = Literal["name", "alias", "ingredient", "stem"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that a message may mean, with this patient's history of it."""

    product_id: str
    product_name: str
    active_ingredient: str
    manufacturer: str
    schedule: str
    strength: str
    form: str
    pack_unit: str
    units_per_pack: int
    unit: str
    package_size: str
    price: Decimal
    stock_quantity: int
    on_prescription: bool
    last_bought_at: str | None
    """ISO 8601; comparable as text."""
    last_packs: int | None
    units_per_day: float | None
    """As prescribed, else as bought last; None when it is not known or only as needed."""

    def option(self) -> dict[str, Any]:
        """As a clarification card offers it."""
        return {
            "product_id": self.product_id,
            "product_name": self.product_name,
            "price": float(self.price),
            "package_size": self.package_size,
        }


@dataclass(frozen=True, slots=True)
class Span:
    """Words `first` to `first + length - 1` of the message fit a name of the product."""

    first: int
    length: int
    kind: MentionKind
    distance: int
    """Sounds that had to be changed for the words to fit; 0 is a name as it is written."""
    product_id: str


@dataclass(frozen=True, slots=True)
class Term:
    """Words `first` to `first + length - 1` name a condition or a symptom. `products`: of a condition the
    patient's own medicines for it, of a symptom what may be offered to this patient.
    """

    first: int
    length: int
    condition: str
    kind: Literal["maintenance", "symptom"]
    products: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProposedItem:
    product_id: str
    packs: int


@dataclass(frozen=True, slots=True)
class OpenProposal:
    proposal_id: str
    digest: str
    status: Literal["open", "placed"]
    order_id: str | None
    items: tuple[ProposedItem, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnContext:
    patient_id: str
    preferred_language: str
    conversation_id: str
    own_names: frozenset[str]
    """The words of the patient's own name, in lower case."""
    state: Mapping[str, Any]
    proposal: OpenProposal | None
    spans: tuple[Span, ...]
    products: Mapping[str, Candidate]
    terms: tuple[Term, ...] = ()
    usual: tuple[str, ...] = ()
    """The patient's own long-term medicines, when the message may be about them."""
    advice: tuple[Mapping[str, Any], ...] = ()
    """What the rules say about the products named, when the message asks."""
    last_order: Mapping[str, Any] | None = None
    refills: tuple[Mapping[str, Any], ...] | None = None
    """The patient's regular medicines as GET /api/refills tells them; None when the message did not ask."""

    @property
    def has_open_proposal(self) -> bool:
        return self.proposal is not None and self.proposal.status == "open"

    @property
    def proposed(self) -> tuple[ProposedItem, ...]:
        """What is on the latest proposal; nothing without one."""
        return self.proposal.items if self.proposal else ()

    @property
    def topic(self) -> str | None:
        """The one product that was asked about last: "how much is it?", "send two"."""
        topic = self.state.get("topic")
        return str(topic["product_id"]) if topic else None

    @property
    def awaiting(self) -> Mapping[str, Any]:
        """The question that was asked last: {kind: profile, field} or {kind: choice, options, ...}; or {}."""
        return self.state.get("awaiting") or {}


def read_context(data: Mapping[str, Any]) -> TurnContext:
    """Read the answer of the SQL function `chat_context`."""
    proposal = data["proposal"]
    topic = data["state"].get("topic")
    products = ({topic["product_id"]: topic} if topic else {}) | data["products"]
    return TurnContext(
        patient_id=data["patient"]["patient_id"],
        preferred_language=data["patient"]["preferred_language"],
        conversation_id=data["conversation_id"],
        own_names=frozenset(normalise(data["patient"]["name"]).split()),
        state=data["state"],
        proposal=OpenProposal(
            proposal_id=proposal["proposal_id"],
            digest=proposal["digest"],
            status=proposal["status"],
            order_id=proposal["order_id"],
            items=tuple(ProposedItem(item["product_id"], item["qty"]) for item in proposal["items"]),
        )
        if proposal
        else None,
        spans=tuple(
            Span(m["first"] - 1, m["length"], m["kind"], m["distance"], m["product_id"])
            for m in data["mentions"]
        ),
        products={product_id: _candidate(product) for product_id, product in products.items()},
        terms=tuple(
            Term(t["first"] - 1, t["length"], t["condition"], t["kind"], tuple(t["products"]))
            for t in data["terms"]
        ),
        usual=tuple(data["usual"]),
        advice=tuple(data["advice"]),
        last_order=data["last_order"],
        refills=tuple(data["refills"]) if "refills" in data else None,
    )


def _candidate(product: Mapping[str, Any]) -> Candidate:
    known = {name: product[name] for name in Candidate.__slots__ if name != "price"}
    return Candidate(**known, price=Decimal(str(product["price"])))
