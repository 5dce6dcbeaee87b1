"""The default tests' fixture: a small CLAP as ONNX files, and what transformers answers with it."""

from pathlib import Path
from typing import Final

import numpy as np

from parity import export, network, odd_graphs, reference, sentences, signals, tokenizer

FOLDER: Final = Path(__file__).resolve().parents[1] / "tests" / "embedding" / "clap_fixture"
MASKED: Final = "onnx/text_model_masked.onnx"
_VOCABULARY: Final = 560


def write(folder: Path) -> None:
    """Every file of it, anew. The model is asked before it is exported, in case that changes it."""
    folder.mkdir(parents=True, exist_ok=True)
    words = tokenizer.train(sentences.DESCRIPTIONS, _VOCABULARY)
    words.save(str(folder / export.TOKENIZER))
    ids = export.token_ids(folder / export.TOKENIZER, signals.QUERIES)
    extractor = network.feature_extractor()
    sounds = signals.signals()
    spectrograms = {kind: reference.mel(extractor, samples) for kind, samples in sounds.items()}
    config = network.small_config(words.get_vocab_size())
    model = network.random_clap(config, list(spectrograms.values()), ids, in_bytes=True)
    wrong = {kind: reference.wrong_mel(extractor, sounds[kind]) for kind in signals.FULL_AND_LOUD}
    np.savez_compressed(
        folder / signals.GOLDEN,
        **{f"mel {kind}": each[signals.GOLDEN_FRAMES] for kind, each in spectrograms.items()},
        audio=reference.audio_vectors(model, spectrograms.values()),
        audio_of_wrong_mel=reference.audio_vectors(model, wrong.values()),
        text=reference.text_vectors(model, ids),
        text_without_end=reference.text_vectors(model, [each[:-1] for each in ids]),
        ids=np.concatenate(ids).astype(np.int64),
        lengths=np.array([len(each) for each in ids]),
    )
    export.write_small_files(folder, words, extractor, model.config)
    export.audio_graph(model, folder / export.AUDIO)
    export.text_graph(model, folder / export.TEXT)
    export.text_graph(model, folder / MASKED, masked=True)
    export.to_int8(folder / export.AUDIO, folder / export.AUDIO_INT8, signed=False)
    export.to_int8(folder / export.TEXT, folder / export.TEXT_INT8, signed=True)
    for path in sorted((folder / "onnx").iterdir()):
        export.pack(path)
    odd_graphs.write(folder / "odd")
