"""Which interpreter has the say, and what of a model's claim is believed.

The lexical interpreter reads every message. A model is asked when that leaves something open (NLU_MODE=auto),
or whenever a message may mean an order or a question (gemini). What it claims only selects, counts and
classifies what the catalogue heard in the patient's own words:

- It can confirm nothing and answer no question about the patient; nor does it overrule a reason not to sell.
- A medicine counts when the claim quotes the patient's words for it. One that the catalogue heard there too
  keeps the products it heard; one that only the model heard is a guess, so the patient is asked.
- A number counts when the patient said it. Where two readings of it differ, the patient is asked.

No text of a model reaches a reply: names are shown in the patient's words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from functions.chat.context import TurnContext
from functions.chat.masking import masked
from functions.chat.understanding.agreement import is_refusal
from functions.chat.understanding.gemini import Claim, Gemini, NamedMedicine
from functions.chat.understanding.interpretation import Interpretation, Mention, Quantity
from functions.chat.understanding.lexical import interpret
from functions.chat.understanding.quantities import LIKELY_PACKS, number_at
from functions.chat.understanding.reading import Reading
from functions.chat.understanding.vocabulary import load_vocabulary
from functions.chat.understanding.words import Word, split
from shared.gemini import Answer, ModelUnavailable, UnusableAnswer
from shared.settings import get_settings

Mode = Literal["auto", "lexical", "gemini"]

_OPEN = frozenset({"order", "edit", "product_question", "question", "greeting", "unclear"})
"""Lexical intents that a model may refine. The others confirm, answer for the patient, or stop a sale."""
_SHORT_MESSAGE = 12
"""Words of a message that is about nothing but a strength."""
Watch = Callable[[str, str], AbstractContextManager[Callable[["Asked"], None]]]
"""Told the model and the masked message while it is asked, then how that went."""


@dataclass(frozen=True, slots=True)
class Interpreters:
    """What a process understands messages with."""

    mode: Mode = "lexical"
    model: Gemini | None = None

    def wanted(self, lexical: Interpretation, context: TurnContext) -> Gemini | None:
        """The model to ask about a message, if any. While the patient is asked about age, allergies or
        conditions no message leaves: what is said then is about the patient's health.
        """
        if self.mode == "lexical" or lexical.intent not in _OPEN:
            return None
        if context.awaiting.get("kind") == "profile":
            return None
        is_explained = lexical.confidence >= 1 and lexical.intent != "unclear"
        return None if self.mode == "auto" and is_explained else self.model


LEXICAL = Interpreters()


@dataclass(frozen=True, slots=True)
class Asked:
    """How asking a model went, for the record of the turn: no text of it."""

    outcome: Literal["answered", "open", "slow", "down", "unusable"]
    answer: Answer[Claim] | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    interpretation: Interpretation
    context: TurnContext
    """With the products of what only the model heard."""
    asked: Asked | None = None

    @property
    def by(self) -> str:
        """Who had the say: `lexical`, `gemini`, or `lexical, gemini <what went wrong>`."""
        if self.asked is None:
            return "lexical"
        return "gemini" if self.asked.outcome == "answered" else f"lexical, gemini {self.asked.outcome}"


def understand(
    message: str,
    words: Sequence[Word],
    context: TurnContext,
    interpreters: Interpreters,
    *,
    look_up: Callable[[Sequence[Word]], TurnContext],
    personal: Callable[[], Iterable[str]],
    watch: Watch,
) -> Understood:
    """What a message means. `look_up` reads the context for other words, `personal` what must not leave; both
    are called only for a model.
    """
    lexical = interpret(words, context)
    if (about := _variant_of(words, lexical, context)) is not None:
        wider = look_up(about)
        other = interpret(about, wider)
        if other.intent in ("order", "edit") and any(mention.strength for mention in other.mentions):
            return Understood(other, wider)
    model = interpreters.wanted(lexical, context)
    if model is None:
        return Understood(lexical, context)
    question = masked(message, context.spans, personal())
    with watch(model.model, question) as record:
        asked = _ask(model, question)
        record(asked)
    if asked.answer is None:
        return Understood(lexical, context, asked)
    believed, wider = believe(asked.answer.content, words, lexical, context, look_up)
    return Understood(believed, wider, asked)


def _variant_of(words: Sequence[Word], lexical: Interpretation, context: TurnContext) -> list[Word] | None:
    """ "No, the 500": a strength and no name is about the one medicine on the card. The message with its name
    in front, to look up its other strengths; None for any other message.
    """
    if context.awaiting:
        return None
    is_open = lexical.intent in ("unclear", "decline", "change_quantity", "edit", "product_question")
    is_named = any(span.distance == 0 for span in context.spans)
    if not is_open or is_named or not context.has_open_proposal or len(context.proposed) != 1:
        return None
    proposed = context.products.get(context.proposed[0].product_id)
    strengths = {number for number in _numbers(words) if number > LIKELY_PACKS}
    if proposed is None or not strengths or len(words) > _SHORT_MESSAGE or lexical.quantity is not None:
        return None
    first = replace(words[0], after_break=True, after_stop=True)
    rest = list(words[1:])
    if rest and is_refusal([words[0].text], load_vocabulary()):
        rest[0] = replace(rest[0], after_break=True)  # "no the 500"
    return [*split(proposed.product_name)[:1], first, *rest]


def _ask(model: Gemini, question: str) -> Asked:
    try:
        return Asked("answered", model.ask(question))
    except ModelUnavailable as error:
        return Asked(error.why)
    except UnusableAnswer:
        return Asked("unusable")


def believe(
    claim: Claim,
    words: Sequence[Word],
    lexical: Interpretation,
    context: TurnContext,
    look_up: Callable[[Sequence[Word]], TurnContext],
) -> tuple[Interpretation, TurnContext]:
    """The lexical interpretation as a model's claim may change it, and the context that it refers to."""
    if claim.intent in ("red_flag", "decline", "for_someone_else", "report"):
        return Interpretation(claim.intent), context
    if claim.intent in ("greeting", "unclear"):
        return lexical, context
    if claim.intent == "order" and lexical.intent in ("question", "product_question"):
        return lexical, context
    mentions: list[Mention] = []
    left = [mention for mention in lexical.mentions if mention.candidates]
    for medicine in claim.medicines:
        if not _is_quoted(medicine, words):
            continue
        heard = next((mention for mention in left if _is_same(mention, medicine)), None)
        if heard is not None:
            left.remove(heard)
            mentions.append(_counted(heard, medicine, words))
        elif not lexical.symptoms and not lexical.missing:
            guess, context = _guess(medicine, words, context, look_up)
            mentions.append(guess)
    if not mentions:
        return lexical, context
    is_edit = claim.intent == "order" and lexical.intent == "edit"
    intent = lexical.intent if is_edit else claim.intent
    return replace(lexical, intent=intent, mentions=tuple(mentions)), context


def _is_quoted(medicine: NamedMedicine, words: Sequence[Word]) -> bool:
    """Whether `said` stands in the message and is more than language: "please" names no medicine."""
    texts = [word.text for word in words]
    said = [word.text for word in split(medicine.said)]
    stands = any(texts[place : place + len(said)] == said for place in range(len(texts)))
    return stands and bool(_names(said))


def _is_same(mention: Mention, medicine: NamedMedicine) -> bool:
    return bool(_names(mention.said.split()) & _names(word.text for word in split(medicine.said)))


def _names(texts: Iterable[str]) -> set[str]:
    """Words that may name something: neither language nor number."""
    known = load_vocabulary().words
    return {text for text in texts if text not in known and not text.replace(".", "").isdigit()}


def _counted(heard: Mention, medicine: NamedMedicine, words: Sequence[Word]) -> Mention:
    """What the catalogue heard, with the numbers of the claim where the patient said them."""
    strength = heard.strength or _said_strength(medicine, words)
    if medicine.amount is None or strength == str(medicine.amount):
        return replace(heard, strength=strength)
    claimed = Quantity(medicine.amount, medicine.unit)
    is_said = medicine.amount in _numbers(words)
    agrees = heard.quantity is None or heard.quantity == claimed
    return replace(heard, strength=strength, quantity=claimed if is_said and agrees else Quantity(None))


def _guess(
    medicine: NamedMedicine,
    words: Sequence[Word],
    context: TurnContext,
    look_up: Callable[[Sequence[Word]], TurnContext],
) -> tuple[Mention, TurnContext]:
    """What only the model heard: the products that its spelling fits, for the patient to choose from."""
    corrected = [word for word in split(medicine.name) if not word.text.replace(".", "").isdigit()]
    found = look_up(corrected)
    fitting = Reading(corrected, found, load_vocabulary()).mentions()
    candidates = dict.fromkeys(product_id for mention in fitting for product_id in mention.candidates)
    said = " ".join(word.text for word in split(medicine.said))
    unknown = Mention(said=said, candidates=tuple(candidates), is_guess=True)
    wider = replace(context, products={**found.products, **context.products})
    return _counted(unknown, medicine, words), wider


def _said_strength(medicine: NamedMedicine, words: Sequence[Word]) -> str | None:
    numbers = [word.text for word in split(medicine.strength or "") if word.text.replace(".", "").isdigit()]
    said = {word.text for word in words}
    return numbers[0] if len(numbers) == 1 and numbers[0] in said else None


def _numbers(words: Sequence[Word]) -> set[int]:
    """Every whole number that the message says, in digits or in words."""
    texts = [word.text for word in words]
    found = (number_at(texts, place, load_vocabulary()) for place in range(len(texts)))
    return {number.value for number in found if number is not None and number.value is not None}


@lru_cache(maxsize=1)
def get_interpreters() -> Interpreters:
    """As NLU_MODE and GEMINI_API_KEY say; without a key everything is understood lexically."""
    settings = get_settings()
    if not settings.gemini_api_key or settings.nlu_mode == "lexical":
        return LEXICAL
    model = Gemini(
        api_key=settings.gemini_api_key,
        model=settings.gemini_model,
        base_url=settings.gemini_base_url,
        timeout_seconds=settings.gemini_timeout_seconds,
    )
    return Interpreters(settings.nlu_mode, model)
