"""What the sensor of changes remembers between its ticks: when it last compared everything, and
which changes it has not told of yet. Work itself is never remembered here."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Final, Self

OBSERVE_EVERY_SECONDS: Final = 60
"""While changes go on and on: an observation for each tick would flood the event log."""


@dataclass(frozen=True)
class ChangesCursor:
    """`compared_at`, `observed_at`: Unix times. `changes`: absorbed since the last observation.
    `tried_with`: with which settings what failed was last tried again (`Backends.tried_with`).
    `models`: what was last told of them, `models_seen_at`: when they were last looked at."""

    compared_at: float = 0.0
    observed_at: float = 0.0
    changes: int = 0
    tried_with: str = ""
    models: str = ""
    models_seen_at: float = 0.0

    @classmethod
    def read(cls, text: str | None) -> Self:
        return cls(**json.loads(text)) if text else cls()

    def write(self) -> str:
        return json.dumps(asdict(self))

    def absorbed(self, changes: int) -> Self:
        return replace(self, changes=self.changes + changes)

    def compared(self, now: float) -> Self:
        return replace(self, compared_at=now)

    def tried(self, tried_with: str) -> Self:
        return replace(self, tried_with=tried_with)

    def observed(self, now: float) -> Self:
        return replace(self, observed_at=now, changes=0)

    def saw_models(self, models: str, now: float) -> Self:
        return replace(self, models=models, models_seen_at=now)

    def should_see_models(self, now: float) -> bool:
        return now - self.models_seen_at >= OBSERVE_EVERY_SECONDS

    def should_observe(self, now: float) -> bool:
        return self.changes > 0 and now - self.observed_at >= OBSERVE_EVERY_SECONDS
