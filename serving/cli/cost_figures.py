"""What this catalogue costs with the configured backends and with the others: estimated at
published prices, and as measured."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from resources.backends import Backends
from resources.catalogue.work.pending import PendingTrack
from resources.costs import prices
from resources.costs.ledger import Used
from resources.costs.prices import AS_OF, FREE, MODAL_CONTAINER_MONTH, Estimate, dollars
from resources.settings import Settings


@dataclass(frozen=True)
class PaidSteps:
    """How many tracks still need each step that may be paid for."""

    embed: int = 0
    index: int = 0
    classify: int = 0

    @classmethod
    def of(cls, tracks: Sequence[PendingTrack], *, reclassified: int = 0) -> Self:
        """What a backfill of `tracks` would do. A track whose audio was never looked at has no
        genres, as far as is known."""
        counts = Counter(str(track.step) for track in tracks)
        genres = sum(track.needs_genres and track.step != "probe" for track in tracks)
        return cls.counted({**counts, "genres": genres + reclassified})

    @classmethod
    def counted(cls, pending: Mapping[str, int]) -> Self:
        """From tracks by the first step that is missing."""
        probe, embed, index, genres = (
            pending.get(step, 0) for step in ("probe", "embed", "index", "genres")
        )
        return cls(probe + embed, probe + embed + index, probe + genres)


@dataclass(frozen=True)
class Measured:
    """Amounts of one service by name, and dollars, since a day (ISO 8601)."""

    since: str
    dollars: float
    amounts: Mapping[str, float]


@dataclass(frozen=True)
class Line:
    """One way to do one thing. `left`: tracks that are still to be done, and `left_dollars` for
    them if it is in use. `note`: for people."""

    purpose: str
    backend: str
    service: str | None
    in_use: bool
    estimated: Estimate
    left: int = 0
    left_dollars: float = 0.0
    note: str = ""
    measured: Measured | None = None


@dataclass(frozen=True)
class Costs:
    """`tracks`: public ones, which a backfill covers."""

    tracks: int
    lines: list[Line] = field(default_factory=list)
    prices_of: str = AS_OF

    @property
    def leaves_this_machine(self) -> bool:
        return any(line.in_use and line.service for line in self.lines)


def cost_of(settings: Settings, steps: PaidSteps) -> float:
    """Dollars for `steps` with the configured backends."""
    return (
        (prices.dollars_to_embed(steps.embed) if settings.modal_enabled else 0.0)
        + (prices.dollars_to_index(steps.index) if settings.turbopuffer_enabled else 0.0)
        + (prices.dollars_to_classify(steps.classify) if settings.replicate_enabled else 0.0)
    )


def costs(backends: Backends) -> Costs:
    """Costs the size of the catalogue. Raises `BackendError` when the database does not answer."""
    backends.ledger.save()
    tracks = backends.tracks.count_public()
    used = backends.usage.totals()
    lines = _lines(backends.settings, tracks, PaidSteps.counted(backends.work.count()))
    return Costs(tracks, [_with_measured(line, used) for line in lines])


def _lines(settings: Settings, tracks: int, steps: PaidSteps) -> list[Line]:
    on_modal, in_turbopuffer = settings.modal_enabled, settings.turbopuffer_enabled
    on_replicate, in_r2 = settings.replicate_enabled, settings.uses_r2
    return [
        Line("embedding", "in process", None, not on_modal, FREE, steps.embed),
        Line(
            "embedding",
            "Modal",
            "modal",
            on_modal,
            prices.on_modal(tracks, queries_too=settings.clap_text == "modal"),
            steps.embed,
            prices.dollars_to_embed(steps.embed),
            "an upload or query costs most when it starts a container, which then waits five "
            f"minutes for more; one that never stops is ${MODAL_CONTAINER_MONTH:.0f} a month",
        ),
        Line("vectors", "pgvector", None, not in_turbopuffer, FREE, steps.index),
        Line(
            "vectors",
            "turbopuffer",
            "turbopuffer",
            in_turbopuffer,
            prices.on_turbopuffer(tracks),
            steps.index,
            prices.dollars_to_index(steps.index),
            "the minimum is its smallest plan's; the rest counts towards it",
        ),
        Line("genres", "zero-shot", None, not on_replicate, FREE, steps.classify),
        Line(
            "genres",
            "Replicate",
            "replicate",
            on_replicate,
            prices.on_replicate(tracks),
            steps.classify,
            prices.dollars_to_classify(steps.classify),
        ),
        Line("audio", "folder", None, not in_r2, FREE),
        Line(
            "audio",
            "R2",
            "r2",
            in_r2,
            prices.on_r2(tracks),
            note="reading in ranges and keeping results; downloads are free, storing the audio is "
            "your app's, and nothing is measured",
        ),
    ]


def _with_measured(line: Line, used: Mapping[str, Used]) -> Line:
    """Also for a service that is no longer in use: it was paid."""
    found = used.get(line.service or "")
    if found is None:
        return line
    amounts = {measure.value.split(".", 1)[1]: n for measure, n in found.amounts.items()}
    measured = Measured(found.since.isoformat(), dollars(found.amounts), amounts)
    return replace(line, measured=measured)
