"""What a stage hands back: named numbers, one for each repetition."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Final

MEBIBYTE: Final = 2**20


@dataclass(frozen=True)
class Figure:
    """One number of the report. `values`: one for each repetition, in `unit`."""

    name: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def spread(self) -> str:
        """Lowest to highest; empty for what was measured once."""
        if len(self.values) == 1:
            return ""
        return f"{readable(min(self.values))} – {readable(max(self.values))}"


def single(name: str, unit: str, value: float) -> Figure:
    """A figure that was measured once."""
    return Figure(name, unit, (value,))


def rate(name: str, unit: str, amount: float, seconds: Iterable[float]) -> Figure:
    """`amount` of something in each of `seconds`, as a figure per second."""
    return Figure(name, unit, tuple(amount / each for each in seconds))


def timed(function: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    started = perf_counter()
    function()
    return perf_counter() - started


def repeated(function: Callable[[], object], repetitions: int, *, warm_up: int = 1) -> list[float]:
    """Seconds of each of `repetitions` calls, after `warm_up` calls that do not count."""
    for _ in range(warm_up):
        function()
    return [timed(function) for _ in range(repetitions)]


def readable(value: float) -> str:
    """Three significant digits, thousands separated."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return (
        f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
    )
