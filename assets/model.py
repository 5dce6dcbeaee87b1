"""Which model may work on the index: one that tells texts apart, and that somebody asked for."""

from resources.backends import Backends
from resources.embedding.collapse import PromptVectors, mean_similarity, refuse_collapsed
from resources.errors import ModelMismatchError


def refuse_unfit_model(backends: Backends) -> None:
    """For the start of every run. Raises `ModelMismatchError` when the live index is another
    model's and no backfill has begun to replace it, and as `refuse_collapsed_model` does when
    nothing was indexed for the configured model yet."""
    other = backends.generations.waits_for_backfill(backends.track_model)
    if other is not None:
        raise ModelMismatchError(str(other))
    if backends.generations.find(backends.track_model) is None:
        refuse_collapsed_model(backends)


def refuse_collapsed_model(backends: Backends, *, ask: bool = True) -> None:
    """Raises `ConfigurationError` for a model that does not tell texts apart, and `BackendError`
    when a remote one that was never asked does not answer. Without `ask`, only what is known
    counts."""
    prompts = PromptVectors(backends.store)
    model = backends.text_model
    vectors = prompts.of(model) if ask else prompts.kept(model.model)
    if vectors is not None:
        refuse_collapsed(model.model, mean_similarity(vectors))


def text_similarity(backends: Backends) -> float:
    """Mean cosine of the model's vectors of unlike texts. The model is asked once in its life.
    Raises `BackendError` when a remote one does not answer."""
    return mean_similarity(PromptVectors(backends.store).of(backends.text_model))
