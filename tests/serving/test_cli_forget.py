"""`moodsearch forget`: a receipt, a scan, and what is let in again."""

from pathlib import Path

from resources.catalogue.database import Database
from resources.catalogue.exclusions import Exclusions
from tests.serving.command import Command, write_tone


def _titles(database: Database) -> list[str]:
    return [row["title"] for row in database.rows("SELECT title FROM public.tracks ORDER BY title")]


def _id_of(database: Database, title: str) -> str:
    (row,) = database.rows("SELECT id FROM public.tracks WHERE title = %(title)s", {"title": title})
    return str(row["id"])


def test_a_dry_run_shows_what_is_stored_and_removes_nothing(
    moodsearch: Command, database: Database, tmp_path: Path
) -> None:
    moodsearch("add", str(write_tone(tmp_path / "one.wav")))
    outcome = moodsearch("forget", _id_of(database, "one"), "--dry-run")
    assert outcome.status == 0
    for place in ("public.tracks", "audio/", "Nothing was removed."):
        assert place in outcome.output
    assert _titles(database) == ["one"]
    assert Exclusions(database).all() == []


def test_a_track_goes_with_a_receipt_stays_out_and_is_let_in_again(
    moodsearch: Command, database: Database, tmp_path: Path
) -> None:
    file = write_tone(tmp_path / "music" / "one.wav", 220)
    write_tone(file.with_name("two.wav"), 440)
    moodsearch("add", str(file.parent))
    outcome = moodsearch("forget", _id_of(database, "one"))
    assert outcome.status == 0
    assert "Removed" in outcome.output
    assert "imported audio" in outcome.output
    assert ": 0 traces." in outcome.output
    assert _titles(database) == ["two"]
    again = moodsearch("add", str(file.parent))
    assert again.status == 0
    assert "forget --lift" in again.output
    assert "0 added, 1 already there, 0 skipped, 1 forgotten" in again.output
    assert _titles(database) == ["two"]
    assert "one.wav" not in moodsearch("forget", "--list").output
    assert "one.wav" in moodsearch("forget", "--list", str(file.parent)).output
    assert moodsearch("forget", "--lift", str(file)).status == 0
    assert "Nothing is kept out." in moodsearch("forget", "--list").output
    assert "1 added" in moodsearch("add", str(file.parent)).output
    assert _titles(database) == ["one", "two"]


def test_a_hash_lifts_too_and_what_was_not_forgotten_is_said(
    moodsearch: Command, database: Database, tmp_path: Path
) -> None:
    file = write_tone(tmp_path / "one.wav")
    Exclusions(database).add(["a", "b"])
    (one, _) = Exclusions(database).all()
    for wrong in (str(file), one.hash[:7], "nothing"):
        outcome = moodsearch("forget", "--lift", wrong)
        assert (outcome.status, outcome.is_one_error_line) == (1, True)
    assert moodsearch("forget", "--lift", one.hash[:8]).status == 0
    assert len(Exclusions(database).all()) == 1


def test_what_is_not_there_is_one_line(moodsearch: Command) -> None:
    for what in ("12", "@nobody.example", "did:plc:nobody", "9" * 30):
        outcome = moodsearch("forget", what)
        assert (outcome.status, outcome.is_one_error_line) == (1, True)


def test_wrong_usage(moodsearch: Command) -> None:
    for arguments in ([], ["1", "2"], ["--lift"], ["--list", "--lift", "x"], ["--dry-run"]):
        assert moodsearch("forget", *arguments).status == 2


def test_an_exclusion_says_nothing_of_what_it_keeps_out(
    moodsearch: Command, database: Database, tmp_path: Path
) -> None:
    moodsearch("add", str(write_tone(tmp_path / "A Title.wav")))
    (track,) = database.rows("SELECT file_id FROM public.tracks")
    moodsearch("forget", _id_of(database, "A Title"))
    (row,) = database.rows("SELECT e::text AS text FROM moodsearch.exclusions e")
    assert "Title" not in row["text"]
    assert track["file_id"] not in row["text"]
