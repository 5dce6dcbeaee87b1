"""Where a track's audio is in the object store."""

from dataclasses import dataclass
from urllib.parse import unquote


@dataclass(frozen=True)
class AudioFile:
    """A version of a track's audio. `file_id` changes whenever the bytes do."""

    file_id: str
    file_type: str
    r2_url: str | None = None

    def key(self, public_bucket_url: str | None = None) -> str:
        """The object's key: what `r2_url` says when it is in the public bucket, else by file id."""
        if self.r2_url and public_bucket_url:
            base = public_bucket_url.rstrip("/") + "/"
            if self.r2_url.startswith(base):
                return unquote(self.r2_url.removeprefix(base))
        return f"audio/{self.file_id}.{self.file_type}"
