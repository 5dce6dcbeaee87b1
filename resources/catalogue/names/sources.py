"""Which of the catalogue's names are searched, and which of them anybody may see."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Source:
    """Names of one kind, and where they are: a row of `public.<table>` for each.

    `shown_if`: an SQL condition on the row `r` without which its name is not kept; true or false,
    never null. `needs`: columns besides key and name that a search reads of the table.
    """

    kind: str
    table: str
    key: str
    name: str
    needs: tuple[str, ...] = ()
    shown_if: str = "true"

    @property
    def texts(self) -> str:
        """The table of its searchable names."""
        return f"moodsearch.search_texts_{self.kind}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns without which the names are not searched."""
        return (self.key, self.name, *self.needs)


SOURCES: Final = (
    Source(
        "track",
        "tracks",
        "id",
        "title",
        ("artist_did", "image_url", "visibility"),
        "r.visibility IS NOT DISTINCT FROM 'public'",
    ),
    Source("artist", "artists", "did", "display_name", ("handle",)),
    Source("handle", "artists", "did", "handle", ("display_name",)),
    Source("album", "albums", "id", "title", ("artist_did", "slug", "image_url")),
    Source("tag", "tags", "id", "name"),
    Source(
        "playlist",
        "playlists",
        "id",
        "name",
        ("owner_did", "image_url", "track_count", "show_on_profile"),
        "r.show_on_profile IS TRUE",
    ),
)
"""An artist has two names. Artists, albums and tags are shown while a public track has them, which
each search asks the catalogue. Which tracks a playlist has is not in the catalogue: one is shown
while its owner shows it and it has any, whoever their artists are."""
