"""Both stores, empty; S3 is moto's server on loopback, one for each
test session."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from resources.object_store.folder import FolderStore
from resources.object_store.protocol import ObjectStore
from resources.object_store.s3 import S3Store

ACCESS_KEY_ID = "an-access-key-id"
SECRET_ACCESS_KEY = "the-secret-access-key"


def _serve(connection: Connection) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    connection.send(server.get_host_and_port()[1])
    with suppress(EOFError):
        connection.recv()


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    # In a process of its own, so that tests can measure the client's memory.
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    yield f"http://127.0.0.1:{ours.recv()}"
    ours.close()
    process.join()


@pytest.fixture(scope="session")
def s3_client(s3_endpoint: str) -> Any:
    """An S3 client that is not ours, to see and change what is in the buckets."""
    return boto3.client(
        "s3",
        endpoint_url=s3_endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
    )


@pytest.fixture
def s3_bucket(s3_client: Any) -> str:
    """The name of a new bucket."""
    name = f"bucket-{uuid.uuid4().hex}"
    s3_client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def s3_store(s3_endpoint: str, s3_bucket: str) -> S3Store:
    return S3Store(s3_endpoint, s3_bucket, ACCESS_KEY_ID, SECRET_ACCESS_KEY)


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "objects")
    s3_store: S3Store = request.getfixturevalue("s3_store")
    return s3_store
