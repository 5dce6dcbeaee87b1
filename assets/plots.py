"""Small pictures for the Dagster UI: SVG in markdown."""

import base64
from collections.abc import Callable, Sequence
from typing import Final
from xml.sax.saxutils import escape

import dagster as dg
import numpy as np

_MARKS: Final = 5
"""Numbers below the x axis."""

# The inner picture scales the bars: its units are bins and counts. The colours are readable on the
# UI's light and dark backgrounds.
_PICTURE: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" width="500" height="220" viewBox="0 0 500 220"
 font-family="sans-serif" font-size="12" text-anchor="middle" fill="#6b7280">
<svg x="54" y="14" width="426" height="162" viewBox="0 0 {bins} {most}"
 preserveAspectRatio="none" fill="#4f46e5">{bars}</svg>
<path d="M54 14V176H480" fill="none" stroke="#6b7280"/>{marks}
<text x="48" y="18" text-anchor="end">{most}</text>
<text x="48" y="180" text-anchor="end">0</text>
<text x="267" y="212">{label}</text>
<text x="16" y="95" transform="rotate(-90 16 95)">{counted}</text>
</svg>"""


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
    most = counts.max()
    bars = [
        f'<rect x="{index}" y="{most - count}" width="0.9" height="{count}"/>'
        for index, count in enumerate(counts)
        if count
    ]
    marks = [
        f'<text x="{x:g}" y="192">{escape(number(float(edge)))}</text>'
        for x, edge in zip(
            np.linspace(54, 480, _MARKS), np.linspace(edges[0], edges[-1], _MARKS), strict=True
        )
    ]
    svg = _PICTURE.format(
        bins=bins,
        most=most,
        bars="".join(bars),
        marks="".join(marks),
        label=escape(label),
        counted=escape(counted),
    )
    encoded = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![{label}](data:image/svg+xml;base64,{encoded})")
