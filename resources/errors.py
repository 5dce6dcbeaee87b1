"""The errors that cross module boundaries.

`UserError`: what the user did wrong. Shown as one clear line that names the fix; never retried.
`TrackError`: what is wrong with one track's audio. Recorded against the track; never retried until
the file changes or somebody asks.
`BackendError`: what the world did wrong (network, quota, a service that is down). Retried by the
client, then by the run, then by the pending work's growing delays.
Anything else is our own mistake and crashes loudly.
"""


class MoodSearchError(Exception):
    """Base of every error this project raises on purpose."""


class UserError(MoodSearchError):
    """The user's input or configuration is wrong; the message is one line and names the fix."""


class ConfigurationError(UserError):
    """A setting is missing, malformed or contradicts another; the message names the variable."""


class NoCatalogueError(UserError):
    """There is no catalogue where the settings point; the message names the command that makes
    one."""


class TrackError(MoodSearchError):
    """One track's audio cannot be used; the message is the reason shown to people."""


class ExcludedError(TrackError):
    """Audio that somebody had forgotten, which stays out of the catalogue."""


class RefusedTrackError(TrackError):
    """A service does not take a track's audio: the track's fault only where it takes others'."""


class BackendError(MoodSearchError):
    """An outside system failed or did not answer; trying again later may succeed.

    `retry_after_seconds` is what the system asked for, if it asked.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ObjectNotFoundError(MoodSearchError):
    """The object store holds nothing under this key."""


class ModelMismatchError(UserError):
    """A vector store that holds one model's vectors was given another model's."""


def first_line(error: object) -> str:
    """The first line of an error's message: drivers and servers append hints and positions."""
    return str(error).strip().split("\n", 1)[0]


def one_line(error: object) -> str:
    """All of a message, with single spaces for its line breaks."""
    return " ".join(str(error).split())
