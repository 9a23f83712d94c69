"""A backup of the running stack, brought back beside it: every row, the accounts and the files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import pytest

from infra.backup import DUMP, restore, save
from infra.local.reset import delete_data
from infra.local.settings import PROJECT, Port, StackError, StackSettings
from infra.local.stack import Stack
from tests.contract.people import newcomer
from tests.integration.test_stopping import free_ports
from tests.integration.uploads import upload
from tests.running_stack import DEMO_PASSWORD, RunningStack
from tests.specimens import picture

DATA = PROJECT / ".local" / "test"


def settings_of(data: Path, postgres: int, supabase: int) -> StackSettings:
    unused = Port(1, "-")
    return StackSettings(
        data_dir=data,
        api=unused,
        lambda_api=unused,
        supabase=Port(supabase, "-"),
        postgres=Port(postgres, "-"),
        sqs=unused,
        external_database_url=None,
        durable=False,
        partner=unused,
    )


@pytest.fixture
def running(stack: RunningStack) -> StackSettings:
    address = httpx.URL(stack.database_url)
    assert address.port
    return settings_of(DATA, address.port, 1)


@pytest.fixture
def elsewhere() -> Iterator[StackSettings]:
    postgres, supabase = free_ports(2)
    settings = settings_of(DATA / "restored", postgres, supabase)
    delete_data(settings)
    yield settings
    delete_data(settings)


def test_what_is_saved_comes_back_whole(
    stack: RunningStack, running: StackSettings, elsewhere: StackSettings, tmp_path: Path
) -> None:
    patient, page = newcomer(stack), picture()
    with stack.api(patient.token) as api:
        assert upload(api, page, declared="image/png").status_code in (200, 201)
    with psycopg.connect(stack.database_url) as database:
        row = database.execute(
            "select file_path from public.prescription_uploads where patient_id = %s", [patient.patient_id]
        ).fetchone()
    assert row

    manifest = save(running, tmp_path / "backup")
    restored = restore(elsewhere, tmp_path / "backup")

    assert restored.rows == sum(manifest["rows"].values()) > 1000
    assert manifest["rows"]["auth.users"] > 10
    assert restored.files >= 1
    with Stack(elsewhere, until="supabase", report=lambda _: None) as again:
        key = {"apikey": again.keys.publishable}
        url = elsewhere.supabase_url
        credentials = {"email": patient.email, "password": "monsoon-7"}
        session = httpx.post(f"{url}/auth/v1/token?grant_type=password", headers=key, json=credentials)
        assert session.status_code == 200, session.text
        mine = {**key, "Authorization": f"Bearer {session.json()['access_token']}"}
        profile = httpx.post(f"{url}/rest/v1/rpc/patient_profile", headers=mine, json={})
        assert profile.json()["patient_id"] == patient.patient_id
        file = httpx.get(f"{url}/storage/v1/object/prescriptions/{row[0]}", headers=mine)
        assert file.content == page
        theirs = httpx.get(f"{url}/rest/v1/patients?select=patient_id", headers=mine)
        assert theirs.json() == [{"patient_id": patient.patient_id}], "row-level security came back too"
    assert DEMO_PASSWORD not in (tmp_path / "backup" / "manifest.json").read_text()


def test_a_damaged_backup_is_refused_before_anything_changes(
    running: StackSettings, elsewhere: StackSettings, tmp_path: Path
) -> None:
    save(running, tmp_path / "backup")
    dump = tmp_path / "backup" / DUMP
    dump.write_bytes(dump.read_bytes()[:-1])

    with pytest.raises(StackError, match="damaged"):
        restore(elsewhere, tmp_path / "backup")

    assert not (elsewhere.data_dir / "postgres").exists()


def test_nothing_is_restored_over_a_database_that_is_in_use(
    stack: RunningStack, running: StackSettings, tmp_path: Path
) -> None:
    save(running, tmp_path / "backup")

    with pytest.raises(StackError, match="running"):
        restore(running, tmp_path / "backup")
    with pytest.raises(StackError, match="not empty"):
        restore(replace(running, external_database_url=stack.database_url), tmp_path / "backup")
    with pytest.raises(StackError, match="exists already"):
        save(running, tmp_path / "backup")
