"""Checks that an asset answers itself, from the table that it has just read or written."""

import warnings
from collections.abc import Iterable
from typing import Final

import dagster as dg
import numpy as np
from pandera.errors import SchemaError

from assets.blocks import TRACK_BLOCKS
from assets.tables import BlockTable

# Partitioned checks are marked as a preview by this (pinned) version of Dagster.
warnings.filterwarnings("ignore", "Specifying a partitions_def on an AssetCheckSpec")

UNIT_LENGTH_TOLERANCE: Final = 1e-3


def check(asset: str, name: str, description: str, *, blocking: bool = False) -> dg.AssetCheckSpec:
    """A check of one block that `asset` answers itself. `blocking`: what fails it stops the run."""
    return dg.AssetCheckSpec(
        name,
        asset=asset,
        description=description,
        blocking=blocking,
        partitions_def=TRACK_BLOCKS,
    )


def schema_check(asset: str) -> dg.AssetCheckSpec:
    """`schema_result` answers it."""
    description = "The table has the columns, types and ranges that others rely on."
    return check(asset, f"{asset}_schema", description, blocking=True)


def schema_result(asset: str, table: BlockTable) -> dg.AssetCheckResult:
    name = f"{asset}_schema"
    try:
        table.check()
    except SchemaError as error:
        return dg.AssetCheckResult(check_name=name, passed=False, description=str(error)[:500])
    return dg.AssetCheckResult(check_name=name, passed=True, metadata={"rows": table.read().height})


def no_tracks(
    track_ids: Iterable[int], description: str, name: str | None = None
) -> dg.AssetCheckResult:
    """Passes when there are no such tracks, and names them otherwise."""
    offenders = sorted(track_ids)
    return dg.AssetCheckResult(
        check_name=name,
        passed=not offenders,
        description=f"{len(offenders)} {description}" if offenders else None,
        metadata={"count": len(offenders), "track_ids": offenders[:50]},
    )


def unit_length_result(name: str, table: BlockTable) -> dg.AssetCheckResult:
    """Every vector is finite and of length 1."""
    rows = table.read()
    lengths = np.linalg.norm(rows["vector"].to_numpy(), axis=1) if rows.height else np.empty(0)
    # Not finite compares as False, so it counts as wrong.
    wrong = ~(np.abs(lengths - 1) <= UNIT_LENGTH_TOLERANCE)
    return no_tracks(rows["track_id"].to_numpy()[wrong].tolist(), "vectors not of length 1", name)
