"""What is measured: one module for each stage, with a function `measure(workplace)` that returns
its figures. It is called in a process of its own."""

from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from typing import Final

from bench.figures import Figure
from bench.workplace import Workplace


class Stage(StrEnum):
    """A module in `bench.stages`."""

    PROBE = "probe"
    DECODE = "decode"
    EMBED = "embed"
    CLAP = "clap"
    BACKFILL = "backfill"
    ONE_TRACK = "one_track"
    SEARCH = "search"
    OVERLOAD = "overload"
    KEYWORD = "keyword"
    FORGET = "forget"
    MEMORY = "memory"
    STARTUP = "startup"


TITLES: Final = {
    Stage.PROBE: "Files probed",
    Stage.DECODE: "Windows decoded",
    Stage.EMBED: "Windows embedded",
    Stage.CLAP: "CLAP beside transformers",
    Stage.BACKFILL: "End to end",
    Stage.ONE_TRACK: "One new track",
    Stage.SEARCH: "Semantic search over HTTP",
    Stage.OVERLOAD: "Semantic search with too many clients",
    Stage.KEYWORD: "Keyword search over HTTP",
    Stage.FORGET: "A track and an artist forgotten",
    Stage.MEMORY: "Peak memory of a backfill",
    Stage.STARTUP: "Starting, and up at rest",
}


def measure_stage(stage: Stage, workplace: Workplace) -> list[Figure]:
    """The stage's figures. Its module is imported here, in the stage's own process."""
    measure: Callable[[Workplace], list[Figure]] = import_module(f"bench.stages.{stage}").measure
    return measure(workplace)
