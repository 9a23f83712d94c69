"""Reading one message: which of its words name medicines, and which quantity belongs to each."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace

from rapidfuzz.distance import OSA

from functions.chat.context import Candidate, Span, Term, TurnContext
from functions.chat.understanding.interpretation import Mention, Quantity, Symptom
from functions.chat.understanding.quantities import (
    LIKELY_PACKS,
    Count,
    Frequency,
    counts,
    frequencies,
    number_at,
    quantity_of,
)
from functions.chat.understanding.sounds import bones, sound_of
from functions.chat.understanding.vocabulary import (
    Phrases,
    Vocabulary,
    contains_any,
    is_common,
    load_vocabulary,
    starts_with_any,
    without,
)
from functions.chat.understanding.words import Word, is_devanagari, normalise

_SHORT = 5
"""Letters. In a word this short one sound off is another word; in a longer one it is a slip. Two sounds off
may be another medicine in any word (prednisone, prednisolone)."""
_MOST_UNKNOWN_WORDS = 3
_BUT = frozenset((word,) for word in ("but", "so", "then", "with"))
"""What parts a sentence without adding to a list."""
_SWAP = frozenset({"swap", "replace", "exchange", "switch"})
_ALIKE = 0.7
_BONES = 4
"""Consonants by which a name in Devanagari is known whatever its vowels; with fewer the patient is asked."""
_VERB = re.compile(
    "(?:na|ne|ni|ta|ti|te|to|ga|gi|ge|la|li|le|lo|ya|ye|yla|oy|ay|un|ar|aar|nar|ch|ach|och)$"
    "|(?:ना|ने|नी|ता|ती|ते|तो|गा|गी|गे|ला|ली|ले|लो|लं|या|ये|ये|यला|यचं|तय|तोय|तेय|णार|ून|च|तो|णं|णे|ं)$"
)
"""How most Hindi and Marathi verbs end: what stands behind a name is then no part of it."""


@dataclass(slots=True)
class _Found:
    """A named medicine while what belongs to it is still being looked for."""

    first: int
    last: int
    candidates: tuple[Candidate, ...]
    is_far_fetched: bool
    """Too far from any name, or only the first word of one, to be taken for it without asking."""
    counts: list[Count] = field(default_factory=list)
    quantity: Quantity | None = None
    frequency: Frequency | None = None
    strength: str | None = None
    forms: tuple[str, ...] = ()
    is_negated: bool = False
    is_told: bool = False
    """Only spoken of: taken, bought or not agreed with before."""
    is_alternative: bool = False
    """One of several that were named with "or"."""
    has_strange_neighbour: bool = False
    """A word that nothing explains stands right beside the name: "insulin lispro" is not insulin glargine."""

    @property
    def is_guess(self) -> bool:
        return self.is_far_fetched or self.has_strange_neighbour

    @property
    def name_words(self) -> set[str]:
        return {word for candidate in self.candidates for word in normalise(candidate.product_name).split()}

    @property
    def strengths(self) -> set[str]:
        return set().union(*(strength_numbers(candidate) for candidate in self.candidates))


class Reading:
    """The mentions of a message. Segments are what commas, line ends and words like "and" cut; a quantity
    stays within its segment, before the names if the segment starts with one, else after them.
    """

    def __init__(self, words: Sequence[Word], context: TurnContext, vocabulary: Vocabulary) -> None:
        self._words = words
        self._texts = [word.text for word in words]
        self._vocabulary = vocabulary
        self._runs: dict[tuple[int, int], list[Span]] = {}
        self._products = context.products
        self._own_names = context.own_names
        in_terms = {p for term in context.terms for p in range(term.first, term.first + term.length)}
        self._found = self._names(context.spans, in_terms)
        self._used = {place for found in self._found for place in range(found.first, found.last + 1)}
        self._taken_back = self._numbers_taken_back()
        self._terms = self._named_terms(context.terms)
        self._often = frequencies(self._texts, vocabulary)
        self._in_frequency = {
            place for often in self._often for place in range(often.place, often.place + often.length)
        }
        self._segments = self._cut()
        self._loose: dict[int, Quantity] = {}
        self._read_segments()

    def mentions(self) -> tuple[Mention, ...]:
        """What is wanted, in the order of the message, each once; what was named but is unknown has no
        candidates, and a condition stands for the patient's own medicines for it.
        """
        is_refill = contains_any(self._texts, self._vocabulary.refill)
        wanted = [
            (found.first, replace(self._mention(found), is_refill=is_refill))
            for found in self._with_alternatives()
            if not found.is_negated
            and not found.is_told
            and not (found.is_far_fetched and not self._is_wanted(found))
        ]
        wanted += [(first, Mention(said=said, candidates=())) for first, said in self._unknown_names()]
        named = {candidate.product_id for found in self._found for candidate in found.candidates}
        for term in self._terms:
            if term.kind == "maintenance" and not self._is_named_for(term) and self._is_asked_for(term):
                quantity = self._loose.get(self._segments[term.first])
                wanted += [
                    (term.first, Mention(self._said(term), (product_id,), quantity, is_refill=True))
                    for product_id in self._of_form(term)
                    if product_id not in named
                ]
        wanted.sort(key=lambda item: item[0])
        return tuple(dict.fromkeys(mention for _, mention in wanted))

    def _with_alternatives(self) -> list[_Found]:
        """ "Dolo or crocin" is one of the two, and the patient is asked which."""
        merged: list[_Found] = []
        aside = self._vocabulary.filler | self._vocabulary.pack_unit | self._vocabulary.genitive
        for found in self._found:
            before = merged[-1] if merged else None
            between = self._texts[before.last + 1 : found.first] if before else []
            beside = without(between, self._vocabulary.alternative)
            says_or = contains_any(between, self._vocabulary.alternative) and all(
                (text,) in aside | self._vocabulary.alternative
                or text in self._vocabulary.numbers
                or text.isdigit()
                for text in beside
            )
            if before and says_or and not before.is_negated and not found.is_negated:
                both = dict.fromkeys((*before.candidates, *found.candidates))
                merged[-1] = replace(
                    before,
                    last=found.last,
                    candidates=tuple(both),
                    is_alternative=True,
                    quantity=before.quantity or found.quantity,
                    strength=None,
                    forms=(),
                )
            else:
                merged.append(found)
        return merged

    def is_asked_for(self) -> bool:
        """Whether the message orders: by a verb, a quantity or a refill, or because it is nothing but names
        and the language around them. "The iron in my flat stopped working" names one all the same.
        """
        vocabulary = self._vocabulary
        asks = vocabulary.order | vocabulary.refill | vocabulary.correction
        if contains_any(self._texts, asks) or any(found.quantity for found in self._found):
            return True
        told = {
            self._segments[place]
            for place in range(len(self._texts))
            if self._is_strange(place)
            and not any(
                found.last < place <= found.last + 2 and self._continues(found, found.last + 1)
                for found in self._found
            )
        }
        return any(self._segments[found.first] not in told for found in self._found)

    def _is_named_for(self, term: Term) -> bool:
        """ "Sugar tablets, metformin": the medicine named for it is the one that is meant; "sugar tablets and
        insulin", "sugar tablets, insulin as well" are both."""
        for found in self._found:
            if {candidate.product_id for candidate in found.candidates} & set(term.products):
                between = self._texts[min(term.first, found.last) + 1 : max(term.first, found.first)]
                is_added = starts_with_any(self._texts, found.last + 1, self._vocabulary.add) > 0
                if not is_added and not contains_any(between, self._vocabulary.separator):
                    return True
        return False

    def named(self) -> tuple[Mention, ...]:
        """Every medicine that is named, wanted or not: what a question is about."""
        return tuple(self._mention(found) for found in self._found if not found.is_far_fetched)

    def forms(self) -> tuple[str, ...]:
        """The forms that are said anywhere: "my inhaler"."""
        said = [form for text in self._texts for form in self._vocabulary.forms.get(text, ())]
        return tuple(form for form in dict.fromkeys(said) if form not in ("tablet", "capsule"))

    def removed(self) -> tuple[Mention, ...]:
        """What is named only to be left out: "not the crocin"."""
        wanted = {c.product_id for found in self._found if not found.is_negated for c in found.candidates}
        refused = [found for found in self._found if found.is_negated]
        return tuple(
            self._mention(found)
            for found in refused
            if not wanted & {candidate.product_id for candidate in found.candidates}
        )

    def symptoms(self) -> tuple[Symptom, ...]:
        """Complaints that something is wanted for. Beside a named medicine a complaint is only its reason."""
        return tuple(
            Symptom(
                self._said(term), term.products, self._amount(self._loose.get(self._segments[term.first]))
            )
            for term in self._terms
            if term.kind == "symptom" and self._is_asked_for(term)
        )

    def _amount(self, quantity: Quantity | None) -> Quantity | None:
        """ "A fever for three days" says nothing of how much is wanted."""
        return None if quantity is not None and quantity.of == "days" else quantity

    def plain_texts(self) -> list[str]:
        """The words without those that name a medicine: the "pan" of "Pan D" is no other "pan"."""
        return ["" if place in self._used else text for place, text in enumerate(self._texts)]

    def missing(self) -> tuple[str, ...]:
        """Conditions that something is wanted for, but the patient has no medicine for."""
        return tuple(
            self._said(term)
            for term in self._terms
            if term.kind == "maintenance" and self._is_asked_for(term) and not self._of_form(term)
        )

    def explained(self) -> float:
        """Share of the words that are language, a name, or part of a quantity."""
        known = sum(
            place in self._used
            or text in self._vocabulary.words
            or text.isdigit()
            or any(term.first <= place < term.first + term.length for term in self._terms)
            for place, text in enumerate(self._texts)
        )
        return round(known / len(self._texts), 2) if self._texts else 0.0

    def is_for_a_name(self) -> bool:
        """ "dolo for raju": the word after "for" is neither language nor a medicine."""
        return any(
            text == "for"
            and place + 1 < len(self._texts)
            and self._is_strange(place + 1)
            and self._texts[place + 1] not in self._own_names
            for place, text in enumerate(self._texts)
        )

    def _mention(self, found: _Found) -> Mention:
        return Mention(
            said=" ".join(self._texts[found.first : found.last + 1]),
            candidates=tuple(candidate.product_id for candidate in found.candidates),
            quantity=found.quantity,
            strength=found.strength,
            forms=found.forms,
            is_guess=found.is_guess,
            is_open=found.is_alternative,
            doses_per_day=found.frequency.doses_per_day if found.frequency else None,
            units_per_dose=found.frequency.units_per_dose if found.frequency else 1,
        )

    # Conditions and symptoms

    def _named_terms(self, terms: Sequence[Term]) -> list[Term]:
        """The longest first, none inside a name: the "cough" of "cough syrup" is no complaint."""
        chosen: list[Term] = []
        for term in sorted(terms, key=lambda term: -term.length):
            places = set(range(term.first, term.first + term.length))
            taken = self._used.union(*(range(t.first, t.first + t.length) for t in chosen))
            if not places & taken:
                chosen.append(term)
        return sorted(chosen, key=lambda term: term.first)

    def _is_asked_for(self, term: Term) -> bool:
        segment = self._segments[term.first]
        if any(self._segments[found.first] == segment and not found.is_negated for found in self._found):
            return False
        texts = self._clause(term.first) if not self._found else self._segment(segment)
        sure = [found for found in self._found if not found.is_far_fetched]
        asks = self._vocabulary.order | self._vocabulary.something | self._vocabulary.refill
        if term.kind == "maintenance" or not sure:
            asks = asks | self._vocabulary.own | self._vocabulary.only
        if contains_any(texts, asks):
            return True
        # A complaint by itself asks for help; a condition by itself is only told.
        return not sure and (term.kind == "symptom" or term.length == len(self._texts))

    def _segment(self, segment: int) -> list[str]:
        return [text for text, own in zip(self._texts, self._segments, strict=True) if own == segment]

    def _clause(self, place: int) -> list[str]:
        """The words around a place up to the next comma or full stop: "sugar and bp medicine, please"."""
        stops = [stop for stop, word in enumerate(self._words) if word.after_stop]
        first = max([stop for stop in stops if stop <= place], default=0)
        end = min([stop for stop in stops if stop > place], default=len(self._texts))
        return self._texts[first:end]

    def _said(self, term: Term) -> str:
        return " ".join(self._texts[term.first : term.first + term.length])

    def _of_form(self, term: Term) -> list[str]:
        """ "my asthma inhaler": of the medicines for it those of the form that was said, when one was."""
        segment = self._segments[term.first]
        forms = {
            form
            for text, own in zip(self._texts, self._segments, strict=True)
            if own == segment
            for form in self._vocabulary.forms.get(text, ())
        }
        if not forms or forms <= {"tablet", "capsule"}:
            return list(term.products)
        return [product_id for product_id in term.products if self._products[product_id].form in forms]

    # Names

    def _names(self, spans: Sequence[Span], in_terms: Set[int]) -> list[_Found]:
        """The longest names from left to right. A number in front of a unit of packs or doses belongs to the
        quantity: "vitamin d 3 strips" asks for three strips of vitamin D."""
        by_run: dict[tuple[int, int], list[Span]] = {}
        for span in spans:
            across = any(word.after_stop for word in self._words[span.first + 1 : span.first + span.length])
            # An everyday word is not misspelt: "khaani" is food, whatever syrup sounds like it.
            text = self._texts[span.first]
            across |= span.distance > 0 and span.length == 1 and text.isascii() and is_common(text)
            if not across and not self._ends_in_quantity(span.first, span.length):
                by_run.setdefault((span.first, span.length), []).append(span)
        found: list[_Found] = []
        place = 0
        while place < len(self._texts):
            runs = [(length, fits) for (first, length), fits in by_run.items() if first == place]
            if not runs:
                place += 1
                continue
            length, fits = max(runs, key=lambda run: (run[0], -min(span.distance for span in run[1])))
            far_fetched = self._is_far_fetched(place, length, fits)
            is_by_ear = length == 1 and is_devanagari(self._texts[place])
            if (far_fetched or is_by_ear) and in_terms & set(range(place, place + length)):
                place += 1  # "khansi" is a cough before it is the first word of a cough syrup
                continue
            found.append(_Found(place, place + length - 1, self._one_medicine(fits), far_fetched))
            place += length
        self._runs = by_run
        return self._without_units(_joined(found))

    def _without_units(self, found: list[_Found]) -> list[_Found]:
        """ "पट्टी" is a bandage and a strip: beside another name it is the strip."""
        units = self._vocabulary.pack_unit | self._vocabulary.dose_unit
        named = [one for one in found if tuple(self._texts[one.first : one.last + 1]) not in units]
        # "बीटाडीन और पट्टी": at the head of its own part of the list it is the bandage.
        named += [one for one in found if one not in named and self._leads(one.first)]
        counted = [one for one in found if one not in named and number_before(self._texts, one.first)]
        kept = named or [one for one in found if one not in counted]
        return sorted(kept, key=lambda one: one.first)

    def _leads(self, place: int) -> bool:
        word = self._words[place]
        after = self._texts[place + 1 : place + 2]
        is_counted = number_before(self._texts, place)
        heads = place == 0 or word.after_break or (self._texts[place - 1],) in self._vocabulary.separator
        return heads and not is_counted and not (place == 0 and not after)

    def _ends_in_quantity(self, first: int, length: int) -> bool:
        end = first + length
        if length == 1 or not self._texts[end - 1].isdigit() or _is_large(self._texts[end - 1]):
            return False
        return starts_with_any(self._texts, end, self._vocabulary.pack_unit | self._vocabulary.dose_unit) > 0

    def _is_far_fetched(self, first: int, length: int, spans: Sequence[Span]) -> bool:
        distance = min(span.distance for span in spans)
        texts = self._texts[first : first + length]
        letters = sum(len(text) for text in texts) + sum(is_devanagari(text) for text in texts)
        near = {self._products[span.product_id].active_ingredient for span in spans if not span.distance}
        is_one_product = len({span.product_id for span in spans}) == 1
        is_one_medicine = letters > _SHORT and len(near) == 1 and (near != {"-"} or is_one_product)
        is_only_a_beginning = length == 1 and all(span.kind == "stem" for span in spans)
        is_by_bones = (
            length == 1 and distance > 0 and is_devanagari(texts[0]) and len(bones(texts[0])) < _BONES
        )
        return (
            is_by_bones
            or distance > (0 if letters <= _SHORT else length)
            or (is_only_a_beginning and not is_one_medicine)
        )

    def _one_medicine(self, spans: Sequence[Span]) -> tuple[Candidate, ...]:
        """A full name settles the product. Another exact name settles the medicine: its variants are those
        with the same ingredients, and a combination is no variant of its single ingredient. Beginnings of
        names settle nothing by themselves."""
        nearest = min(span.distance for span in spans)
        near = [span for span in spans if span.distance == nearest]
        named = [span.product_id for span in near if span.kind == "name"]
        if named:
            return tuple(self._products[product_id] for product_id in dict.fromkeys(named))
        every = [self._products[product_id] for product_id in dict.fromkeys(span.product_id for span in near)]
        exact = {span.product_id for span in near if span.kind in ("alias", "ingredient")}
        if not exact:
            return tuple(every)
        ingredients = {self._products[product_id].active_ingredient for product_id in exact}
        brands = {_brand(self._products[product_id]) for product_id in exact}
        # By ear the beginning of one name may be nearer than that of the next: "डोलो" is any Dolo.
        every += [
            self._products[span.product_id]
            for span in spans
            if span.kind == "stem" and _brand(self._products[span.product_id]) in brands
        ]
        every = list({candidate.product_id: candidate for candidate in every}.values())
        return tuple(
            candidate
            for candidate in every
            if candidate.active_ingredient in ingredients
            and (candidate.active_ingredient != "-" or candidate.product_id in exact)
        )

    # Segments

    def _cut(self) -> list[int]:
        """The segment of each word. Nothing cuts inside a name or inside a range ("2 or 3")."""
        inside = {place for found in self._found for place in range(found.first + 1, found.last + 1)}
        segments: list[int] = []
        current = 0
        for place, word in enumerate(self._words):
            if place > 0 and place not in inside:
                separates = (word.text,) in self._vocabulary.separator and place not in self._used
                # The "but" of "anything but dolo" belongs to what it refuses.
                separates &= tuple(self._texts[place - 1 : place + 1]) not in self._vocabulary.negation
                if word.after_break or (separates and not self._joins_numbers(place)):
                    current += 1
            segments.append(current)
        return segments

    def _joins_numbers(self, place: int) -> bool:
        texts, numbers = self._texts, self._vocabulary.numbers
        return (
            (texts[place],) in self._vocabulary.range_word
            and 0 < place < len(texts) - 1
            and all(text.isdigit() or text in numbers for text in (texts[place - 1], texts[place + 1]))
        )

    def _numbers_taken_back(self) -> set[int]:
        """Numbers that the next word refuses, with that word, when another number follows: "500 nahi 650",
        "एक नाही, दोन बाटल्या". The name beside them is not refused."""
        taken: set[int] = set()
        found = [
            (place, number)
            for place in range(len(self._texts))
            if place not in self._used and (number := number_at(self._texts, place, self._vocabulary))
        ]
        for (place, number), (after, _) in itertools.pairwise(found):
            end = place + number.length
            refused = starts_with_any(self._texts, end, self._vocabulary.negation_after)
            named_between = any(end <= name.first < after for name in self._found)
            if refused and end + refused <= after and not named_between:
                taken |= set(range(place, end + refused))
        return taken

    def _read_segments(self) -> None:
        loose: list[tuple[int, int, Quantity]] = []
        for segment in sorted(set(self._segments)):
            places = [
                place
                for place, own in enumerate(self._segments)
                if own == segment and place not in self._taken_back
            ]
            if not places:
                continue
            named = [found for found in self._found if self._segments[found.first] == segment]
            if named:
                self._read_named(places, named)
            elif self._names_a_variant(places):
                continue
            elif not self._strange(places):
                quantity = quantity_of(self._count(places, set()))
                refused = self._vocabulary.negation | self._vocabulary.negation_after
                is_refused = contains_any([self._texts[place] for place in places], refused)
                corrects = contains_any([self._texts[place] for place in places], self._vocabulary.correction)
                corrects |= starts_with_any(self._texts, places[0], self._vocabulary.negation_after) > 0
                if quantity and (corrects or not is_refused) and not self._is_about_oneself(places):
                    loose.append((places[0], segment, quantity))
        has_term = {self._segments[term.first] for term in self._terms}
        for place, segment, quantity in loose:
            if segment in has_term:
                self._loose[segment] = quantity
            elif self._found:
                self._give(place, quantity)
            elif self._terms:
                self._loose[self._segments[self._terms[-1].first]] = quantity
        self._share_each()
        self._apply_corrections()

    def _is_about_oneself(self, places: Sequence[int]) -> bool:
        """ "I am 24": a bare number in a sentence about the patient counts nothing."""
        is_bare = all(count.counted == "bare" for count in self._count(places, set()))
        return is_bare and any(
            self._texts[place] in ("i", "im", "am", "my", "mera", "meri") for place in places
        )

    def _names_a_variant(self, places: Sequence[int]) -> bool:
        """ "not the 500 one", "650 wali do strip": a segment with nothing but a strength is of a variant of
        the medicine before it: one that is not wanted, or the one that is.
        """
        before = [found for found in self._found if found.last < places[0]]
        if not before or self._strange(places):
            return False
        named = before[-1]
        every = {
            span.product_id
            for (first, _), spans in self._runs.items()
            if first == named.first
            for span in spans
            if span.distance == min(other.distance for other in spans) or named.is_far_fetched
        }
        candidates = tuple(self._products[product_id] for product_id in every)
        strengths = set().union(*(strength_numbers(candidate) for candidate in candidates))
        counted = self._count(places, strengths)
        said = [count for count in counted if count.counted == "strength"]
        if not said:
            return False
        refuses = self._vocabulary.negation | self._vocabulary.negation_after
        if len(said) == 2 and contains_any(self._texts[said[0].place : said[1].place], refuses):
            # "500 nahi 650", "not 500, 650"
            said = said[1:]
            return self._take_variant(named, candidates, said[0], counted)
        strength = str(said[0].value) if said[0].value else self._texts[said[0].place]
        texts = [self._texts[place] for place in places]
        if contains_any(texts, refuses):
            left = tuple(c for c in named.candidates if strength not in strength_numbers(c))
            named.candidates = left or named.candidates
            return True
        return self._take_variant(named, candidates, said[0], counted)

    def _take_variant(
        self, named: _Found, candidates: Sequence[Candidate], said: Count, counted: Sequence[Count]
    ) -> bool:
        strength = str(said.value) if said.value else self._texts[said.place]
        fits = tuple(candidate for candidate in candidates if strength in strength_numbers(candidate))
        if not fits:
            return False
        quantity = quantity_of([count for count in counted if count.counted != "strength"])
        if named.is_negated:
            place = said.place
            wanted = _Found(place, place, fits, False, quantity=quantity or named.quantity, strength=strength)
            self._found.append(wanted)
            self._used.add(place)
        else:
            named.candidates, named.strength = fits, strength
            named.quantity = quantity or named.quantity
        return True

    def _counts_behind(self) -> bool:
        """Whether the list goes "name number, name number": then the "do" behind a name is two, no "give"."""
        vocabulary = self._vocabulary
        counted = 0
        for found in self._found:
            place = found.last + 1
            follows = self._segments[place : place + 2]
            ends = len(follows) == 1 or (len(follows) == 2 and follows[0] != follows[1])
            text = self._texts[place] if follows else ""
            is_number = text.isdigit() or text in vocabulary.numbers
            counted += ends and is_number and (text,) not in vocabulary.verb_number
        return counted > 0

    def _read_named(self, places: Sequence[int], named: Sequence[_Found]) -> None:
        """Divide the words of a segment among its names: each gets those before it or those after it."""
        free = [place for place in places if place not in self._used]
        leading = [place for place in free if place < named[0].first]
        is_led = quantity_of(self._count(leading, set())) is not None
        for before, found, after in zip([None, *named], named, [*named[1:], None], strict=False):
            start = before.last + 1 if before else places[0]
            end = after.first if after else places[-1] + 1
            left = [place for place in free if start <= place < found.first]
            right = [place for place in free if found.last < place < end]
            own = left + right if len(named) == 1 else left if is_led else right
            if found is named[-1] and is_led:
                own = left + right
            # In front of a name a number is how many, unless it is large and a strength: "10 cetirizine".
            large = {number for number in found.strengths if _is_large(number)}
            found.counts = self._count([place for place in own if place < found.first], large)
            later = self._count([place for place in own if place > found.last], found.strengths)
            if later and contains_any(
                self._texts[found.last + 1 : later[0].place], self._vocabulary.correction
            ):
                found.counts = []  # "two strips of dolo, no wait, three"
            found.counts += later
            found.counts = [self._without_name_as_unit(found, count) for count in found.counts]
            numbers = self._vocabulary.numbers
            for place in (*left[-1:], *right[:1]):
                # "दो ओआरएस": right beside a name the word that is a verb elsewhere is a number.
                is_beside = place in (found.first - 1, found.last + 1)
                is_give = (
                    place in right
                    and (self._texts[place],) in self._vocabulary.verb_number
                    and not (place == places[-1] and self._counts_behind())
                )
                if is_beside and not is_give and not found.counts and self._texts[place] in numbers:
                    found.counts = [Count(place, 1, numbers[self._texts[place]], "bare")]
            found.is_negated = self._is_negated(left, right, is_last=after is None)
            behind = found.last + 1
            if tuple(self._texts[behind : behind + 1]) in self._vocabulary.genitive:
                behind += 1  # "sheets of zinc" are no zinc
            found.has_strange_neighbour = (
                behind in own
                and self._may_name(behind)
                and not self._continues(found, behind)
                and not _VERB.search(self._texts[behind])
            )
            self._read_strength(found, right)
            found.quantity = self._in_units(found, quantity_of(found.counts))
            found.frequency = self._frequency(places)
            self._read_forms(found, own)

    def _continues(self, found: _Found, place: int) -> bool:
        """Whether the words behind a name are the rest of it, however misspelt: "vicks vepo rub"."""
        joined = "".join(self._texts[place : place + 2])
        return any(
            self._texts[place] == word or OSA.normalized_similarity(sound_of(said), sound_of(word)) >= _ALIKE
            for word in found.name_words
            for said in (self._texts[place], joined)
        )

    def _is_negated(self, left: Sequence[int], right: Sequence[int], *, is_last: bool) -> bool:
        """Refused before the name ("not dolo", "without dolo") or behind it ("dolo nahi"); what English puts
        behind a name refuses the next one, unless there is none.
        """
        vocabulary = self._vocabulary
        before = without(([self._texts[place] for place in left]), vocabulary.correction)
        if self._is_swapped_in(left):
            return False
        onlys = [n for n in range(len(before)) if starts_with_any(before, n, vocabulary.only)]
        before = before[onlys[-1] :] if onlys else before  # "sab hatao, sirf thermometer"
        behind = [self._texts[place] for place in self._about_the_name(right)]
        behind = without(behind, vocabulary.as_is | (vocabulary.keep if onlys else frozenset()))
        return (
            contains_any(before, vocabulary.negation)
            or contains_any(behind, vocabulary.negation_after)
            or (is_last and contains_any(without(behind, vocabulary.correction), vocabulary.negation))
        )

    def _is_swapped_in(self, left: Sequence[int]) -> bool:
        """ "Swap it for calamine", "replace that with calamine": what comes instead."""
        texts = [self._texts[place] for place in left]
        swaps = [n for n, text in enumerate(texts) if text in _SWAP]
        return bool(swaps) and any(text in ("for", "with", "by", "to") for text in texts[swaps[-1] :])

    def _about_the_name(self, right: Sequence[int]) -> Sequence[int]:
        """ "Alprax pahije, zop yet nahi": behind the verb and a word of its own nothing is about the name."""
        verbs = [n for n, p in enumerate(right) if starts_with_any(self._texts, p, self._vocabulary.order)]
        complaint = {p for term in self._terms for p in range(term.first, term.first + term.length)}
        other = [
            n
            for n, p in enumerate(right)
            if p in complaint or (verbs and n > verbs[0] and self._is_strange(p))
        ]
        return right[: other[0]] if other else right

    def _frequency(self, places: Sequence[int]) -> Frequency | None:
        """How often a day, as said in these words or, failing that, anywhere in the message."""
        said = [often for often in self._often if often.place in places] or self._often
        return said[0] if said else None

    def _in_units(self, found: _Found, quantity: Quantity | None) -> Quantity | None:
        """ "30 dolo tablets", "10 ors sachets": a bare number before a name counts the units said with it."""
        is_bare = any(count.counted == "bare" and count.place < found.first for count in found.counts)
        if quantity is None or not is_bare or any(count.counted == "packs" for count in found.counts):
            return quantity
        units = self._vocabulary.dose_unit | self._own_units(found)
        behind = found.last + 1
        if tuple(self._texts[behind : behind + 1]) in self._vocabulary.case_after:
            behind += 1  # "do darjan strepsils ki goliyan"
        counts_units = (self._texts[found.last],) in units or (
            tuple(self._texts[behind : behind + 1]) in units and behind not in self._used
        )
        return replace(quantity, of="units") if counts_units else quantity

    def _without_name_as_unit(self, found: _Found, count: Count) -> Count:
        """ "Lozenges 2": what stands before the number is the name, and no unit."""
        is_name = count.place == found.last + 1 and count.counted == "units" and count.length == 1
        return replace(count, counted="bare") if is_name else count

    def _own_units(self, found: _Found) -> Phrases:
        """What the medicine itself is counted in: masks."""
        units = {normalise(candidate.unit) for candidate in found.candidates if candidate.units_per_pack > 1}
        return frozenset((form,) for unit in units for form in (unit, unit.removesuffix("s")))

    def _count(self, places: Sequence[int], strengths: set[str]) -> list[Count]:
        found: list[Count] = []
        for run in _runs([place for place in places if place not in self._in_frequency]):
            found += counts(self._texts, run, strengths, self._vocabulary)
        return found

    def _read_strength(self, found: _Found, right: Sequence[int]) -> None:
        """Said with a unit, as one of the medicine's strengths, or as a number behind the name that is too
        large to be one of packs: what does not exist is asked about, not rounded to what does."""
        for count in found.counts:
            follows = count.place in right and count.place == found.last + 1
            is_large = count.counted == "bare" and (count.value or 0) > LIKELY_PACKS
            if count.counted == "strength" or (follows and is_large):
                found.strength = str(count.value) if count.value else self._texts[count.place]
                found.counts = [other for other in found.counts if other is not count]
                if follows:
                    found.last = count.place + count.length - 1
                return

    def _read_forms(self, found: _Found, own: Sequence[int]) -> None:
        for place in own:
            if self._texts[place] in self._vocabulary.forms:
                found.forms = self._vocabulary.forms[self._texts[place]]
                return

    def _give(self, place: int, quantity: Quantity) -> None:
        """ "dolo, 2 strips": a segment of its own says how much of what is before or after. A
        second number for one medicine corrects the first if it says so ("sorry, 3"); else it is unclear.
        """
        before = [found for found in self._found if found.first < place and not found.is_negated]
        after = [found for found in self._found if found.first > place and not found.is_negated]
        for found in [*before[-1:], *after[:1]]:
            if found.quantity is None:
                found.quantity = quantity
                return
        takes_back = self._vocabulary.correction | self._vocabulary.negation_after
        for found in before[-1:] or after[:1]:
            since = self._texts[found.last + 1 :] if before else self._texts[: found.first]
            if contains_any(since, takes_back):
                found.quantity = quantity
            elif found.quantity != quantity:
                found.quantity = Quantity(None)

    def _apply_corrections(self) -> None:
        """ "2 omez, actually make that pan 40": the name after a correction replaces the one before,
        and its number when it has none. What is only told of the past is not wanted.
        """
        for before, found in zip(self._found, self._found[1:], strict=False):
            between = self._texts[before.last + 1 : found.first]
            repeats = any(
                set(earlier.candidates) & set(found.candidates)
                for earlier in self._found
                if earlier.first < before.first
            )
            goes_on = contains_any(between, self._vocabulary.separator - self._vocabulary.range_word - _BUT)
            corrects = contains_any(between, self._vocabulary.correction) and not repeats and not goes_on
            if corrects and not before.is_negated and not found.is_negated:
                before.is_negated = True
                found.quantity = found.quantity or before.quantity
        self._settle_repetitions()
        for found in self._found:
            places = [p for p, own in enumerate(self._segments) if own == self._segments[found.first]]
            texts = [self._texts[place] for place in places]
            told = contains_any(texts, self._vocabulary.past | self._vocabulary.report)
            if told and not contains_any(texts, self._vocabulary.refill):
                found.is_told = True

    def _settle_repetitions(self) -> None:
        """One medicine named twice: refused later, it is not wanted; corrected later, the last number
        holds; with two numbers and no word about it, it is unclear which.
        """
        changes = self._vocabulary.correction | self._vocabulary.change | self._vocabulary.only
        for place, later in enumerate(self._found):
            for before in self._found[:place]:
                if before.is_negated or not set(before.candidates) & set(later.candidates):
                    continue
                if later.is_negated:
                    before.is_negated = True
                elif later.quantity is None or later.quantity == before.quantity:
                    later.quantity, before.is_negated = before.quantity, True
                elif before.quantity is None or contains_any(self._texts[before.last + 1 :], changes):
                    before.is_negated = True
                else:
                    later.quantity, before.is_negated = Quantity(None), True

    def _share_each(self) -> None:
        """ "dolo and crocin, 2 each": one number for all."""
        if contains_any(self._texts, self._vocabulary.each):
            said = {found.quantity for found in self._found if found.quantity}
            if len(said) == 1:
                (shared,) = said
                for found in self._found:
                    found.quantity = shared

    # What nothing explains

    def _is_strange(self, place: int) -> bool:
        text = self._texts[place]
        return (
            place not in self._used
            and text not in self._vocabulary.words
            and text not in self._own_names
            and not text.replace(".", "").isdigit()
            and not any(term.first <= place < term.first + term.length for term in self._terms)
        )

    def _may_name(self, place: int) -> bool:
        """Whether a word may be the name of something that the catalogue does not know."""
        return self._is_strange(place) and len(self._texts[place]) >= 3 and not is_common(self._texts[place])

    def _strange(self, places: Sequence[int]) -> list[int]:
        return [place for place in places if self._may_name(place)]

    def _is_wanted(self, found: _Found) -> bool:
        """Whether an order verb or a quantity in its segment, or nothing else being said, asks for it."""
        places = [place for place, own in enumerate(self._segments) if own == self._segments[found.first]]
        texts = [self._texts[place] for place in places]
        is_all = found.last - found.first + 1 == len(self._texts)
        asks = self._vocabulary.order | self._vocabulary.refill | self._vocabulary.pack_unit
        return is_all or found.quantity is not None or contains_any(texts, asks)

    def _unknown_names(self) -> list[tuple[int, str]]:
        """Strange words in a segment without a known name, where an order verb or a quantity says that
        something is wanted, or where they are all there is.
        """
        unknown: list[tuple[int, str]] = []
        for segment in sorted(set(self._segments)):
            places = [place for place, own in enumerate(self._segments) if own == segment]
            found = self._count(places, set())
            # With a number and its unit any word may be a name: "जिंक, एक पत्ता".
            is_certain = any(count.counted in ("packs", "units") for count in found)
            strange = self._strange(places)
            if is_certain:
                strange = [p for p in places if self._is_strange(p) and not _VERB.search(self._texts[p])]
            if not strange or any(place in self._used for place in places):
                continue
            texts = [self._texts[place] for place in places]
            wants = contains_any(texts, self._vocabulary.order) or (
                contains_any(texts, self._vocabulary.refill)
                and not all(_VERB.search(self._texts[place]) for place in strange)
            )
            counted = quantity_of(found) is not None
            is_all = len(strange) == len(self._texts) <= _MOST_UNKNOWN_WORDS
            # "dolo and losec": between names a segment of nothing but strange words is a name too.
            aside = self._vocabulary.filler | self._vocabulary.separator
            others = [self._texts[place] for place in places if place not in strange]
            is_listed = bool(self._found) and all(
                (text,) in aside | self._vocabulary.pack_unit
                or text in self._vocabulary.numbers
                or is_common(text)
                for text in others
            )
            if wants or counted or is_all or is_listed:
                unknown.append((strange[0], " ".join(self._texts[place] for place in strange)))
        return unknown


def _brand(candidate: Candidate) -> str:
    return normalise(candidate.product_name).split()[0]


def _joined(found: Sequence[_Found]) -> list[_Found]:
    """Names side by side that can mean one product are one mention of it: "nasivon nasal spray"."""
    joined: list[_Found] = []
    for one in found:
        before = joined[-1] if joined else None
        if before is not None and one.first == before.last + 1:
            both = tuple(candidate for candidate in before.candidates if candidate in one.candidates)
            if both:
                far_fetched = before.is_far_fetched and one.is_far_fetched
                joined[-1] = _Found(before.first, one.last, both, far_fetched)
                continue
        joined.append(one)
    return joined


def _runs(places: Sequence[int]) -> list[list[int]]:
    """Adjacent places together: a number is not read across a name."""
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def number_before(texts: Sequence[str], place: int) -> bool:
    return place > 0 and number_at(texts, place - 1, load_vocabulary()) is not None


def _is_large(number: str) -> bool:
    """Whether a number is more likely a strength than a number of packs."""
    return float(number) > LIKELY_PACKS


def strength_numbers(candidate: Candidate) -> set[str]:
    """The numbers by which people tell a product's strength: those printed, those of its name, and their sum
    for combinations sold under it (500 mg + 125 mg is "625").
    """
    printed = candidate.strength.replace("/", " ").split()
    numbers = [part for part in printed if part.replace(".", "", 1).isdigit()]
    said = {*numbers, *(part for part in candidate.product_name.split() if part.isdigit())}
    if candidate.unit in ("ml", "g"):
        said.add(str(candidate.units_per_pack))  # "betadine 100 ml" is the size of its bottle
    if len(numbers) > 1 and all(number.isdigit() for number in numbers):
        said.add(str(sum(int(number) for number in numbers)))
    return said


def with_strength(mention: Mention, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The candidates that have the strength and form that were said, or can be counted in the units said."""
    fits = tuple(candidates)
    if mention.strength is not None:
        fits = tuple(candidate for candidate in fits if mention.strength in strength_numbers(candidate))
    if mention.forms:
        fits = tuple(candidate for candidate in fits if candidate.form in mention.forms)
    return fits
