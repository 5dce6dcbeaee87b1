"""Small pictures for the Dagster UI: SVG in markdown."""

import base64
from collections.abc import Callable, Sequence
from typing import Final
from xml.sax.saxutils import escape

import dagster as dg
import numpy as np

_WIDTH: Final = 500
_HEIGHT: Final = 220
_LEFT: Final = 54
_RIGHT: Final = 20
_TOP: Final = 14
_BOTTOM: Final = 44
"""Margins in pixels: room for the numbers and labels of the axes."""

_MARKS: Final = 5
"""Numbers below the x axis."""

_BAR: Final = "#4f46e5"
_INK: Final = "#6b7280"
"""Readable on the UI's light and dark backgrounds."""


def histogram(
    values: Sequence[float],
    *,
    label: str,
    number: Callable[[float], str],
    counted: str = "tracks",
    bins: int = 30,
) -> dg.MetadataValue:
    """How `values` are spread.

    `label`: the x axis; `number`: how its values are written; `counted`: what each value is of, on
    the y axis.
    """
    counts, edges = np.histogram(values, bins=bins)
    marks = [number(float(edge)) for edge in np.linspace(edges[0], edges[-1], _MARKS)]
    svg = _svg(counts.tolist(), marks, label, counted)
    encoded = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![{label}](data:image/svg+xml;base64,{encoded})")


def _svg(counts: Sequence[int], marks: Sequence[str], label: str, counted: str) -> str:
    """Bars of equal width over an x axis with evenly spaced `marks`."""
    right, floor = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    step, most = (right - _LEFT) / len(counts), max(counts)
    heights = [(floor - _TOP) * count / most for count in counts]
    bars = [
        f'<rect x="{_LEFT + index * step:.1f}" y="{floor - height:.1f}"'
        f' width="{step - 1:.1f}" height="{height:.1f}"/>'
        for index, height in enumerate(heights)
        if height
    ]
    ticks = [
        _text(_LEFT + (right - _LEFT) * index / (len(marks) - 1), floor + 16, mark)
        for index, mark in enumerate(marks)
    ]
    axes = f"M{_LEFT} {_TOP}V{floor}H{right}"
    middle = (_TOP + floor) / 2
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}"',
            f' viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12"',
            f' text-anchor="middle"><g fill="{_BAR}">{"".join(bars)}</g>',
            f'<path d="{axes}" fill="none" stroke="{_INK}"/><g fill="{_INK}">{"".join(ticks)}',
            _text(_LEFT - 6, _TOP + 4, str(most), 'text-anchor="end"'),
            _text(_LEFT - 6, floor + 4, "0", 'text-anchor="end"'),
            _text((_LEFT + right) / 2, _HEIGHT - 8, label),
            _text(16, middle, counted, f'transform="rotate(-90 16 {middle})"'),
            "</g></svg>",
        ]
    )


def _text(x: float, y: float, words: str, attributes: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" {attributes}>{escape(words)}</text>'
