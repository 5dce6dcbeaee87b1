"""What to do with the vectors of excluded texts: measures ways to combine them (docs/queries.md).

`python -m training.exclusions --samples FOLDER` prints, for each way,

- violations: the share of the first ten results that have what was excluded, over queries whose
  plain form does find some (demo and samples),
- precision: the mean average precision of what is wanted and not excluded (demo and samples),
- kept: how often the wanted style stays first where nothing of the style is excluded (demo).

`serving/search/exclusion.py` has what was chosen.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resources.embedding.local import load_local_model
from resources.embedding.protocol import EmbeddingModel
from resources.settings import Settings
from serving.search.exclusion import NEUTRAL_TEXT, anything_without, without
from training.judged import Sounds, demo_sounds, sample_sounds
from training.metrics import average_precision

Vectors = NDArray[np.float32]
FIRST = 10


@dataclass(frozen=True)
class Exclusion:
    """`right`, `wrong`: patterns of the names that are wanted, and that have what is excluded."""

    wanted: str
    excluded: str
    right: frozenset[str]
    wrong: frozenset[str]


def _excluding(wanted: str, excluded: str, right: Iterable[str], wrong: Iterable[str]) -> Exclusion:
    return Exclusion(wanted, excluded, frozenset(right) - frozenset(wrong), frozenset(wrong))


BEATS = {"driving techno", "drum and bass", "lo-fi hip hop", "chiptune", "synthwave",
         "dub reggae", "jazz trio"}  # fmt: skip
PIANO, STRINGS, CHOIR = {"solo piano", "jazz trio"}, {"string quartet"}, {"choir"}
ELECTRONIC = {"driving techno", "drum and bass", "lo-fi hip hop", "chiptune", "synthwave",
              "dark ambient drone", "harsh noise"}  # fmt: skip
ACOUSTIC = {"solo piano", "string quartet", "acoustic guitar folk", "brass fanfare", "jazz trio",
            "choir", "meditation bells"}  # fmt: skip
CALM = {"dark ambient drone", "solo piano", "meditation bells", "choir", "lo-fi hip hop",
        "string quartet", "acoustic guitar folk"}  # fmt: skip
CLASSICAL = {"solo piano", "string quartet", "choir", "brass fanfare"}

DEMO = (
    _excluding("electronic music", "drums", ELECTRONIC, BEATS),
    _excluding("calm music", "drums", CALM, BEATS),
    _excluding("ambient", "drums", {"dark ambient drone", "meditation bells"}, BEATS),
    _excluding("dark ambient", "choir", {"dark ambient drone"}, CHOIR),
    _excluding("sacred music", "choir", {"meditation bells"}, CHOIR),
    _excluding("calm music", "piano", CALM, PIANO),
    _excluding("classical music", "piano", CLASSICAL, PIANO),
    _excluding("classical music", "strings", CLASSICAL, STRINGS),
    _excluding("classical music", "brass", CLASSICAL, {"brass fanfare"}),
    _excluding("classical music", "choir", CLASSICAL, CHOIR),
    _excluding("piano", "drums", PIANO, BEATS),
    _excluding("jazz", "piano", (), PIANO),
    _excluding("electronic dance music", "breakbeat", {"driving techno", "synthwave"},
               {"drum and bass"}),
    _excluding("drum loop", "techno", {"drum and bass", "lo-fi hip hop", "dub reggae"},
               {"driving techno"}),
    _excluding("retro electronic", "chiptune", {"synthwave"}, {"chiptune"}),
    _excluding("video game music", "8-bit", (), {"chiptune"}),
    _excluding("bells", "singing bowls", (), {"meditation bells"}),
    _excluding("noise", "distortion", (), {"harsh noise"}),
    _excluding("groovy beat", "reggae", BEATS, {"dub reggae"}),
    _excluding("relaxing", "bells", CALM, {"meditation bells"}),
    _excluding("acoustic", "guitar", ACOUSTIC, {"acoustic guitar folk"}),
    _excluding("electronic", "harsh noise", ELECTRONIC, {"harsh noise"}),
    _excluding("hip hop beat", "vinyl crackle", BEATS, {"lo-fi hip hop"}),
    _excluding("slow and sad", "strings", CALM, STRINGS),
)  # fmt: skip
SAMPLES = (
    _excluding("drum hit", "snare", {"bd_*", "drum_*", "*kick", "*tom*"}, {"sn_*", "*snare*"}),
    _excluding("percussion", "tabla", {"perc_*", "drum_*", "bd_*", "hat_*", "sn_*"}, {"tabla_*"}),
    _excluding("percussion", "hi-hat", {"bd_*", "sn_*", "tabla_*", "perc_*"}, {"hat_*"}),
    _excluding("drum", "kick drum", {"sn_*", "drum_*", "hat_*"}, {"bd_*", "*kick"}),
    _excluding("cymbal", "hi-hat", {"drum_cymbal*", "drum_splash*", "ride_*"}, {"hat_*"}),
    _excluding("electronic sound", "bell", {"elec_*", "glitch_*"}, {"*bell*", "*chime*"}),
    _excluding("atmosphere", "choir", {"ambi_*"}, {"*choir*"}),
    _excluding("atmosphere", "drone", {"ambi_*"}, {"*drone", "*hum"}),
    _excluding("robot", "telephone", {"*robot*"}, {"*phone*"}),
    _excluding("drum loop", "breakbeat", {"loop_*", "arovane_*"}, {"loop_amen"}),
    _excluding("bass", "drum and bass", {"bass_*"}, {"bass_dnb*"}),
)
ABSENT = (
    ("solo piano", "drums", "solo piano"),
    ("solo piano", "strings", "solo piano"),
    ("piano", "strings", "solo piano"),
    ("driving techno", "vocals", "driving techno"),
    ("techno", "vocals", "driving techno"),
    ("string quartet", "drums", "string quartet"),
    ("chiptune", "vocals", "chiptune"),
    ("dark ambient drone", "beat", "dark ambient drone"),
    ("meditation bells", "drums", "meditation bells"),
    ("choir in a cathedral", "drums", "choir"),
    ("acoustic guitar folk", "drums", "acoustic guitar folk"),
    ("harsh noise", "melody", "harsh noise"),
    ("drum and bass", "vocals", "drum and bass"),
    ("lo-fi hip hop", "rap", "lo-fi hip hop"),
    ("dub reggae", "vocals", "dub reggae"),
    ("brass fanfare", "strings", "brass fanfare"),
    ("jazz trio", "saxophone", "jazz trio"),
    ("jazz", "saxophone", "jazz trio"),
    ("synthwave", "vocals", "synthwave"),
)
"""Wanted, excluded, and the style, which has nothing of what is excluded."""
ONLY = (
    ("drums", BEATS), ("piano", PIANO), ("vocals", CHOIR), ("choir", CHOIR),
    ("guitar", {"acoustic guitar folk"}), ("strings", STRINGS), ("beat", BEATS),
    ("noise", {"harsh noise"}), ("bells", {"meditation bells"}), ("brass", {"brass fanfare"}),
    ("techno", {"driving techno"}), ("percussion", BEATS | {"brass fanfare"}),
)  # fmt: skip
"""Excluded alone, and the styles that have it."""

Rank = Callable[[Vectors, Vectors, Vectors], Vectors]
"""Scores (n,) of sounds (n, 512) for a wanted and an excluded text (512,)."""


def _subtract(weight: float, sounds: Vectors, wanted: Vectors, excluded: Vectors) -> Vectors:
    return sounds @ without(wanted, [excluded], weight)


def _subtract_across(weight: float, sounds: Vectors, wanted: Vectors, excluded: Vectors) -> Vectors:
    """Only what the excluded text does not share with the wanted one."""
    return sounds @ (wanted - weight * (excluded - (excluded @ wanted) * wanted))


def _project_out(sounds: Vectors, wanted: Vectors, excluded: Vectors) -> Vectors:
    return sounds @ (wanted - (wanted @ excluded) * excluded)


def _penalise(weight: float, sounds: Vectors, wanted: Vectors, excluded: Vectors) -> Vectors:
    """What has more than a little of it; no vector can do that, results must be ranked again."""
    return sounds @ wanted - weight * np.maximum(0, sounds @ excluded - 0.2)


WAYS: Mapping[str, Rank] = {
    "the exclusion left out": partial(_subtract, 0.0),
    **{
        f"subtract {weight}": partial(_subtract, weight) for weight in (0.3, 0.35, 0.4, 0.5, 0.7, 1)
    },
    **{f"subtract {weight} across": partial(_subtract_across, weight) for weight in (0.5, 0.7, 1)},
    "project out": _project_out,
    **{f"penalise {weight}": partial(_penalise, weight) for weight in (0.5, 1, 2)},
}


def measure(
    queries: Iterable[Exclusion], sounds: Sounds, model: EmbeddingModel, rank: Rank | None
) -> tuple[float, float]:
    """Violations and precision. Without `rank`: of the query as it is typed, embedded whole."""
    violations, precisions = [], []
    for query in queries:
        wanted, excluded, typed = model.embed_text(
            [query.wanted, query.excluded, f"{query.wanted} without {query.excluded}"]
        )
        vectors = sounds.vectors
        scores = rank(vectors, wanted, excluded) if rank else vectors @ typed
        wrong = sounds.are(query.wrong)
        violations.append(wrong[np.argsort(-scores)[:FIRST]].mean())
        right = sounds.are(query.right) & ~wrong
        if right.any():
            precisions.append(average_precision(scores, right))
    return float(np.mean(violations)), float(np.mean(precisions))


def kept(sounds: Sounds, model: EmbeddingModel, rank: Rank | None) -> float:
    """How often the wanted style is first although something is excluded that it has not."""
    first = []
    for wanted, excluded, style in ABSENT:
        texts = model.embed_text([wanted, excluded, f"{wanted} without {excluded}"])
        vectors = sounds.vectors
        scores = rank(vectors, texts[0], texts[1]) if rank else vectors @ texts[2]
        first.append(sounds.names[int(scores.argmax())] == style)
    return float(np.mean(first))


Combine = Callable[[Vectors, list[Vectors]], Vectors]

ONLY_WAYS: Mapping[str, Combine | None] = {
    "embedded as typed": None,
    "the exclusion left out": partial(without, weight=0.0),
    **{f'"{NEUTRAL_TEXT}" - {weight}': partial(without, weight=weight) for weight in (0.5, 1, 1.5)},
    **{
        f"projected out - {weight}": partial(anything_without, weight=weight)
        for weight in (0, 0.3, 0.5, 0.7, 1)
    },
}


def only_excluded(
    sounds: Sounds, model: EmbeddingModel, combine: Combine | None
) -> tuple[float, float]:
    """Violations of queries such as "no drums": their mean, and those of the worst one."""
    neutral = model.embed_text([NEUTRAL_TEXT])[0]
    violations = []
    for excluded, wrong in ONLY:
        vector, typed = model.embed_text([excluded, f"no {excluded}"])
        query = typed if combine is None else combine(neutral, [vector])
        first = np.argsort(-(sounds.vectors @ query))[:FIRST]
        violations.append(sounds.are(wrong)[first].mean())
    return float(np.mean(violations)), float(np.max(violations))


def main() -> None:
    """Read the command line, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m training.exclusions", description=__doc__)
    parser.add_argument("--model", default="offline", help="any value of CLAP_MODEL")
    parser.add_argument("--samples", type=Path, required=True, help="Sonic Pi's samples (.flac)")
    options = parser.parse_args()
    model = load_local_model(Settings(clap_model=options.model))
    demo, samples = demo_sounds(model), sample_sounds(model, options.samples)
    print(f"{'':24} demo: violations precision  kept   samples: violations precision")
    for name, rank in {"embedded as typed": None, **WAYS}.items():
        violations, precision = measure(DEMO, demo, model, rank)
        others = measure(SAMPLES, samples, model, rank)
        print(
            f"{name:24} {violations:16.3f} {precision:9.3f} {kept(demo, model, rank):5.2f}"
            f" {others[0]:21.3f} {others[1]:9.3f}"
        )
    print(f"\n{'nothing but an exclusion':24} demo: violations worst")
    for name, combine in ONLY_WAYS.items():
        violations, worst = only_excluded(demo, model, combine)
        print(f"{name:24} {violations:16.3f} {worst:5.2f}")


if __name__ == "__main__":
    main()
