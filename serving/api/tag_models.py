"""What the route for recommended tags answers."""

from dataclasses import asdict
from typing import Self

from pydantic import BaseModel, Field

from serving.tags.recommended import MOST_RECOMMENDED, TagsAnswer


class RecommendedTagResult(BaseModel):
    """A tag that the track could have."""

    name: str = Field(description="The tag.", examples=["techno"])
    score: float = Field(description="How sure the classifier is, 0 to 1.", examples=[0.87])


class RecommendedTagsAnswer(BaseModel):
    """Tags that the track does not have yet."""

    track_id: int = Field(description="The track that was asked about.", examples=[76])
    tags: list[RecommendedTagResult] = Field(max_length=MOST_RECOMMENDED, description="Best first.")
    available: bool = Field(
        description="False, with empty tags, when the classifier is disabled, does not answer, or "
        "not in time; what it says later is kept for the next request. True with empty tags: there "
        "is nothing to recommend, or the track's audio is missing or not indexed yet."
    )

    @classmethod
    def of(cls, answer: TagsAnswer) -> Self:
        tags = [RecommendedTagResult(**asdict(tag)) for tag in answer.tags]
        return cls(track_id=answer.track_id, tags=tags, available=answer.available)
