"""The response of `GET /search/`, as pydantic models."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, Field

from resources.catalogue.names.search import TYPES, Found
from resources.catalogue.names.statements import MOST

_EXAMPLE_IMAGE: Final = "https://images.example.com/123.jpg"


class KeywordResult(BaseModel):
    """Fields of every result."""

    relevance: float = Field(
        description="How well the name matches, 0 to 1. An exact match is 1, then names that start "
        "with the query, contain it or are similar, each ordered by word similarity.",
        ge=0,
        le=1,
        examples=[0.98],
    )


class TrackResult(KeywordResult):
    """A public track."""

    type: Literal["track"] = Field(description="Type of the result.")
    id: int = Field(description="The track's id.", examples=[123])
    title: str = Field(description="The track's title.", examples=["Ambient Waves"])
    artist_handle: str = Field(description="The artist's handle.", examples=["artist.bsky.social"])
    artist_display_name: str | None = Field(description="The artist's display name.")
    image_url: str | None = Field(description="The track's cover.", examples=[_EXAMPLE_IMAGE])


class ArtistResult(KeywordResult):
    """An artist, found by name or handle."""

    type: Literal["artist"] = Field(description="Type of the result.")
    did: str = Field(description="The artist's DID.", examples=["did:plc:abc123"])
    handle: str = Field(description="The artist's handle.", examples=["artist.bsky.social"])
    display_name: str | None = Field(description="The artist's display name.")
    avatar_url: str | None = Field(description="The artist's picture.")


class AlbumResult(KeywordResult):
    """An album with at least one public track."""

    type: Literal["album"] = Field(description="Type of the result.")
    id: str = Field(description="The album's id.")
    slug: str | None = Field(description="The album's part of the artist's URLs.")
    title: str = Field(description="The album's title.")
    artist_handle: str = Field(description="The artist's handle.")
    artist_display_name: str | None = Field(description="The artist's display name.")
    image_url: str | None = Field(description="The album's cover.")


class TagResult(KeywordResult):
    """A tag of at least one public track."""

    type: Literal["tag"] = Field(description="Type of the result.")
    id: int | str = Field(description="The tag's id.", examples=[7])
    name: str = Field(description="The tag.", examples=["techno"])


class PlaylistResult(KeywordResult):
    """A playlist that its owner shows on their profile."""

    type: Literal["playlist"] = Field(description="Type of the result.")
    id: str = Field(description="The playlist's id.")
    name: str = Field(description="The playlist's name.")
    owner_handle: str = Field(description="The owner's handle.")
    owner_display_name: str | None = Field(description="The owner's display name.")
    image_url: str | None = Field(description="The playlist's cover.")
    track_count: int | None = Field(description="Number of tracks in the playlist.")


Result = TrackResult | ArtistResult | AlbumResult | TagResult | PlaylistResult


class Counts(BaseModel):
    """Number of results of each type in this response; 0 for types that were not requested."""

    tracks: int = Field(ge=0)
    artists: int = Field(ge=0)
    albums: int = Field(ge=0)
    tags: int = Field(ge=0)
    playlists: int = Field(ge=0)


class KeywordSearchAnswer(BaseModel):
    """Names that match the query."""

    results: list[Annotated[Result, Field(discriminator="type")]] = Field(
        max_length=len(TYPES) * MOST, description="Best first, across all types."
    )
    counts: Counts = Field(description="Number of results of each type.")

    @classmethod
    def of(cls, found: Sequence[Found]) -> Self:
        counted = Counter(f"{each.type}s" for each in found)
        results = [
            {**each.fields, "relevance": each.relevance, "type": each.type} for each in found
        ]
        counts = {name: counted[name] for name in Counts.model_fields}
        return cls.model_validate({"results": results, "counts": counts})
