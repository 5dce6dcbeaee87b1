"""What of Dagster's texts counts as showing a track or an artist."""

import json

import pytest

from assets.forgetting.subject import Subject
from pipelines.previews import mentions

FILE_ID = "4f" * 32
SUBJECT = Subject(
    track_ids=frozenset({12}),
    file_ids=frozenset({FILE_ID}),
    titles=frozenset({'Où "ça"', "One, Two (0.50)"}),
    dids=frozenset({"did:plc:abcdef"}),
)


def row(**columns: object) -> str:
    """A row of a preview, as Dagster writes it."""
    return json.dumps({"label": "preview", "records": [{"data": columns}]})


@pytest.mark.parametrize(
    "text",
    [
        row(title="renamed since", track_id=12),
        row(title="another", track_id=12, reason="it is down"),
        row(title="a neighbour", track_id=3, sounds_like="renamed since (-0.03 #12)"),
        row(title='Où "ça"'),
        row(sounds_like='Else (0.90), Où "ça" (0.83)'),
        json.dumps({"reason": f"audio/{FILE_ID}.flac is missing"}),
        json.dumps({"reason": f"cannot read {FILE_ID}."}),
        json.dumps({"owner": "did:plc:abcdef"}),
    ],
)
def test_a_text_that_shows_it(text: str) -> None:
    assert mentions(text, SUBJECT)


@pytest.mark.parametrize(
    "text",
    [
        row(title="another", track_id=123),
        row(title="another", track_id=1, sounds_like="Else (0.90 #112), More (0.12 #120)"),
        row(title='Où "ça" va', track_id=3),
        row(duration="0:12", count=12, track_id=3),
        json.dumps({"config": {"track_ids": [12]}, "did": "did:plc:abcdefg"}),
    ],
)
def test_a_text_that_does_not(text: str) -> None:
    assert not mentions(text, SUBJECT)
