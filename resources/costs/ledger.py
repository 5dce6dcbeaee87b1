"""What this process has used of services that charge, and what all have used, a sum for each day:
`moodsearch.usage`.

Not in Dagster's event log, which is deleted after a week and does not see what the API uses.
"""

import json
import logging
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import psycopg

from resources.catalogue.database import Connection, Database
from resources.costs.measures import Amounts, Measure
from resources.costs.prices import MODAL_IDLE_SECONDS, MODAL_MOST_CONTAINERS, MODAL_REQUESTS_AT_ONCE
from resources.errors import BackendError, MoodSearchError, first_line

SAVE_AFTER_SECONDS: Final = 30.0
"""How much later an amount is kept at the latest: what a kill may lose."""

Period = tuple[float, float]
"""Begin and end of something, in seconds since 1970."""

_AWAKE_UNTIL: Final = "modal_containers_awake_until"
"""Setting: until when each container on Modal waits for requests, the first one first, in seconds
since 1970."""

_ENDS: Final = -1
_BEGINS: Final = 1

logger = logging.getLogger(__name__)


class Ledger:
    """Amounts by measure. Safe to use from threads.

    Keeps them through `usage` when asked, and by itself some time after the first that is not kept
    yet. Without `usage` it only counts.
    """

    def __init__(
        self, usage: "Usage | None" = None, save_after_seconds: float = SAVE_AFTER_SECONDS
    ) -> None:
        self._usage = usage
        self._save_after_seconds = save_after_seconds
        self._kept: dict[Measure, float] = {}
        self._unsaved: dict[Measure, float] = {}
        self._busy: list[Period] = []
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._timer: threading.Timer | None = None
        self._is_closed = False

    def add(self, measure: Measure, amount: float = 1.0) -> None:
        with self._lock:
            _add(self._unsaved, {measure: amount})
            self._save_later()

    def add_modal_request(self, measure: Measure, began: float, ended: float) -> None:
        """A request to Modal, from when it was sent to its answer, in seconds since 1970."""
        with self._lock:
            seconds = max(0.0, ended - began)
            _add(self._unsaved, {measure: 1.0, Measure.MODAL_REQUEST_SECONDS: seconds})
            self._busy.append((began, max(began, ended)))
            self._save_later()

    def reading(self) -> dict[Measure, float]:
        """All that was used since this was made, as of now; containers' seconds as of the last
        `save`."""
        with self._lock:
            total = dict(self._kept)
            _add(total, self._unsaved)
            return total

    def save(self) -> None:
        """Keep what is not kept yet. What cannot be kept, whatever the reason, is tried again some
        time later, or with the next."""
        with self._saving:
            with self._lock:
                amounts, self._unsaved = self._unsaved, {}
                busy, self._busy = self._busy, []
                if self._timer is not None:
                    self._timer.cancel()
                    self._timer = None
            if not amounts and not busy:
                return
            try:
                kept = amounts if self._usage is None else self._usage.add(amounts, busy)
            except BaseException as error:
                self._put_back(amounts, busy)
                if not isinstance(error, Exception):
                    raise
                # A mistake of ours must not end the call that is counted.
                is_ours = not isinstance(error, MoodSearchError)
                logger.warning(
                    "what services were used could not be kept: %s", error, exc_info=is_ours
                )
                return
            with self._lock:
                _add(self._kept, kept)

    def close(self) -> None:
        """Save for the last time: afterwards nothing is saved by itself."""
        with self._lock:
            self._is_closed = True
        self.save()

    def _put_back(self, amounts: Amounts, busy: Sequence[Period]) -> None:
        with self._lock:
            _add(self._unsaved, amounts)
            self._busy = [*busy, *self._busy]
            self._save_later()

    def _save_later(self) -> None:
        if self._timer is None and self._usage is not None and not self._is_closed:
            self._timer = threading.Timer(self._save_after_seconds, self.save)
            # So that a process can end; whoever closes its backends saves.
            self._timer.daemon = True
            self._timer.start()


def _add(total: dict[Measure, float], amounts: Amounts) -> None:
    for measure, amount in amounts.items():
        total[measure] = total.get(measure, 0.0) + amount


@dataclass(frozen=True)
class Used:
    """All that was used of one service, since the first day of it."""

    since: date
    amounts: Amounts


class Usage:
    """The sums of all processes, in the catalogue's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, amounts: Amounts, busy: Sequence[Period] = ()) -> Amounts:
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
                    busy_seconds = added.get(Measure.MODAL_REQUEST_SECONDS, 0.0)
                    least = busy_seconds / MODAL_REQUESTS_AT_ONCE
                    added[Measure.MODAL_CONTAINER_SECONDS] = max(awake, least)
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


def _extend_awake(connection: Connection, containers: Sequence[Sequence[Period]]) -> float:
    """Seconds that containers are awake beyond what is known of earlier requests, whoever sent
    them: each stays for `MODAL_IDLE_SECONDS` after it was needed."""
    connection.execute(
        "INSERT INTO moodsearch.settings VALUES (%s, '[]') ON CONFLICT DO NOTHING", [_AWAKE_UNTIL]
    )
    (row,) = connection.execute(
        "SELECT value AS until FROM moodsearch.settings WHERE key = %s FOR UPDATE", [_AWAKE_UNTIL]
    )
    until = [float(moment) for moment in row["until"]]
    until += [0.0] * (len(containers) - len(until))
    seconds = 0.0
    for number, periods in enumerate(containers):
        for began, ended in periods:
            asleep = ended + MODAL_IDLE_SECONDS
            seconds += max(0.0, asleep - max(began, until[number]))
            until[number] = max(until[number], asleep)
    connection.execute(
        "UPDATE moodsearch.settings SET value = %s::jsonb WHERE key = %s",
        [json.dumps(until), _AWAKE_UNTIL],
    )
    return seconds


def needed_containers(requests: Sequence[Period]) -> list[list[Period]]:
    """For each container, the first one first, when it was needed, in order.

    Modal starts another container when those that run have `MODAL_REQUESTS_AT_ONCE` requests each.
    Which one answers a request is not known. Here it is always the first that is free, so that
    later ones fall idle as soon as they can: no other choice needs fewer containers at a time.
    """
    # One that took no time was open nevertheless.
    events = [(began, _BEGINS) for began, _ in requests]
    events += [(max(ended, math.nextafter(began, math.inf)), _ENDS) for began, ended in requests]
    needed: list[list[Period]] = []
    woken: list[float] = []
    opened = 0
    # Of what happens at the same moment ends come first: the next request takes that place.
    for moment, change in sorted(events):
        opened += change
        containers = min(math.ceil(opened / MODAL_REQUESTS_AT_ONCE), MODAL_MOST_CONTAINERS)
        while len(woken) < containers:
            woken.append(moment)
        while len(woken) > containers:
            began = woken.pop()
            needed += [[] for _ in range(len(woken) + 1 - len(needed))]
            needed[len(woken)].append((began, moment))
    return needed
