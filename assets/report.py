"""What an operator sees of a run: counts, seconds, and a preview."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from assets.work import Waiting

Cell = str | int | float | bool | None

PREVIEW_ROWS = 10


@dataclass
class Report:
    """Counts of one asset's run on one block.

    new: tracks that had no result; changed: results replaced; unchanged: results kept; failed:
    tracks whose audio cannot be used; waiting: tracks that could not be reached and stay pending;
    removed: results dropped.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    removed: int = 0
    waiting: dict[int, Waiting] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def count(self, track_ids: Sequence[int], known: set[int]) -> None:
        """Count results for `track_ids`, of which `known` had one before."""
        replaced = sum(track_id in known for track_id in track_ids)
        self.changed += replaced
        self.new += len(track_ids) - replaced

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
