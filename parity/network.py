"""CLAP with random weights, spread so that unlike inputs have unlike vectors.

transformers' own initial weights are so small that all vectors are nearly the same (cosine 0.99 and
more), and a comparison of them proves nothing.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

SEED = 20_220_611


def small_config(vocabulary: int) -> ClapConfig:
    """The structure of the real one in the fewest numbers: Swin blocks with and without a shift,
    RoBERTa, heads of two layers; a square of 256 and 512 dimensions are given."""
    return ClapConfig(
        audio_config={
            "patch_embeds_hidden_size": 8,
            "hidden_size": 64,
            "depths": [1, 2, 2, 1],
            "num_attention_heads": [1, 2, 4, 8],
        },
        text_config={
            "vocab_size": vocabulary,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 64,
            "max_position_embeddings": 96,
        },
    )


def feature_extractor() -> ClapFeatureExtractor:
    """With the values of laion/clap-htsat-unfused, which are not the class's own."""
    return ClapFeatureExtractor(
        truncation="rand_trunc", padding="repeatpad", frequency_min=50, frequency_max=14_000
    )


def random_clap(
    config: ClapConfig,
    features: Sequence[NDArray[np.float32]],
    ids: Sequence[Sequence[int]],
    *,
    in_bytes: bool = False,
) -> ClapModel:
    """In evaluation mode. `features`, (1001, 64) each, and `ids` are what it will be asked.

    `in_bytes`: large weights are whole multiples of a power of two, at most 127 of them.
    """
    torch.manual_seed(SEED)
    model = ClapModel._from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for module in model.modules():
            _spread(module)
        _listen(model.audio_model.audio_encoder.batch_norm, features)
        if in_bytes:
            for weights in model.parameters():
                _round(weights)
        _centre(model, features, ids)
    return model


def _spread(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Conv2d):
        # 1.5: what ReLU and GELU take away.
        nn.init.normal_(module.weight, std=1.5 * (module.weight[0].numel()) ** -0.5)
        if module.bias is not None:
            # The norm behind the convolution would leave nothing of a level but its sign.
            nn.init.normal_(module.bias, std=2.0 if isinstance(module, nn.Conv2d) else 0.1)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight)
        if module.padding_idx is not None:
            module.weight[module.padding_idx].zero_()
    elif isinstance(module, nn.LayerNorm | nn.BatchNorm2d):
        nn.init.normal_(module.weight, mean=1.0, std=0.1)
        nn.init.normal_(module.bias, std=0.1)
    table = getattr(module, "relative_position_bias_table", None)
    if table is not None:
        nn.init.normal_(table, std=0.5)


def _listen(norm: nn.BatchNorm2d, features: Sequence[NDArray[np.float32]]) -> None:
    """The statistics of each band, as training would have left them."""
    frames = torch.from_numpy(np.concatenate(features))
    norm.running_mean.copy_(frames.mean(dim=0))
    norm.running_var.copy_(frames.var(dim=0))


def _round(weights: torch.Tensor) -> None:
    step = 2.0 ** torch.ceil(torch.log2(weights.abs().max() / 127))
    weights.copy_(torch.round(weights / step) * step)


def _centre(
    model: ClapModel, features: Sequence[NDArray[np.float32]], ids: Sequence[Sequence[int]]
) -> None:
    """Take away what all vectors have in common, and hear well what they have not."""
    spectrograms = [torch.from_numpy(each)[None, None] for each in features]
    audio = [model.audio_model(input_features=each).pooler_output for each in spectrograms]
    text = [model.text_model(input_ids=torch.tensor([each])).pooler_output for each in ids]
    for head, inputs in ((model.audio_projection, audio), (model.text_projection, text)):
        pooled = torch.cat(inputs)
        first = head.linear1(pooled)
        head.linear1.bias -= first.mean(dim=0)
        # By powers of two, which change no digit of the weights.
        scale = 2.0 ** -torch.round(torch.log2((first - first.mean(dim=0)).std()))
        head.linear1.weight *= scale
        head.linear1.bias *= scale
        head.linear2.bias -= head(pooled).mean(dim=0)
