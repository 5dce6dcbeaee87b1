"""The part of the backends that embedding a track in process needs, and nothing else: worker
processes import and open it in 0.4 s, where all backends take 1.2 s and a database."""

from functools import cached_property, partial

from resources.catalogue.tracks.audio_files import AudioFile
from resources.embedding.local import load_local_model
from resources.embedding.offline.kept import load_kept_model
from resources.embedding.pinned import PinnedModel
from resources.embedding.protocol import EmbeddingModel
from resources.object_store.folder import FolderStore
from resources.object_store.protocol import ObjectStore
from resources.settings import Settings


class EmbeddingBackends:
    """Where the audio is and the model that runs here, opened when first asked for.

    Pickled, it is what the settings say, secrets included; another process opens its own.
    """

    audio_threads = 1
    """For each call of `local_model` that embeds audio."""

    def __init__(self, settings: Settings, fingerprint: str | None = None) -> None:
        """`fingerprint`: that the vectors of tracks must have; those of the configured model, where
        it is None."""
        self.settings = settings
        self.fingerprint = fingerprint

    def __getstate__(self) -> dict[str, object]:
        opened = ("store", "local_model")
        return {name: value for name, value in self.__dict__.items() if name not in opened}

    @cached_property
    def store(self) -> ObjectStore:
        settings = self.settings
        if not settings.uses_r2:
            return FolderStore(settings.moodsearch_home / "objects")
        from resources.object_store.s3 import S3Store

        assert settings.r2_endpoint_url is not None
        assert settings.r2_bucket is not None
        assert settings.aws_access_key_id is not None
        assert settings.aws_secret_access_key is not None
        return S3Store(
            endpoint_url=settings.r2_endpoint_url,
            bucket=settings.r2_bucket,
            access_key_id=settings.aws_access_key_id.get_secret_value(),
            secret_access_key=settings.aws_secret_access_key.get_secret_value(),
            public_bucket_url=settings.r2_public_bucket_url,
        )

    def audio_key(self, audio: AudioFile) -> str:
        """Where a track's audio is in `store`."""
        return audio.key(self.settings.r2_public_bucket_url)

    @cached_property
    def local_model(self) -> EmbeddingModel:
        """The model that runs in this process."""
        if self.fingerprint is None:
            return load_local_model(self.settings, audio_threads=self.audio_threads)
        return PinnedModel(self.fingerprint, partial(self._load_model_of, self.fingerprint))

    def _load_model_of(self, fingerprint: str) -> EmbeddingModel:
        model = load_local_model(self.settings, audio_threads=self.audio_threads)
        is_shipped = self.settings.clap_model == "offline"
        if is_shipped and model.model.for_tracks().fingerprint != fingerprint:
            folder = self.settings.moodsearch_home / "models"
            return load_kept_model(self.store, fingerprint, folder, threads=1)
        return model
