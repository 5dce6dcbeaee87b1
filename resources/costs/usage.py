"""What was used of services that charge, a sum for each day: `moodsearch.usage`.

Not in Dagster's event log, which is deleted after a week and does not see what the API uses.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import psycopg

from resources.catalogue.database import Connection, Database
from resources.costs.containers import needed_containers
from resources.costs.ledger import Span
from resources.costs.measures import Amounts, Measure
from resources.costs.prices import MODAL_IDLE_SECONDS, MODAL_REQUESTS_AT_ONCE
from resources.errors import BackendError, first_line

_AWAKE_UNTIL: Final = "modal_containers_awake_until"
"""Setting: until when each container on Modal waits for requests, the first one first, in seconds
since 1970."""


@dataclass(frozen=True)
class Used:
    """All that was used of one service, since the first day of it."""

    since: date
    amounts: Amounts


class Usage:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, amounts: Amounts, busy: Sequence[Span] = ()) -> Amounts:
        """Add to today's sums. `busy`: each request to Modal, from which seconds of containers are
        worked out: as many as the requests of this call needed at each moment
        (`needed_containers`), each awake for `MODAL_IDLE_SECONDS` after. Earlier calls, also of
        other processes, count as long as their containers are awake; what they asked at the very
        same moment is not told apart from it, so that the sum is rather too small.

        Returns all that was added. Raises `BackendError`, and keeps nothing, whatever the database
        says against it.
        """
        added = dict(amounts)
        try:
            with self._database.transaction() as connection:
                if busy:
                    awake = _extend_awake(connection, needed_containers(busy))
                    # Whatever overlapped with what: a container does no more than this.
                    work = added.get(Measure.MODAL_REQUEST_SECONDS, 0.0) / MODAL_REQUESTS_AT_ONCE
                    added[Measure.MODAL_CONTAINER_SECONDS] = max(awake, work)
                _add_to_sums(connection, added)
        except psycopg.Error as error:
            reason = first_line(error)
            raise BackendError(f"the database does not take it: {reason}") from error
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


def _add_to_sums(connection: Connection, amounts: Amounts) -> None:
    connection.execute(
        """
        INSERT INTO moodsearch.usage (day, measure, amount)
        SELECT (now() AT TIME ZONE 'UTC')::date, measure, amount
        FROM unnest(%s::text[], %s::float8[]) AS used (measure, amount) ORDER BY measure
        ON CONFLICT (day, measure) DO UPDATE SET amount = usage.amount + excluded.amount
        """,
        [[measure.value for measure in amounts], list(amounts.values())],
    )


def _extend_awake(connection: Connection, containers: Sequence[Sequence[Span]]) -> float:
    """Seconds that containers are awake beyond what is known of earlier requests, whoever sent
    them: each stays for `MODAL_IDLE_SECONDS` after it was needed."""
    connection.execute(
        "INSERT INTO moodsearch.settings VALUES (%s, '[]') ON CONFLICT DO NOTHING", [_AWAKE_UNTIL]
    )
    row = connection.execute(
        "SELECT value AS until FROM moodsearch.settings WHERE key = %s FOR UPDATE", [_AWAKE_UNTIL]
    ).fetchone()
    assert row is not None
    until = [float(moment) for moment in row["until"]]
    until += [0.0] * (len(containers) - len(until))
    seconds = 0.0
    for number, spans in enumerate(containers):
        for began, ended in spans:
            asleep = ended + MODAL_IDLE_SECONDS
            seconds += max(0.0, asleep - max(began, until[number]))
            until[number] = max(until[number], asleep)
    connection.execute(
        "UPDATE moodsearch.settings SET value = %s::jsonb WHERE key = %s",
        [json.dumps(until), _AWAKE_UNTIL],
    )
    return seconds
