"""Stage 3: write both towers as the product loads them.

The audio tower becomes ONNX with batch normalisation folded in and weights kept as float16 (cast
back when the session loads); the text tower becomes one compressed .npz and a list of word pieces.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from resources.embedding.offline.mel import FRAMES, MEL_BANDS
from training.network import PARTS, SHARES, AudioTower, TextTower
from training.teacher import load as load_table

_LARGE = 256  # smaller tensors stay float32


def export(checkpoint: Path, table: Path, weights: Path) -> None:
    """Write audio.onnx, text.npz and vocabulary.txt into `weights`."""
    weights.mkdir(parents=True, exist_ok=True)
    state = torch.load(checkpoint)
    _export_audio(state["audio"], weights / "audio.onnx")
    _export_text(state["text"], table, weights)
    sizes = {path.name: path.stat().st_size for path in sorted(weights.iterdir())}
    print(sizes, f"{sum(sizes.values()) / 1e6:.2f} MB")


def _export_audio(state: dict[str, torch.Tensor], path: Path) -> None:
    tower = AudioTower()
    tower.load_state_dict(state)
    tower.eval()
    example = torch.rand(2, MEL_BANDS, FRAMES)
    torch.onnx.export(
        tower, (example,), str(path), input_names=["spectrogram"], output_names=["embedding"],
        dynamic_axes={"spectrogram": {0: "batch"}, "embedding": {0: "batch"}}, opset_version=17,
        do_constant_folding=True, dynamo=False,
    )  # fmt: skip
    model = onnx.load(str(path))
    _store_half(model)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _store_half(model: onnx.ModelProto) -> None:
    """Keep large weights as float16 with a cast in front of their use."""
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < _LARGE:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)


def _export_text(state: dict[str, torch.Tensor], table_path: Path, weights: Path) -> None:
    table = load_table(table_path)
    tower = TextTower(table.table.shape[1])
    tower.load_state_dict(state)
    arrays = {
        "skip": tower.skip.weight.T,
        "hidden": tower.hidden.weight.T,
        "hidden_bias": tower.hidden.bias,
        "out": tower.out.weight.T,
        "bias": tower.skip.bias,
    }
    # numpy.savez writes fixed zip timestamps, so equal weights give equal bytes.
    np.savez_compressed(
        weights / "text.npz", table=table.table, scales=table.steps * table.importances,
        split=np.array(PARTS[0]), share=np.array(SHARES[0]),
        **{name: a.detach().numpy().astype(np.float16) for name, a in arrays.items()},
    )  # fmt: skip
    (weights / "vocabulary.txt").write_text("\n".join(table.pieces), encoding="ascii")
