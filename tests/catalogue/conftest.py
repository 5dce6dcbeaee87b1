"""The comparison and the records that tests of the catalogue look at."""

import pytest

from resources.catalogue.database import Database
from resources.catalogue.work.pending import PendingWork
from resources.catalogue.work.records import TrackRecords
from tests.catalogue.rows import work_for


@pytest.fixture
def work(database: Database) -> PendingWork:
    return work_for(database)


@pytest.fixture
def records(database: Database) -> TrackRecords:
    return TrackRecords(database)
