"""What was used of services that charge, a sum for each day: `moodsearch.usage`.

Not in Dagster's event log, which is deleted after a week and does not see what the API uses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from resources.catalogue.database import Connection, Database
from resources.costs.ledger import Span
from resources.costs.measures import Amounts, Measure
from resources.costs.prices import MODAL_IDLE_SECONDS, MODAL_REQUESTS_AT_ONCE

_AWAKE_UNTIL: Final = "modal_awake_until"
"""Setting: until when the last known container on Modal waits for requests, seconds since 1970."""


@dataclass(frozen=True)
class Used:
    """All that was used of one service, since the first day of it."""

    since: date
    amounts: Amounts


class Usage:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, amounts: Amounts, busy: Sequence[Span] = ()) -> Amounts:
        """Add to today's sums. `busy`: when Modal was being asked, which is turned into seconds of
        containers. Returns all that was added. Raises `BackendError`."""
        added = dict(amounts)
        with self._database.transaction() as connection:
            if busy:
                awake = _extend_awake(connection, _merged(busy))
                # More at once than one container takes: others ran beside it.
                work = added.get(Measure.MODAL_REQUEST_SECONDS, 0.0) / MODAL_REQUESTS_AT_ONCE
                added[Measure.MODAL_CONTAINER_SECONDS] = max(awake, work)
            connection.execute(
                """
                INSERT INTO moodsearch.usage (day, measure, amount)
                SELECT (now() AT TIME ZONE 'UTC')::date, measure, amount
                FROM unnest(%s::text[], %s::float8[]) AS used (measure, amount) ORDER BY measure
                ON CONFLICT (day, measure) DO UPDATE SET amount = usage.amount + excluded.amount
                """,
                [[measure.value for measure in added], list(added.values())],
            )
        return added

    def totals(self) -> dict[str, Used]:
        """By service; none that was never used. Raises `BackendError`."""
        rows = self._database.rows(
            "SELECT measure, sum(amount) AS amount, min(day) AS since"
            " FROM moodsearch.usage GROUP BY measure ORDER BY measure"
        )
        # A measure of another version says nothing to this one.
        known = [row for row in rows if row["measure"] in set(Measure)]
        amounts = {Measure(row["measure"]): float(row["amount"]) for row in known}
        since = {Measure(row["measure"]): row["since"] for row in known}
        return {
            service: Used(
                min(day for measure, day in since.items() if measure.service == service),
                {m: amount for m, amount in amounts.items() if m.service == service},
            )
            for service in {measure.service for measure in amounts}
        }


def _merged(spans: Sequence[Span]) -> list[Span]:
    """In order, and joined where the gap is no longer than a container waits."""
    merged: list[Span] = []
    for began, ended in sorted(spans):
        if merged and began <= merged[-1][1] + MODAL_IDLE_SECONDS:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ended))
        else:
            merged.append((began, ended))
    return merged


def _extend_awake(connection: Connection, spans: Sequence[Span]) -> float:
    """Seconds that one container is awake for `spans` beyond what is known of earlier ones, whoever
    asked: it stays for `MODAL_IDLE_SECONDS` after each."""
    connection.execute(
        "INSERT INTO moodsearch.settings VALUES (%s, '0') ON CONFLICT DO NOTHING", [_AWAKE_UNTIL]
    )
    row = connection.execute(
        "SELECT value::float8 AS until FROM moodsearch.settings WHERE key = %s FOR UPDATE",
        [_AWAKE_UNTIL],
    ).fetchone()
    assert row is not None
    until, seconds = float(row["until"]), 0.0
    for began, ended in spans:
        asleep = ended + MODAL_IDLE_SECONDS
        seconds += max(0.0, asleep - max(began, until))
        until = max(until, asleep)
    connection.execute(
        "UPDATE moodsearch.settings SET value = to_jsonb(%s::float8) WHERE key = %s",
        [until, _AWAKE_UNTIL],
    )
    return seconds
