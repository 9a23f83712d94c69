"""What people are and say is in no log of any part, whatever they do and whatever goes wrong meanwhile."""

from __future__ import annotations

import secrets
import time

import httpx

from infra.local.settings import PROJECT
from tests.integration.ordering import ADMIN, as_staff, buy
from tests.running_stack import RunningStack
from tests.specimens import picture

LOGS = PROJECT / ".local" / "test" / "logs"


def test_a_whole_visit_leaves_no_person_and_no_secret_in_the_logs(stack: RunningStack) -> None:
    mark = secrets.token_hex(4)
    person = {
        "name": f"Zarina Qadir{mark}",
        "email": f"zarina.{mark}@example.com",
        "phone": f"+9198{secrets.randbelow(10**8):08}",
        "password": f"secret-{mark}-word",
    }
    local = person["phone"].removeprefix("+91")
    spaced = f"{local[:5]} {local[5:]}"
    words = [
        f"my name is Qadir{mark} and I live at 12 Tulip{mark} Lane, call {spaced}",
        f"mail me at {person['email']}, I have hiv{mark} and need 2 strips of dolo 650",
        "yes",
        f"मेरा नाम कादिर{mark} है",
        f"chest pain{mark} and my phone is {person['phone']}",
    ]
    started = {path: path.stat().st_size for path in LOGS.glob("*.log")}

    with stack.api() as guest:
        assert (
            guest.post("/api/auth/register", json={**person, "age": 41, "allergies": []}).status_code == 201
        )
        guest.post("/api/auth/register", json={**person, "age": 41})  # once more: refused
        guest.post("/api/auth/login", json={"email": person["email"], "password": f"wrong-{mark}"})
        guest.post("/api/auth/register", json={**person, "email": f"no address {mark}"})
        guest.post("/api/auth/login", content=f'{{"email": "{person["email"]}"')
        session = guest.post(
            "/api/auth/login", json={"email": person["email"], "password": person["password"]}
        ).json()
    token, refresh_token = session["token"], session["refresh_token"]
    with stack.api(token) as api:
        for message in words:
            assert api.post("/api/chat", json={"message": message}).status_code == 200
        api.post("/api/chat", json={"message": f"Qadir{mark} " * 400})  # too long: refused
        api.put(
            "/api/patients/me",
            json={
                "name": person["name"],
                "phone": local,
                "gender": "",
                "allergies": [f"Rash{mark}"],
                "preferred_store": "",
            },
        )
        api.get(f"/api/products?search=Qadir{mark}")
        buy(api, ("MED032", 1))
        api.post("/api/prescriptions/upload", files={"file": (f"Qadir{mark}.png", picture(), "image/png")})
        api.post(
            "/api/prescriptions/upload", files={"file": (f"Qadir{mark}.pdf", b"no pdf", "application/pdf")}
        )
    httpx.get(f"{stack.api_url}/api/orders", headers={"Authorization": f"Bearer {token}x"}, timeout=60)
    with as_staff(stack, ADMIN) as admin:
        admin.get("/api/admin/orders")
    stack.invoke("dispatch", {"source": "aws.events"})
    time.sleep(0.5)

    forbidden = [f"Qadir{mark}", f"Tulip{mark}", f"hiv{mark}", f"pain{mark}", f"Rash{mark}", f"कादिर{mark}"]
    forbidden += [person["email"], local, spaced, person["password"], f"wrong-{mark}", token, refresh_token]
    forbidden += [token.rsplit(".", 1)[1], stack.jwt_secret, stack.secret_key]
    assert started
    found = []
    for path in sorted(LOGS.glob("*.log")):
        said = path.read_text(errors="replace")[started.get(path, 0) :]
        found += [
            f"{path.name}: {line.replace(word, '***')[:300]}"
            for word in forbidden
            for line in said.splitlines()
            if word in line
        ]
    assert found == []
    assert any(path.stat().st_size > size for path, size in started.items()), "nothing was logged at all"
