"""What the API answers, as pydantic models: the OpenAPI document is made from them."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from resources.catalogue.flags import MOST_FLAGS
from serving.search.semantic import MOST_RESULTS


class Answer(BaseModel):
    """Made from what `serving.search`, `serving.tags` or `serving.health` answers."""

    model_config = ConfigDict(from_attributes=True)

    @classmethod
    def of(cls, found: object) -> Self:
        return cls.model_validate(found)


class SemanticResult(Answer):
    """A track that sounds like the query."""

    type: Literal["track"] = Field(default="track", description="Type of the result.")
    id: int = Field(description="The track's id.", examples=[123])
    title: str = Field(description="The track's title.", examples=["Ambient Waves"])
    artist_handle: str = Field(description="The artist's handle.", examples=["artist.bsky.social"])
    artist_display_name: str = Field(
        description="The artist's display name.", examples=["Artist Name"]
    )
    image_url: str | None = Field(
        description="URL of the track's cover, or a path on this API; null if it has none.",
        examples=["https://images.example.com/123.jpg"],
    )
    similarity: float = Field(
        description="Cosine similarity to the query, -1 to 1.", examples=[0.483]
    )


class SemanticSearchAnswer(Answer):
    """Public tracks ranked by how much they sound like the query."""

    results: list[SemanticResult] = Field(max_length=MOST_RESULTS, description="Best first.")
    query: str = Field(description="The query, as sent.", examples=["dark ambient techno"])
    available: bool = Field(
        description="False, with empty results, when the embedding model or the vector store is "
        "disabled, unreachable or too slow. True with empty results means no match."
    )


class SimilarTracksAnswer(Answer):
    """Public tracks ranked by how much they sound like a given track, which is left out."""

    track_id: int = Field(
        description="The track that the results are compared with.", examples=[76]
    )
    results: list[SemanticResult] = Field(
        max_length=MOST_RESULTS,
        description="Best first. `similarity` is the cosine similarity to that track.",
    )
    available: bool = Field(
        description="False, with empty results, when the vector store or the database does not "
        "answer in time. True with empty results means that the track is not indexed yet."
    )


class WarmingUp(BaseModel):
    """Whether a warm-up was started."""

    started: bool = Field(description="False if one was started in the last four minutes.")


class BackendState(Answer):
    """Whether one backend answers."""

    ok: bool = Field(description="Whether it answers.")
    detail: str = Field(
        description="Version or address, or the reason it cannot be used.",
        examples=["PostgreSQL 18.6"],
    )


class WorkState(Answer):
    """Whether changes of the catalogue reach the index."""

    ok: bool = Field(description="False when runs failed.")
    detail: str = Field(
        description="Which run failed last and why, or the oldest change that is waiting.",
        examples=["no change is waiting to reach the index"],
    )


class Readiness(BaseModel):
    """Whether every backend answers."""

    ready: bool = Field(description="Whether every backend is ok.")
    backends: dict[str, BackendState] = Field(
        description="By name: database, object_store, vector_store, model."
    )
    work: WorkState = Field(
        description="The work on the index. Not part of `ready`: searches are answered meanwhile."
    )


class Liveness(BaseModel):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class CurrentUser(BaseModel):
    """The caller and their feature flags."""

    did: str | None = Field(
        description="The user's DID; null for an anonymous caller.", examples=["did:plc:abc123"]
    )
    flags: list[str] = Field(
        max_length=MOST_FLAGS,
        description="The user's feature flags.",
        examples=[["vibe-search"]],
    )


class Problem(BaseModel):
    """Why a request failed."""

    detail: str = Field(examples=["the token has expired; sign in again"])
