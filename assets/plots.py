"""Small pictures for the Dagster UI."""

import base64
import io
from collections.abc import Sequence

import dagster as dg
from matplotlib.figure import Figure


def histogram(
    values: Sequence[float], *, label: str, counted: str = "tracks", bins: int = 30
) -> dg.MetadataValue:
    """How `values` are spread, as a PNG in markdown.

    `label`: the x axis with its unit; `counted`: what each value is of, on the y axis.
    """
    figure = Figure(figsize=(5, 2.2), layout="constrained")
    axes = figure.add_subplot()
    axes.hist(values, bins=bins, color="#4f46e5")
    axes.set_xlabel(label)
    axes.set_ylabel(counted)
    axes.spines[["top", "right"]].set_visible(False)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=90)
    encoded = base64.b64encode(png.getvalue()).decode()
    return dg.MetadataValue.md(f"![{label}](data:image/png;base64,{encoded})")
