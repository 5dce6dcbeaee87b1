"""The deadlines that `docs/reliability.md` names are those of the code. Its other tables are
written by `tests/pipelines/test_fault_matrix.py`."""

import inspect
import re
from pathlib import Path
from typing import Any

from resources.catalogue import connection, database
from resources.genres.replicate import CLEAN_UP_SECONDS
from resources.settings import Settings
from resources.vectors.turbopuffer import TurbopufferStore
from resources.web.deadline import LEAST_BYTES_PER_SECOND, PATIENCE_SECONDS
from serving.api import keyword
from serving.embedding_service import Limits
from serving.search.semantic import DEFAULT_DEADLINE_SECONDS

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"

BOUNDED: dict[str, Any] = connection.BOUNDED
GONE_SECONDS = (
    BOUNDED["keepalives_idle"] + BOUNDED["keepalives_interval"] * BOUNDED["keepalives_count"]
)

NAMED: dict[str, tuple[object, ...]] = {
    "semantic search": (DEFAULT_DEADLINE_SECONDS,),
    "keyword search": (keyword.DEADLINE_SECONDS,),
    "S3": (PATIENCE_SECONDS, LEAST_BYTES_PER_SECOND >> 10, PATIENCE_SECONDS / 2),
    "turbopuffer: search": (
        inspect.signature(TurbopufferStore).parameters["read_seconds"].default,
    ),
    "turbopuffer: count, list, drop": (PATIENCE_SECONDS,),
    "turbopuffer: write": (PATIENCE_SECONDS, LEAST_BYTES_PER_SECOND >> 10),
    "Replicate": (Settings.model_fields["replicate_timeout_seconds"].default, CLEAN_UP_SECONDS),
    "Modal": (Settings.model_fields["modal_timeout_seconds"].default,),
    "the service on Modal, fetching an `audio_url`": (
        Limits.fetch_seconds,
        Limits.stall_seconds,
    ),
    "model hub": (PATIENCE_SECONDS, LEAST_BYTES_PER_SECOND >> 10),
    "PostgreSQL: a statement": (
        connection.STATEMENT_SECONDS,
        database.ANSWER_SECONDS,
        connection.WHOLE_CATALOGUE_SECONDS,
    ),
    "PostgreSQL: a server that is silent": (connection.SILENCE_SECONDS,),
    "PostgreSQL: a machine that is gone": (GONE_SECONDS,),
}


def test_the_deadlines_are_those_of_the_code() -> None:
    _, section = PAGE.read_text().split("## Deadlines\n")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    shown = {name: tuple(map(float, re.findall(r"\d+", text))) for name, text in rows[1:]}
    assert shown.pop("---", ()) == ()
    assert shown == NAMED
