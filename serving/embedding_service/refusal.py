"""The one way in which the service says no."""

from resources.errors import MoodSearchError


class RefusalError(MoodSearchError):
    """A request that gets no vector: `status` is the answer's, the message its `error`.

    4xx is about the request, 503 and 504 about the moment. `retry_after_seconds` when another
    attempt after that long may succeed.
    """

    def __init__(self, status: int, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class SourceError(RefusalError):
    """Another host broke off or failed: asking it again may help. The answer's status is 424."""

    def __init__(self, message: str) -> None:
        super().__init__(424, message)
