"""One simulation: a database of its own, so many steps, and what came of them."""

import gc
import itertools
import logging
import os
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from unittest.mock import patch
from urllib.parse import quote

import psycopg
from psycopg import sql
from rich.console import Console

from resources.backends import Backends
from resources.catalogue.schema.migrate import migrate
from tests.simulation.clock import OPTIONS, make_clock
from tests.simulation.runs import SimulatedInstance
from tests.simulation.world import World, by_hand

_numbers = itertools.count()


@dataclass(frozen=True)
class Success:
    seed: int
    steps: int
    seconds: float
    counts: Counter[str]
    log: list[str]

    def __str__(self) -> str:
        happened = ", ".join(f"{count} {event}" for event, count in self.counts.most_common(12))
        return (
            f"seed {self.seed}: {self.steps} steps, {self.steps / self.seconds:.0f} a second;"
            f" {happened}"
        )


@dataclass(frozen=True)
class Failure:
    """`step`: at which it came."""

    seed: int
    step: int
    error: BaseException
    log: list[str]

    @property
    def replay(self) -> str:
        return f"make simulate SEED={self.seed} STEPS={self.step}"

    def __str__(self) -> str:
        what = "".join(traceback.format_exception(self.error)).strip()
        log = "\n".join(f"  {event}" for event in self.log)
        return (
            f"What happened before:\n{log}\n{what}\n"
            f"FAILED at step {self.step}: {self.error}\nReplay: {self.replay}"
        )


def prepare(server: str) -> None:
    """Settings of a server whose data is thrown away. Nothing may depend on when it cleans up."""
    with psycopg.connect(server, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")


def simulate(server: str, seed: int, steps: int) -> Success | Failure:
    """So many steps of a seed's world, and a rest at the end."""
    with _database(server) as url:
        world = World(url, seed)
        began = time.monotonic()
        try:
            with world.seams, _backfills(world), _commands(world), _quiet(), _tidy():
                while world.steps < steps:
                    world.step()
                world.rest()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return Failure(seed, world.steps, error, list(world.gate.log))
        finally:
            world.close()
        return Success(
            seed, world.steps, time.monotonic() - began, world.gate.counts, list(world.gate.log)
        )


@contextmanager
def _database(server: str) -> Iterator[str]:
    name = f"simulation_{os.getpid()}_{next(_numbers)}"
    url = server.replace("/moodsearch?", f"/{name}?") + f"&options={quote(OPTIONS)}"
    identifier = sql.Identifier(name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        try:
            with psycopg.connect(url, autocommit=True) as own:
                make_clock(own)
            migrate(url)
            yield url
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


@contextmanager
def _quiet() -> Iterator[None]:
    """Faults are what the simulation is made of."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _tidy() -> Iterator[None]:
    """Garbage is collected when an actor ends, and at no other time, which no seed decides."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


@contextmanager
def _backfills(world: World) -> Iterator[None]:
    """`pipelines.backfill` on the simulated instance."""

    @contextmanager
    def instance(_backends: object) -> Iterator[SimulatedInstance]:
        yield world.daemon.instance

    with (
        patch("pipelines.backfill.dagster_instance", instance),
        patch("pipelines.backfill._run", by_hand(world)),
    ):
        yield


@contextmanager
def _commands(world: World) -> Iterator[None]:
    """`moodsearch models`, each time in a process of its own."""

    def process(*_: object, **__: object) -> AbstractContextManager[Backends]:
        return nullcontext(world.open_backends())

    with (
        patch("serving.cli.models.load_settings"),
        patch("serving.cli.models.Backends", process),
        patch("serving.cli.models.console", lambda: Console(quiet=True)),
    ):
        yield
