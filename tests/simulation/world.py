"""The world of one seed, and what happens in it next."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from assets.block_run import BlockConfig, NoProgress
from pipelines import backfill as backfills
from pipelines.jobs import JOB_NAMES
from pipelines.reconcile import drop_replaced_generations, reconcile_index
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.generations import Generation
from resources.catalogue.work.pending import Job
from resources.errors import MoodSearchError, UserError
from resources.settings import ModelSetting
from serving.cli import models as commands
from tests.simulation.app import App
from tests.simulation.backends import Outside, Seams
from tests.simulation.clock import Clock
from tests.simulation.daemon import Daemon
from tests.simulation.database import SimulatedDatabase
from tests.simulation.faults import PLACES, Gate, UnforeseenError
from tests.simulation.invariants import Invariants, ViolationError, expect
from tests.simulation.outside import SimulatedClassifier, SimulatedModel, SimulatedObjects
from tests.simulation.schedule import Schedule

BLOCK_SIZE: Final = 12
MOST_ACTORS: Final = 6

INDEX, GENRES = "index_tracks", "classify_genres"


@dataclass(frozen=True)
class Plan:
    """What a seed decides once, so that a few seeds in a row meet everything. `rate`: of faults
    (`Gate`); where it is 0 nothing is killed, either, and the index never holds more than the
    catalogue."""

    rate: float
    needs_embedding: bool
    reconciles: bool
    two_models: bool

    @classmethod
    def of(cls, seed: int) -> "Plan":
        return cls(
            rate=(0.0, 0.002, 0.005, 0.015)[seed % 4],
            needs_embedding=seed // 4 % 2 == 0,
            reconciles=seed // 2 % 2 == 1,
            two_models=seed % 3 != 1,
        )

    @property
    def is_calm(self) -> bool:
        return self.rate == 0


class World:
    def __init__(self, url: str, seed: int) -> None:
        self.rng = random.Random(seed)
        self.plan = Plan.of(seed)
        self.schedule = Schedule()
        self.gate = Gate(self.schedule, self.rng)
        self._look = psycopg.connect(url, row_factory=dict_row, autocommit=True)
        self._look.execute(
            "UPDATE moodsearch.settings SET value = to_jsonb(%s::int) WHERE key = 'block_size'",
            [BLOCK_SIZE],
        )
        # The tables are an app's: its files are its own, whatever becomes of a track.
        self._look.execute(
            "UPDATE moodsearch.settings SET value = 'false' WHERE key = 'owns_catalogue'"
        )
        self.clock = Clock(self._look)
        store = SimulatedObjects(self.gate)
        names = ("simulated/first", "simulated/second")
        self.models = [SimulatedModel(name, self.gate) for name in names]
        self.configured = self.models[0]
        self.outside = Outside(
            url,
            self.gate,
            self.clock,
            SimulatedDatabase(url, self.gate, self.clock),
            store,
            SimulatedClassifier(self.gate, store, self.plan.needs_embedding),
            {model.name: model for model in self.models},
        )
        self.app = App(url, self.gate, self.rng, store)
        self.daemon = Daemon(self.schedule, self.gate, self.open_backends)
        self.seams = Seams(self.schedule, self.outside)
        self.steps = 0
        self._next_rest = self.rng.randint(300, 1_200)
        with self.seams:
            self.invariants = Invariants(
                self._look,
                self.app,
                self.models,
                self.outside,
                BLOCK_SIZE,
                self.configured,
                self.open_backends(),
            )

    def close(self) -> None:
        self.gate.rate, self.gate.down = 0.0, set()
        for actor in list(self.schedule.actors):
            self.schedule.kill(actor)
        self.app.close()
        self.outside.database.close()
        self._look.close()

    def open_backends(self) -> Backends:
        """As a new process opens them."""
        return self.outside.open_backends(self.configured)

    # One step.

    def step(self) -> None:
        self.gate.rate = self.plan.rate
        if self.schedule.actors and self.rng.random() < 0.8:
            self.resume()
        else:
            self.steps += 1
            events, weights = zip(*self._events(), strict=True)
            self.rng.choices(events, weights)[0]()
            self.invariants.check_step()
        if self.steps >= self._next_rest:
            self.rest()
            self._next_rest = self.steps + self.rng.randint(300, 1_200)

    def resume(self) -> None:
        """Some actor goes on."""
        self.steps += 1
        actor = self.rng.choice(self.schedule.actors)
        before = self.gate.writes
        self.schedule.resume(actor)
        if self.gate.writes != before:
            self.invariants.check_step()
        if actor.place == "a retry":
            # What it had not stored is lost, and done again.
            self.invariants.unstored.pop(actor.name, None)
        if self.steps % 25 == 0:
            self.invariants.check_answers()

    def _events(self) -> list[tuple[Callable[[], None], float]]:
        events: list[tuple[Callable[[], None], float]] = [
            (self.app.edit, 30),
            (lambda: self.daemon.tick(INDEX), 20),
            (lambda: self.daemon.tick(GENRES), 5),
            (self._launch, 25),
            (self._pass_time, 15),
            (self.app.finish_uploads, 2),
            (self._late, 6),
            (self._backfill, 2),
            (self._reconcile, 1 if self.plan.reconciles else 0),
        ]
        if self.plan.two_models:
            events += [
                (self._configure_the_other_model, 1),
                (self._build, 3),
                (self._promote, 1),
                (self._roll_back, 2),
                (self._drop, 0.8),
                (self._drop_old_generations, 0.5),
            ]
        if self.invariants.switching:
            # A person repeats a command that failed; or the night comes.
            events.append((self._reconcile, 10))
        if not self.plan.is_calm:
            events += [
                (self._kill_one, 4),
                (self._restart, 0.5),
                (self._begin_or_end_outage, 2),
                (self._hide_or_show_object, 2),
                (self._lose_lock, 0.3),
            ]
        return events

    def _launch(self) -> None:
        queued = self.daemon.queued()
        if queued and len(self.schedule.actors) < MOST_ACTORS:
            self.daemon.launch(self.rng.choice(queued))

    def _pass_time(self) -> None:
        self.clock.advance(self.rng.choice([1, 5, 30, 90, 600, 7_200]))

    def _kill_one(self) -> None:
        if self.schedule.actors:
            actor = self.rng.choice(self.schedule.actors)
            self.gate.note(f"killed: {actor.name} before {actor.place}")
            self.schedule.kill(actor)

    def _restart(self) -> None:
        self.gate.note("the daemon is restarted")
        self.daemon.restart()

    def _names(self) -> set[str]:
        return {actor.name for actor in self.schedule.actors}

    def _begin_or_end_outage(self) -> None:
        if self.gate.down:
            self.gate.down.clear()
        else:
            place = self.rng.choice(PLACES)
            self.gate.note(f"an outage: {place}")
            self.gate.down.add(place)

    def _hide_or_show_object(self) -> None:
        """A table is out of reach, for a while or until it is given up."""
        hidden = self.outside.store.hidden
        if hidden:
            hidden.clear()
        else:
            tables = [key for key in self.outside.store.objects if key.endswith(".parquet")]
            if tables:
                key = self.rng.choice(sorted(tables))
                self.gate.note(f"out of reach: {key}")
                hidden.add(key)

    def _late(self) -> None:
        if self.app.has_open_transaction:
            self.app.end_late()
        else:
            self.app.begin_late()

    def _lose_lock(self) -> None:
        """Between two transactions: between the look at a lock and a write, no lock can help."""
        holders = [
            actor
            for actor in self.schedule.actors
            if actor.name in self.outside.database.locks
            and actor.place == "database: a transaction"
        ]
        if holders:
            actor = self.rng.choice(holders)
            self.gate.note(f"lost its lock: {actor.name}")
            self.invariants.locks_lost.add(actor.name)
            self.outside.database.lose_lock(actor.name)

    def _configure_the_other_model(self) -> None:
        """Everything is started anew with other settings, and works on the index that answers."""
        self.gate.note("another model is configured")
        for actor in list(self.schedule.actors):
            self.schedule.kill(actor)
        self.daemon.restart()
        self.configured = next(model for model in self.models if model is not self.configured)
        self.invariants.configure(self.configured, self.open_backends())

    def _drop_old_generations(self) -> None:
        self._command("housekeeping", drop_replaced_generations)

    def _backfill(self) -> None:
        limit = self.rng.choice([None, 3])
        self._command("backfill", lambda backends: _build_index(backends, limit), switches=True)

    def _build(self) -> None:
        setting = ModelSetting(self.rng.choice(self.models).name, "int8")
        self._command(
            "build", lambda backends: _build_index(backends.for_model(setting)), switches=True
        )

    def _promote(self) -> None:
        name = self.rng.choice(self.models).name
        self._models_command("promote", lambda: commands.promote(name))

    def _roll_back(self) -> None:
        def run() -> None:
            commands.rollback()
            self.gate.note("rolled back")
            self.invariants.rolled_back()

        self._models_command("rollback", run)

    def _drop(self) -> None:
        name = self.rng.choice(self.models).name
        self._models_command("drop", lambda: commands.drop(name))

    def _models_command(self, name: str, run: Callable[[], object]) -> None:
        """`moodsearch models`, as the command line runs it."""
        self._command(name, lambda _: run(), switches=True)

    def _command(
        self, name: str, run: Callable[[Backends], object], *, switches: bool = False
    ) -> None:
        """In a process of its own, one of each at a time. `switches`: it begins or brings back an
        index, and then lists what is to be done for it, if it comes to that."""
        names = [actor.name.split("-")[0] for actor in self.schedule.actors]
        if name in names or len(names) >= MOST_ACTORS:
            return

        def body() -> None:
            assert self.schedule.current is not None
            who = self.schedule.current.name
            if switches:
                self.invariants.switching.add(who)
            try:
                run(self.open_backends())
            except (MoodSearchError, UnforeseenError) as error:
                self.gate.note(f"a command failed: {name}: {error}")
                if not isinstance(error, UserError):
                    return
            self.invariants.switching.discard(who)

        self.daemon.actor(name, body)

    def _reconcile(self) -> None:
        """As every night."""

        def run(backends: Backends) -> None:
            interrupted = self.invariants.switching - self._names()
            backends.work.reconcile()
            self.invariants.switching -= interrupted
            indexes = [each for each in backends.generations.all() if each.takes_changes]
            if sum(reconcile_index(backends.of(each)) for each in indexes):
                backends.work.reconcile()

        self._command("reconcile", run)

    # Rest: all is well, and everything comes to its end.

    def rest(self) -> None:
        """Faults end, actors and the work come to their end; then the index equals the catalogue,
        and nothing was needed that compares everything."""
        self.gate.note("rest")
        self.gate.rate, self.gate.down = 0.0, set()
        self.outside.store.hidden.clear()
        self.app.end_late()
        self.app.finish_uploads()
        self.daemon.restart()
        # As with a new version: what failed without being the audio's fault is tried again.
        self.open_backends().records.forget_failures(but_tried_with="another version")
        self._finish_actors()
        if self.invariants.switching:
            self._reconcile()
        self._until_nothing_is_left()
        self._complete_what_is_being_built()
        self.invariants.check_rest(exactly=self.plan.is_calm)
        if self.plan.is_calm:
            self.invariants.check_replaced()
        if self.plan.reconciles:
            self._reconcile()
            self._until_nothing_is_left()
            self._complete_what_is_being_built()
            self.invariants.check_rest(exactly=True)
            expect(self._being_built() is None, "an index is complete and does not take over")
        # Keyword search is not simulated. Autovacuum is off: it would lock when it likes.
        self._look.execute("DELETE FROM moodsearch.outbox WHERE consumer = 'names'")
        self._look.execute("VACUUM tracks, moodsearch.work, moodsearch.outbox, simulated.clock")

    def _being_built(self) -> Generation | None:
        self.invariants.look_around()
        return next((each for each in self.invariants.generations if each.is_building), None)

    def _complete_what_is_being_built(self) -> None:
        """What is complete takes over with its last run, or else when a person looks after it."""
        built = self._being_built()
        if built is None:
            return
        self.gate.note("complete and not taken over by itself")
        self._command("build", lambda backends: _build_index(backends.of(built)))
        self._until_nothing_is_left()

    def _until_nothing_is_left(self) -> None:
        for _ in range(60):
            self._finish_actors()
            for job in (INDEX, GENRES):
                self.daemon.tick(job)
            self._finish_actors()
            while queued := self.daemon.queued():
                self.daemon.launch(queued[0])
                self._finish_actors()
            if not self._anything_listed():
                return
            self.clock.advance(7 * 3_600)
        raise ViolationError(f"work that never ends: {self._anything_listed()}")

    def _anything_listed(self) -> list[dict[str, object]]:
        return self._look.execute(
            "SELECT 'change' AS job, id AS track_id, NULL AS last_error FROM moodsearch.outbox"
            " WHERE consumer = 'work'"
            " UNION ALL SELECT job, track_id, last_error FROM moodsearch.work"
        ).fetchall()

    def _finish_actors(self) -> None:
        for _ in range(20_000):
            if not self.schedule.actors:
                return
            self.resume()
        raise ViolationError(f"actors that never end: {self._names()}")


def _build_index(backends: Backends, limit: int | None = None) -> None:
    tracks = backfills.plan(backends, limit)
    backfills.backfill(backends, tracks, progress=NoProgress(), concurrency=1)


def by_hand(world: World) -> Callable[..., str | None]:
    """Stands in for Dagster's execution in process, in a backfill."""

    def run(
        _instance: object,
        job: Job,
        block: Block,
        config: Mapping[str, Any],
        tags: Mapping[str, str],
        overrides: Mapping[str, Any],
    ) -> str | None:
        run = world.daemon.instance.add(JOB_NAMES[job], block, BlockConfig(**config), **tags)
        return world.daemon.run_now(run, overrides["backends"])

    return run
