"""The laptop's demonstration: a guest whose page names a demo patient acts as that patient.

The guest gets a token of the patient's own, for a minute, signed with the laptop's secret: from there on
nothing differs from a patient who has signed in, row-level security included. The stack says which patients
there are for this; nobody who registers on a laptop is one of them.
"""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import jwt
from fastapi import Depends, Request

from shared.identity import Caller
from shared.settings import Settings, get_settings

_SECONDS = 60


async def demo_caller(
    request: Request, settings: Annotated[Settings, Depends(get_settings)]
) -> Caller | None:
    """The demo patient that a guest's path or body names; None for all others, and without DEMO_IDENTITY."""
    if not settings.demo_identity or settings.supabase_jwt_secret is None:
        return None
    user_id = settings.demo_patients.get(await _named_patient(request))
    if user_id is None:
        return None
    claims = {
        "sub": str(user_id),
        "aud": "authenticated",
        "role": "authenticated",
        "exp": int(time.time()) + _SECONDS,
    }
    token = jwt.encode(claims, settings.supabase_jwt_secret.get_secret_value(), algorithm="HS256")
    return Caller(user_id=str(user_id), token=token, via="demo")


async def _named_patient(request: Request) -> str:
    if named := request.path_params.get("patient_id"):
        return str(named)
    body: Any
    if "json" in request.headers.get("content-type", ""):
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError):
            return ""
    else:
        body = await request.form()
    named = body.get("patient_id") if hasattr(body, "get") else None
    return named if isinstance(named, str) else ""
