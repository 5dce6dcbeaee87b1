"""The one place where settings choose implementations, for every process alike: Dagster, the API
and the command line.

An implementation that brings a library of its own is imported when it is chosen: together they take
longer to import than a search takes.
"""

import hashlib
import threading
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Self
from weakref import WeakValueDictionary

from resources.catalogue.database import Database
from resources.catalogue.flags import Flags
from resources.catalogue.model_choice import ModelChoice
from resources.catalogue.schema.founded import has_server, no_catalogue
from resources.catalogue.schema.migrate import is_current, migrate
from resources.catalogue.tracks.auto_tags import AutoTags
from resources.catalogue.tracks.classified_by import ClassifiedBy
from resources.catalogue.tracks.genres import GenresOfTracks
from resources.catalogue.tracks.tracks import Tracks
from resources.catalogue.work.attempts import Attempts
from resources.catalogue.work.contents import Contents
from resources.catalogue.work.failed_runs import FailedRuns
from resources.catalogue.work.generations import Generation, Generations
from resources.catalogue.work.locks import BlockLocks
from resources.catalogue.work.pending import PendingWork
from resources.catalogue.work.records import TrackRecords
from resources.catalogue.work.stored_tables import StoredTables
from resources.costs.ledger import Ledger, Usage
from resources.embedding.local import load_local_model
from resources.embedding.protocol import EmbeddingModel, ModelDescription
from resources.embedding_backends import EmbeddingBackends
from resources.errors import ConfigurationError
from resources.genres.protocol import GenreClassifier
from resources.genres.zero_shot import ZeroShotClassifier
from resources.machine.cores import usable_cores
from resources.machine.postgres import EmbeddedPostgres
from resources.settings import ModelSetting, Settings
from resources.vectors.pgvector import PgvectorStore
from resources.vectors.protocol import VectorStore

if TYPE_CHECKING:
    from resources.catalogue.tracks.uploads import Uploads
    from resources.embedding.modal import ModalEmbedder


class Backends(EmbeddingBackends):
    """Everything outside, opened when first asked for. A context manager; `close` is idempotent."""

    def __init__(self, settings: Settings, *, create: bool = True) -> None:
        """Opens the catalogue in its newest schema. Where there is none, it is made; without
        `create` nothing is made or changed: no catalogue is a `NoCatalogueError`, an older schema a
        `ConfigurationError`."""
        super().__init__(settings)
        self._root = self
        self._others: WeakValueDictionary[str, Backends] = WeakValueDictionary()
        self._opening = threading.Lock()
        # A few tracks are embedded here, by two threads: together they keep all cores busy.
        self.audio_threads = max(1, usable_cores() // 2)
        self._embedded: EmbeddedPostgres | None = None
        if settings.database_url is None:
            if not create and not has_server(settings.moodsearch_home):
                raise no_catalogue(settings)
            self._embedded = EmbeddedPostgres(settings.moodsearch_home)
        try:
            if create:
                migrate(self.database_url)
            elif (current := is_current(self.database_url)) is None:
                raise no_catalogue(settings)
            elif not current:
                raise ConfigurationError(
                    "the catalogue has the schema of another version of mood search; "
                    "moodsearch up, serve or backfill brings it to this one"
                )
        except BaseException:
            self.close()
            raise

    def of(self, generation: Generation) -> "Backends":
        """These with the model and the index of `generation`, to be used while these are open.
        Nothing is loaded yet."""
        root = self._root
        # The setting first: what is configured may be a model that cannot be described now.
        is_configured = generation.setting == root.settings.model
        if is_configured and generation.model == root.track_model.fingerprint:
            return root
        with root._opening:
            other = root._others.get(generation.id)
            if other is None:
                other = root._others[generation.id] = root._with_model_of(generation)
            return other

    def _with_model_of(self, generation: Generation) -> "Backends":
        other = Backends.__new__(Backends)
        EmbeddingBackends.__init__(
            other, self.settings.with_model(generation.setting), generation.model
        )
        shared = ("_root", "_embedded", "audio_threads", "database", "store", "ledger")
        other.__dict__ |= {name: getattr(self, name) for name in shared}
        other.__dict__ |= {"track_model": generation.description}
        return other

    def for_model(self, model: ModelSetting) -> "Backends":
        """These with the model that `model` says, indexed or not. Raises `ConfigurationError` for
        a model that there is not, and `BackendError` when a hub does not answer."""
        root = self._root
        if model == root.settings.model:
            return root
        local = load_local_model(root.settings.with_model(model))
        generations = Generations(root.database, *root._index, model)
        return root.of(generations.first(local.model.for_tracks()))

    @property
    def live(self) -> "Backends | None":
        """These with the model and the index that answer; None before anything was indexed."""
        live = self.generations.live()
        return None if live is None else self.of(live)

    def unload_models(self) -> None:
        """Let go of the memory of models; what needs one loads it again."""
        for name in ("local_model", "audio_model", "text_model", "classifier"):
            self.__dict__.pop(name, None)

    def close(self) -> None:
        if self._root is not self:
            return
        if "_modal" in self.__dict__:
            self._modal.close()
        if "ledger" in self.__dict__:
            self.ledger.close()
        if "database" in self.__dict__:
            self.database.close()
        if self._embedded is not None:
            self._embedded.close()

    def ensure_running(self) -> None:
        """Start the embedded server again if it was killed. A few milliseconds when it was not."""
        if self._embedded is not None:
            self._embedded.ensure_running()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def database_url(self) -> str:
        """Contains the password, if there is one: never print it."""
        if self._embedded is not None:
            return self._embedded.url
        assert self.settings.database_url is not None
        return self.settings.database_url.get_secret_value()

    @cached_property
    def database(self) -> Database:
        return Database(self.database_url)

    @cached_property
    def embedding_backends(self) -> EmbeddingBackends:
        """What another process opens for itself to embed tracks as this one would."""
        return EmbeddingBackends(self.settings, self.fingerprint)

    @cached_property
    def audio_model(self) -> EmbeddingModel:
        """The model that embeds tracks."""
        return self._modal if self.settings.modal_enabled else self.local_model

    @cached_property
    def text_model(self) -> EmbeddingModel:
        """The model that embeds queries: the same space as `audio_model`."""
        return self.audio_model if self.settings.clap_text == "modal" else self.local_model

    @cached_property
    def _modal(self) -> "ModalEmbedder":
        from resources.embedding.modal import ModalEmbedder

        settings = self.settings
        assert settings.modal_embed_audio_url is not None
        return ModalEmbedder(
            settings.modal_embed_audio_url,
            settings.modal_embed_text_url,
            timeout_seconds=settings.modal_timeout_seconds,
            # The service runs what CLAP_MODEL and CLAP_PRECISION say here.
            description=self.local_model.model,
            proxy_auth=settings.modal_proxy_auth,
            ledger=self.ledger,
        )

    @cached_property
    def track_model(self) -> ModelDescription:
        """What every stored vector carries."""
        return self.audio_model.model.for_tracks()

    @property
    def _index(self) -> tuple[str, str]:
        """The kind of vector store, and the name of the index there."""
        kind = "turbopuffer" if self.settings.turbopuffer_enabled else "pgvector"
        return kind, self.settings.turbopuffer_namespace

    @cached_property
    def generations(self) -> Generations:
        return Generations(self.database, *self._index, self.settings.model)

    @cached_property
    def generation(self) -> Generation:
        """The generation of the index that belongs to the model."""
        found = self.generations.find(self.track_model)
        return found or self.generations.open(self.track_model)

    @cached_property
    def vectors(self) -> VectorStore:
        """The vectors of the model."""
        return self.open_vectors(self.generation.namespace, self.track_model)

    def open_vectors(self, namespace: str, model: ModelDescription) -> VectorStore:
        settings = self.settings
        if not settings.turbopuffer_enabled:
            return PgvectorStore(self.database.pool, namespace, model)
        from resources.vectors.turbopuffer import TurbopufferStore

        assert settings.turbopuffer_api_key is not None
        return TurbopufferStore(
            api_key=settings.turbopuffer_api_key.get_secret_value(),
            region=settings.turbopuffer_region,
            base_url=settings.turbopuffer_base_url,
            namespace=namespace,
            model=model,
            ledger=self.ledger,
        )

    @cached_property
    def classifier(self) -> GenreClassifier:
        settings = self.settings
        if not settings.replicate_enabled:
            return ZeroShotClassifier(self.text_model, top_n=settings.replicate_top_n)
        from resources.genres.replicate import ReplicateClassifier

        assert settings.replicate_api_token is not None
        return ReplicateClassifier(
            api_token=settings.replicate_api_token.get_secret_value(),
            store=self.store,
            top_n=settings.replicate_top_n,
            timeout_seconds=settings.replicate_timeout_seconds,
            base_url=settings.replicate_base_url,
            ledger=self.ledger,
        )

    @cached_property
    def work(self) -> PendingWork:
        return PendingWork(
            self.database,
            self.track_model,
            self.generations,
            genres_need_embedding=self._root.classifier.needs_embedding,
        )

    @cached_property
    def model_choice(self) -> ModelChoice:
        return ModelChoice(self.database)

    @cached_property
    def attempts(self) -> Attempts:
        return Attempts(self.database)

    @cached_property
    def contents(self) -> Contents:
        return Contents(self.database)

    @cached_property
    def locks(self) -> BlockLocks:
        return BlockLocks(self.database)

    @cached_property
    def records(self) -> TrackRecords:
        return TrackRecords(self.database)

    @cached_property
    def stored_tables(self) -> StoredTables:
        return StoredTables(self.database)

    @cached_property
    def failed_runs(self) -> FailedRuns:
        return FailedRuns(self.database)

    @cached_property
    def auto_tags(self) -> AutoTags:
        return AutoTags(self.database)

    @cached_property
    def tried_with(self) -> str:
        """Changes with this version, the model and the settings of what may refuse a track: then
        what failed otherwise than by the audio's fault is tried again."""
        settings = self._root.settings
        services = (
            settings.modal_embed_audio_url if settings.modal_enabled else None,
            settings.replicate_base_url if settings.replicate_enabled else None,
            settings.replicate_enabled,
            settings.r2_endpoint_url,
            settings.r2_bucket,
            settings.r2_public_bucket_url,
        )
        tried = repr((version("mood-search"), settings.model, services))
        return hashlib.sha256(tried.encode()).hexdigest()[:16]

    @cached_property
    def uploads(self) -> "Uploads":
        from resources.catalogue.tracks.uploads import Uploads

        return Uploads(self.database, self.store)

    @cached_property
    def tracks(self) -> Tracks:
        return Tracks(self.database)

    @cached_property
    def genres_of_tracks(self) -> GenresOfTracks:
        return GenresOfTracks(self.database)

    @cached_property
    def classified_by(self) -> ClassifiedBy:
        return ClassifiedBy(self.database)

    @cached_property
    def usage(self) -> Usage:
        return Usage(self.database)

    @cached_property
    def ledger(self) -> Ledger:
        """What this process uses of services that charge."""
        return Ledger(self.usage)

    @cached_property
    def flags(self) -> Flags:
        return Flags(self.database)
