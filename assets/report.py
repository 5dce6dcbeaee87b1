"""What an operator sees of a run: what was done in a sentence, counts, seconds, and tables."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import dagster as dg

from assets.outcomes import Outcome, T, Waiting

Cell = str | int | float | bool | None

PREVIEW_ROWS: Final = 10


@dataclass
class Report:
    """Counts of one asset's run on one block.

    known: tracks that had a result before; new: tracks that had none; changed: results replaced;
    failed: tracks whose audio cannot be used; removed: results dropped; waiting: tracks that could
    not be reached and stay pending; done: tracks that got a result, in order.
    """

    known: set[int] = field(default_factory=set)
    new: int = 0
    changed: int = 0
    failed: int = 0
    removed: int = 0
    waiting: dict[int, Waiting] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @property
    def unchanged(self) -> int:
        """Results kept as they were."""
        return len(self.known) - self.changed - self.removed

    def stored(self, track_ids: Collection[int]) -> None:
        """Count results that were stored."""
        replaced = sum(track_id in self.known for track_id in track_ids)
        self.changed += replaced
        self.new += len(track_ids) - replaced
        self.done += track_ids

    def add(self, outcomes: Sequence[Outcome[T]]) -> None:
        """Count tracks without a result."""
        self.failed += sum(outcome.failure is not None for outcome in outcomes)
        self.waiting |= {
            outcome.track.track_id: outcome.waiting
            for outcome in outcomes
            if outcome.waiting is not None
        }

    def reasons(self) -> dict[int, str]:
        """Why tracks are waiting, by id."""
        return {track_id: waiting.reason for track_id, waiting in self.waiting.items()}

    def first_of(self, track_ids: Collection[int], most: int) -> list[int]:
        """At most so many of the tracks: those of this run first, then the latest."""
        wanted = set(track_ids)
        mine = [track_id for track_id in self.done if track_id in wanted][:most]
        others = sorted(wanted.difference(self.done), reverse=True)
        return [*mine, *others[: most - len(mine)]]

    def summary(self) -> str:
        """What was done, in a sentence."""
        counts = self._counts()
        if any(count for name, count in counts.items() if name != "unchanged"):
            return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        return (
            f"nothing to do: {self.unchanged:,} unchanged"
            " (force: true in the run's configuration computes them again)"
        )

    def metadata(self) -> dict[str, dg.MetadataValue]:
        return {
            "summary": dg.MetadataValue.text(self.summary()),
            **{name: dg.MetadataValue.int(count) for name, count in self._counts().items()},
            "seconds": dg.MetadataValue.float(round(time.monotonic() - self.started, 3)),
        }

    def _counts(self) -> Mapping[str, int]:
        return {
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "failed": self.failed,
            "removed": self.removed,
            "waiting": len(self.waiting),
        }


def table_of(rows: Sequence[Mapping[str, Cell]]) -> dg.MetadataValue:
    """The first rows as a table."""
    records = [dg.TableRecord(dict(row)) for row in rows[:PREVIEW_ROWS]]
    if not records:
        return dg.MetadataValue.text("none")
    return dg.MetadataValue.table(records=records)


def minutes(seconds: float) -> str:
    """A duration as people say it: `3:07`, `1:02:30`."""
    whole = round(seconds)
    clock = f"{whole // 60 % 60}:{whole % 60:02}"
    return f"{whole // 3600}:{clock.zfill(5)}" if whole >= 3600 else clock
