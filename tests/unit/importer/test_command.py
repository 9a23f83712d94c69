"""The command as it is typed: what it says, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.importer.__main__ import main
from shared.settings import get_settings
from tests.unit.importer.folders import set_cell

ON_THIS_MACHINE = "postgresql://postgres@127.0.0.1:9/postgres"


@pytest.fixture(autouse=True)
def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    get_settings.cache_clear()


def test_checking_a_whole_folder_needs_no_database(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = list(folder.glob("*.csv"))
    rows = sum(len(file.read_text("utf-8").splitlines()) - 1 for file in files)

    assert main([str(folder), "--check"]) == 0
    assert capsys.readouterr().out.startswith(f"Checked {rows} rows of {len(files)} files in ")


def test_a_refusal_names_the_place_and_ends_with_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_cell(folder / "medicines.csv", 17, "price_inr", "abc")
    assert main([str(folder), "--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        'medicines.csv:17: price_inr: "abc" is not an amount',
        "1 problem: nothing was written.",
    ]


def test_fifty_problems_are_shown_and_the_rest_counted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "medicines.csv").unlink()  # every rule now names unknown ingredients
    assert main([str(folder), "--check"]) == 1
    *shown, more, total = capsys.readouterr().err.splitlines()
    assert len(shown) == 50
    assert more.startswith("and ")
    assert total.endswith("problems: nothing was written.")


def test_a_folder_without_a_file_of_ours_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "--check"]) == 1
    assert "has none of the files" in capsys.readouterr().err
    assert main([str(tmp_path / "nowhere"), "--check"]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_importing_needs_to_be_told_where(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder)]) == 1
    assert capsys.readouterr().err == (
        "DATABASE_URL is not set: it names the Postgres database to import into.\n"
    )


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"STAGE": "prod"}, "must be https on STAGE=prod"),
        (
            {"STAGE": "prod", "SUPABASE_URL": "https://x.example", "ALLOWED_ORIGINS": ""},
            "is for STAGE=local, not prod",
        ),
        ({"SUPABASE_URL": "https://x.supabase.co"}, "SUPABASE_URL is not on this machine"),
        ({"DATABASE_URL": "postgresql://db.example.com/x"}, "DATABASE_URL is not on this machine"),
        ({"DATABASE_URL": "postgresql://127.0.0.1,db.example.com/x"}, "DATABASE_URL is not on this machine"),
        ({"DATABASE_URL": "host=localhost hostaddr=10.0.0.1"}, "DATABASE_URL is not on this machine"),
        ({"DATABASE_URL": "dbname=x", "PGHOST": "db.example.com"}, "DATABASE_URL is not on this machine"),
        ({"DATABASE_URL": "service=production"}, "DATABASE_URL is not on this machine"),
        ({"DATABASE_URL": "secret words"}, "is not the address of a Postgres database"),
        ({"SUPABASE_URL": "x"}, "needs a valid environment, see SUPABASE_URL"),
    ],
)
def test_public_passwords_never_leave_the_laptop(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    complaint: str,
) -> None:
    for name, value in ({"DATABASE_URL": ON_THIS_MACHINE} | variables).items():
        monkeypatch.setenv(name, value)
    assert main([str(folder), "--demo-accounts"]) == 1
    error = capsys.readouterr().err
    assert complaint in error
    assert "secret words" not in error
