"""The embedding service: one model behind `POST /embed_audio` and `POST /embed_text`.

An ASGI application that runs under uvicorn (`python -m serving.embedding_service`) and on Modal
(`modal_app`, the one module that imports Modal). It hears what the pipeline hears, through the same
functions. Nothing here knows the catalogue.
"""

from serving.embedding_service.app import create_embedding_service
from serving.embedding_service.limits import Limits
from serving.embedding_service.model import open_model

__all__ = ["Limits", "create_embedding_service", "open_model"]
