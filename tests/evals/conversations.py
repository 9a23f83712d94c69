"""The set: what is said, and which answers are right.

One conversation is one JSON line of `conversations/*.jsonl`. A turn's `expect` is one expectation or a list
of them; a list means that each of them is equally right. An expectation names exactly one *kind*:

| kind | the answer | the database |
|---|---|---|
| `order` {product: packs} | an order card with exactly these items | nothing new |
| `placed` {product: packs} | an order status with exactly these items | one new order with exactly them |
| `again` true | no order card; an order status only of an order placed before | nothing new |
| `refuses` {product: code} | a safety alert that rejects exactly these | nothing new |
| `options` {include, exclude, only} | a question with these products to choose from | nothing new |
| `asks` true | a question or a plain reply, no card of items | nothing new |
| `no_sale` true | anything but an order card or an order status | nothing new |
| `card` type, null or a list of both | one of these card types | nothing new |

A product written `MED014?` may be there or not, `$1` is the first option of the last question; packs may be a
list of right numbers; codes may be joined with `|`. Beside the kind an expectation may ask for `rejected`,
`warnings`, `says`, `notes` and so on. Whatever is expected, `safety.py` judges every turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

FOLDER = Path(__file__).parent / "conversations"

CardType = Literal[
    "order_confirmation",
    "clarification",
    "safety_alert",
    "order_status",
    "order_tracking",
    "refill_list",
    "emergency",
]
Packs = int | list[int]
Language = Literal["en", "hi", "mr"]

KINDS = ("order", "placed", "again", "refuses", "options", "asks", "no_sale", "card")


def _as_tuple(value: object) -> object:
    if isinstance(value, str) or value is None:
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Options(_Part):
    """Which products a question may offer."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    """Not safe, or not meant: offering one of them is an unsafe outcome."""
    only: tuple[str, ...] = ()


class Expectation(_Part):
    """One right answer to one turn."""

    order: dict[str, Packs] | None = None
    placed: dict[str, Packs] | None = None
    again: Literal[True] | None = None
    refuses: dict[str, str] | None = None
    options: Options | None = None
    asks: Literal[True] | None = None
    no_sale: Literal[True] | None = None
    card: Annotated[tuple[CardType | None, ...], BeforeValidator(_as_tuple)] | None = None

    rejected: dict[str, str] | None = None
    """Left out of the order card, with their codes."""
    warnings: tuple[str, ...] = ()
    """Codes that the items' warnings must contain."""
    says: Texts = ()
    """Regular expressions that the reply must match, whatever their case."""
    says_not: Texts = ()
    notes: bool = False
    """The card carries a note, for example about rounding to packs."""
    status: tuple[str, ...] | str = "confirmed"
    """Of a placed order."""
    script: Literal["Deva", "Latn", "any"] | None = None
    """Of the reply; by default that of the message."""

    @model_validator(mode="before")
    @classmethod
    def _one_kind(cls, data: dict[str, Any]) -> dict[str, Any]:
        kinds = [kind for kind in KINDS if kind in data]
        if len(kinds) != 1:
            raise ValueError(f"an expectation has exactly one of {', '.join(KINDS)}; this one has {kinds}")
        return data

    @cached_property
    def kind(self) -> str:
        return next(kind for kind in KINDS if kind in self.model_fields_set)

    def resolved(self, options: list[str]) -> Self:
        """With `$1`, `$2` and so on replaced by the products of the last question."""
        numbered = {f"${number}": product for number, product in enumerate(options, start=1)}

        def named(items: dict[str, Packs]) -> dict[str, Packs]:
            return {numbered.get(product, product): packs for product, packs in items.items()}

        update = {kind: named(getattr(self, kind)) for kind in ("order", "placed") if getattr(self, kind)}
        return self.model_copy(update=update)

    @property
    def items(self) -> dict[str, tuple[int, ...]] | None:
        """Required product -> right numbers of packs, of an order card or a placed order."""
        return _packs(self.order if self.placed is None else self.placed, optional=False)

    @property
    def optional_items(self) -> dict[str, tuple[int, ...]]:
        return _packs(self.order if self.placed is None else self.placed, optional=True) or {}

    @property
    def products(self) -> set[str]:
        """Every product that the order card or the order may hold."""
        return set(self.items or {}) | set(self.optional_items)


class Before(_Part):
    """What happens in the world before a turn."""

    expire: bool = False
    """The open proposals' half hour is over."""
    prices: dict[str, float] = {}
    stock: dict[str, int] = {}
    """Sellable packs of a product."""
    reject_prescription: str | None = None


class Turn(_Part):
    say: str
    language: Language | None = None
    device: int = 1
    """Each device has a conversation of its own on the server."""
    before: Before = Before()
    expect: Annotated[tuple[Expectation, ...], BeforeValidator(lambda v: v if isinstance(v, list) else [v])]


class Profile(_Part):
    """What the patient has told so far; a field left out stays as it is."""

    age: int | None = Field(default=None, ge=0, le=120)
    allergies: list[str] | None = None
    conditions: list[str] | None = None


class Final(_Part):
    """The patient's rows after the last turn."""

    orders: int | None = None
    open_proposals: int | None = None
    age: int | None = None
    allergies: list[str] | None = None


class Conversation(_Part):
    id: str
    group: str
    patient: str
    """`PAT001` to `PAT012`, or `NEW` for somebody who has just registered and told nothing."""
    kind: str | None = None
    """Of an attack."""
    language: Language | None = "en"
    """What the frontend sends; null sends none."""
    profile: Profile | None = None
    allowed: tuple[str, ...] = ()
    """Products that may appear on order cards although no expectation names them."""
    turns: Annotated[tuple[Turn, ...], Field(min_length=1)]
    final: Final | None = None

    @model_validator(mode="after")
    def _group_in_id(self) -> Self:
        if not self.id.startswith(self.group):
            raise ValueError(f"the id {self.id!r} does not start with its group {self.group!r}")
        return self


def load(folder: Path = FOLDER) -> list[Conversation]:
    """All conversations in the order of the files; ValueError names the line that is wrong."""
    found: dict[str, Conversation] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                conversation = Conversation.model_validate(json.loads(line))
                if conversation.id in found:
                    raise ValueError(f"the id {conversation.id} is taken")
            except (ValidationError, ValueError) as error:
                raise ValueError(f"{path.name}:{number}: {error}") from error
            found[conversation.id] = conversation
    return list(found.values())


def chosen(
    conversations: Iterable[Conversation], *, groups: Iterable[str] = (), ids: Iterable[str] = ()
) -> list[Conversation]:
    """Those of the groups and with the ids; all of them when neither is given."""
    wanted_groups, wanted_ids = set(groups), set(ids)
    if not wanted_groups and not wanted_ids:
        return list(conversations)
    return [one for one in conversations if one.group in wanted_groups or one.id in wanted_ids]


def _packs(named: dict[str, Packs] | None, *, optional: bool) -> dict[str, tuple[int, ...]] | None:
    if named is None:
        return None
    return {
        product.removesuffix("?"): (packs,) if isinstance(packs, int) else tuple(packs)
        for product, packs in named.items()
        if product.endswith("?") is optional
    }
