"""Where the demo keeps its library, so that its pieces never get into another one."""

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
    home = {"MOODSEARCH_HOME": str(settings.moodsearch_home / "demo")}
    return home | dict.fromkeys(_ELSEWHERE, "")
