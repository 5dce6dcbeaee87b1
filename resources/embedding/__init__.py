"""Embedding models: text and 10-second audio windows into one space, behind one protocol."""

import os

# Else ONNX Runtime reports its use to Microsoft; it asks when it is first imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
