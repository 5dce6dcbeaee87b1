"""What else is installed beside this program."""

import re
from importlib.metadata import packages_distributions
from typing import Final

DISTRIBUTION: Final = "mood-search"
PACKAGES: Final = ("assets", "pipelines", "resources", "serving")
"""Its top-level packages, whose names others may use as well."""


def clashes() -> dict[str, list[str]]:
    """Those of `PACKAGES` that other installed distributions have too, with their names."""
    owners = packages_distributions()
    others = {name: {_normal(each) for each in owners.get(name, ())} for name in PACKAGES}
    return {
        name: sorted(found - {DISTRIBUTION})
        for name, found in others.items()
        if found - {DISTRIBUTION}
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
