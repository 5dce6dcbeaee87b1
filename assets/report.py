"""What an operator sees of a run: counts, seconds, and a preview."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from assets.outcomes import Outcome, T, Waiting

Cell = str | int | float | bool | None

PREVIEW_ROWS = 10


@dataclass
class Report:
    """Counts of one asset's run on one block.

    known: tracks that had a result before; new: tracks that had none; changed: results replaced;
    failed: tracks whose audio cannot be used; removed: results dropped; waiting: tracks that could
    not be reached and stay pending.
    """

    known: set[int] = field(default_factory=set)
    new: int = 0
    changed: int = 0
    failed: int = 0
    removed: int = 0
    waiting: dict[int, Waiting] = field(default_factory=dict)
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

    def metadata(self) -> dict[str, dg.MetadataValue]:
        counts: Mapping[str, int] = {
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "failed": self.failed,
            "removed": self.removed,
            "waiting": len(self.waiting),
        }
        metadata: dict[str, dg.MetadataValue] = {
            name: dg.MetadataValue.int(count) for name, count in counts.items()
        }
        metadata["seconds"] = dg.MetadataValue.float(round(time.monotonic() - self.started, 3))
        if self.waiting:
            rows: list[dict[str, Cell]] = [
                {"track_id": track_id, "reason": waiting.reason}
                for track_id, waiting in list(self.waiting.items())[:PREVIEW_ROWS]
            ]
            metadata["waiting_because"] = preview(rows)
        return metadata


def preview(rows: Sequence[Mapping[str, Cell]]) -> dg.MetadataValue:
    """The first rows as a table."""
    records = [dg.TableRecord(dict(row)) for row in rows[:PREVIEW_ROWS]]
    if not records:
        return dg.MetadataValue.text("nothing to show")
    return dg.MetadataValue.table(records=records)
