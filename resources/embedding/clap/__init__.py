"""CLAP (arXiv 2211.06687) from its ONNX export: where its files come from, its mel spectrogram and
its two towers."""
