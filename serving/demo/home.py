"""Where the demo keeps its library, so that its pieces never get into another one."""

import shlex
from collections.abc import Mapping
from typing import Final

from resources.settings import Settings

_ELSEWHERE: Final = (
    "DATABASE_URL",
    "R2_ENDPOINT_URL",
    "R2_BUCKET",
    "R2_PUBLIC_BUCKET_URL",
    "TURBOPUFFER_ENABLED",
)
"""What would keep some of it outside its home. An empty variable counts as unset."""


def demo_environment(settings: Settings) -> dict[str, str]:
    """Variables under which any command works on the demo's own library: the folder `demo` in the
    home, and neither the database nor the stores that are configured. The models stay as they are.
    """
    configured = [name for name in _ELSEWHERE if name.lower() in settings.model_fields_set]
    home = {"MOODSEARCH_HOME": str(settings.moodsearch_home / "demo")}
    return home | dict.fromkeys(configured, "")


def demo_command(environment: Mapping[str, str]) -> str:
    """What to type for `moodsearch`, so that it works on the demo's library."""
    variables = (f"{name}={shlex.quote(value)}" for name, value in environment.items())
    return " ".join((*variables, "moodsearch"))
