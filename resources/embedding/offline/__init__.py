"""The model that ships with the source: its weights, pre-processing and two towers.

Runs on NumPy and ONNX Runtime alone. How it is trained is in `training/`, what it can and cannot
do in `docs/offline-model.md`. Nothing here reads settings or the network.
"""

from resources.embedding.offline.model import load_offline_model

__all__ = ["load_offline_model"]
