"""Which model works on an index: the one whose index it is, where it tells texts apart."""

from resources.backends import Backends
from resources.catalogue.work.generations import Generation
from resources.catalogue.work.overview import Overview
from resources.embedding.collapse import PromptVectors, mean_similarity, refuse_collapsed
from resources.embedding.offline.kept import keep_shipped_model
from resources.errors import UserError


def backends_of(backends: Backends, namespace: str | None = None) -> Backends:
    """For the start of a run: those of the index with that name, or of the one that answers.

    The configured model founds the first one. Raises `UserError` for a name that is not that of an
    index that is kept equal to the catalogue, and as `refuse_collapsed_model` does for the first.
    """
    generations = backends.generations.all()
    if not generations:
        found_index(backends)
        return backends
    for generation in generations:
        if generation.is_live if namespace is None else generation.namespace == namespace:
            if not generation.takes_changes:
                raise UserError(
                    f"the index {namespace} was replaced; moodsearch models build"
                    f" {generation.clap_model} brings it up to date"
                )
            return backends.of(generation)
    raise UserError(f"there is no index {namespace}; moodsearch models list shows them")


def found_index(backends: Backends) -> Generation:
    """The index of the backends' model, made when there is none: the very first answers at once,
    any other when somebody has asked for it. Raises as `refuse_collapsed_model` does."""
    found = backends.generations.find(backends.track_model)
    if found is not None:
        return found
    refuse_collapsed_model(backends)
    if backends.settings.clap_model == "offline":
        keep_shipped_model(backends.store)
    return backends.generation


def take_over_when_fit(backends: Backends) -> bool:
    """Have the model's index answer, if it is being built, is complete, and holds what is recorded
    of it. Returns whether it took over now."""
    generations = backends.generations
    generation = generations.find(backends.track_model)
    if generation is None or not generation.is_building or not generations.is_complete(generation):
        return False
    recorded = Overview(backends.database).count_indexed(generation.id)
    if backends.vectors.count() != recorded or not generations.promote_when_complete(generation):
        return False
    # Genres that only the model that answers may predict.
    backends.work.reconcile()
    return True


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
