"""Asking Gemini what a message means.

The answer is a claim about the patient's words and nothing else: what it may change is decided in `choosing`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, SecretStr

from functions.chat.prompts import SYSTEM, prompt
from shared import gemini
from shared.circuit import Circuit
from shared.gemini import Answer


class NamedMedicine(BaseModel):
    """One medicine that the message names."""

    said: str = Field(max_length=200)
    name: str = Field(max_length=100)
    strength: str | None = Field(default=None, max_length=20)
    amount: int | None = Field(default=None, ge=1, le=9999)
    unit: Literal["packs", "units"] = "packs"


class Claim(BaseModel):
    """What the model says a message means. There is no intent by which it could confirm anything."""

    intent: Literal[
        "order",
        "decline",
        "product_question",
        "question",
        "report",
        "for_someone_else",
        "red_flag",
        "greeting",
        "unclear",
    ]
    medicines: list[NamedMedicine] = Field(default_factory=list, max_length=20)


class Gemini:
    """One model, shared by all turns of a process."""

    def __init__(
        self,
        *,
        api_key: SecretStr,
        model: str,
        base_url: str,
        timeout_seconds: float,
        circuit: Circuit | None = None,
    ) -> None:
        self.model = model
        self._gemini = gemini.Gemini(
            Claim,
            api_key=api_key,
            model=model,
            base_url=base_url,
            timeout_seconds=timeout_seconds,
            circuit=circuit,
        )

    def ask(self, masked_message: str) -> Answer[Claim]:
        """What the message means. `masked_message` must be without personal data.

        Returns or raises within the budget: ModelUnavailable (`open`, `slow`, `down`), or UnusableAnswer.
        """
        return self._gemini.ask([("system", SYSTEM), ("human", prompt(masked_message))])
