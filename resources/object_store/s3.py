"""Objects in Cloudflare R2 or any other S3."""

import hashlib
import io
import mimetypes
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, cast
from urllib.parse import quote, urlsplit

import boto3
import botocore.session
from boto3.s3.transfer import TransferConfig, TransferManager
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from resources.errors import BackendError, ConfigurationError, ObjectNotFoundError
from resources.object_store.keys import RESERVED_PREFIX, InvalidKeyError, validate_key
from resources.object_store.protocol import open_source
from resources.object_store.ranges import RangeReader
from resources.object_store.s3_errors import no_object_store, translated
from resources.object_store.s3_requests import BoundedRequests, DeadlineExecutor
from resources.web.deadline import PATIENCE_SECONDS, TransferDeadline
from resources.web.http import printable_secret

URL_LIFETIME_SECONDS: Final = 3600
"""How long others may fetch an object under a presigned URL."""

PART_BYTES: Final = 16 << 20
"""Files above this size are uploaded in parts, so that a retry does not start over."""

READ_ATTEMPTS: Final = 3
"""The client retries requests, but not an answer's body that breaks off."""


class S3Store:
    """Objects in one bucket, over one pooled client that is safe to share between threads.

    `endpoint_url`: such as `https://<account>.r2.cloudflarestorage.com`. `public_bucket_url`: where
    its objects are public, if they are. `max_attempts`: of each request, with the growing delays of
    botocore's standard mode; all of a call together may be silent, or too slow, for
    `patience_seconds` (`TransferDeadline`). Raises `ConfigurationError` for an unusable endpoint.
    """

    is_remote = True

    def __init__(
        self,
        endpoint_url: str,
        bucket: str,
        access_key_id: str,
        secret_access_key: str,
        public_bucket_url: str | None = None,
        *,
        max_attempts: int = 4,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._host = urlsplit(endpoint_url).hostname or endpoint_url
        self._bucket = bucket
        self._public_bucket_url = public_bucket_url
        config = Config(
            # R2 has one region; path addressing needs no DNS name for each bucket.
            region_name=region_of(self._host),
            s3={"addressing_style": "path"},
            signature_version="s3v4",
            retries={"mode": "standard", "total_max_attempts": max_attempts},
            # Not every S3 server takes the checksums that botocore adds by default since 1.36.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        session = botocore.session.Session()
        try:
            self._client = boto3.session.Session(botocore_session=session).client(
                "s3",
                endpoint_url=endpoint_url,
                aws_access_key_id=printable_secret("AWS_ACCESS_KEY_ID", access_key_id),
                aws_secret_access_key=printable_secret("AWS_SECRET_ACCESS_KEY", secret_access_key),
                config=config,
            )
        except ValueError:
            raise ConfigurationError("R2_ENDPOINT_URL is not a usable web address") from None
        # Half of the patience, so that one lost connection does not use it up.
        BoundedRequests(
            self._client, patience_seconds / 2, session.get_config_variable("ca_bundle")
        )
        self._patience_seconds = patience_seconds

    def __repr__(self) -> str:
        return f"S3Store(host={self._host!r}, bucket={self._bucket!r})"

    def put(self, key: str, data: bytes) -> None:
        with self._asking(key):
            answer = self._client.put_object(
                **self._at(key), Body=data, ContentType=_content_type(key)
            )
        # What is not S3 may answer anything with 200; and only some stores' ETag is the MD5.
        if (
            answer.get("ETag", "").strip('"')
            != hashlib.md5(data, usedforsecurity=False).hexdigest()
        ):
            self._confirm(key, len(data))

    def put_file(self, key: str, path: Path) -> None:
        target = self._at(key)
        open_source(path).close()
        with self._asking(key):
            config = TransferConfig(
                multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=4
            )
            with TransferManager(self._client, config, executor_cls=DeadlineExecutor) as uploads:
                uploads.upload(
                    str(path), target["Bucket"], target["Key"], {"ContentType": _content_type(key)}
                ).result()
        self._confirm(key, path.stat().st_size)

    def get(self, key: str) -> bytes:
        return self._read(key)

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        size, etag = self._head(key)
        fetch = partial(self._fetch_range, key, etag)
        with io.BufferedReader(RangeReader(size, fetch)) as file:
            yield cast(BinaryIO, file)

    def exists(self, key: str) -> bool:
        try:
            self._head(key)
        except ObjectNotFoundError:
            return False
        return True

    def size(self, key: str) -> int:
        return self._head(key)[0]

    def delete(self, key: str) -> None:
        with suppress(ObjectNotFoundError), self._asking(key):
            self._client.delete_object(**self._at(key))

    def keys(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        listed = iter(pages)
        while page := self._page(listed, prefix):
            for entry in page.get("Contents", []):
                # Such as the empty `folder/` that consoles create to show a folder.
                with suppress(InvalidKeyError):
                    yield validate_key(entry["Key"])

    def url(self, key: str) -> str | None:
        target = self._at(key)
        if self._public_bucket_url is not None:
            return f"{self._public_bucket_url.rstrip('/')}/{quote(key)}"
        return str(
            self._client.generate_presigned_url(
                "get_object", Params=target, ExpiresIn=URL_LIFETIME_SECONDS
            )
        )

    def check(self) -> None:
        target = {"Bucket": self._bucket, "Key": f"{RESERVED_PREFIX}check"}
        with self._asking(target["Key"]):
            self._client.put_object(**target, Body=b"")
            self._client.delete_object(**target)

    @contextmanager
    def _asking(self, key: str) -> Iterator[None]:
        """One call about the object `key`: it ends in time, with errors of this project."""
        with (
            TransferDeadline(self._patience_seconds).bounds(),
            translated(self._bucket, self._host, key),
        ):
            yield

    def _page(self, pages: Iterator[dict[str, Any]], prefix: str) -> dict[str, Any] | None:
        with self._asking(prefix):
            page = next(pages, None)
        if page and ("Name" not in page or not all("Key" in e for e in page.get("Contents", []))):
            # Any XML is read as a page, and as one of an empty bucket.
            raise no_object_store(self._host)
        return page

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": validate_key(key)}

    def _confirm(self, key: str, size: int) -> None:
        """Raises `BackendError` unless an object of that size is there."""
        with suppress(ObjectNotFoundError):
            if self._head(key)[0] == size:
                return
        raise BackendError(f"{self._host} took {key!r}, but does not have it")

    def _head(self, key: str) -> tuple[int, str]:
        """Bytes and ETag."""
        target = self._at(key)
        try:
            with self._asking(key):
                found = self._client.head_object(**target)
            if "ETag" not in found or "ContentLength" not in found:
                raise no_object_store(self._host)
            return int(found["ContentLength"]), str(found["ETag"])
        except ObjectNotFoundError:
            # The answer to HEAD has no body that would tell a missing bucket from a missing key.
            with self._asking(key):
                self._client.get_object(**target, Range="bytes=0-0")["Body"].close()
            raise

    def _fetch_range(self, key: str, etag: str, first: int, last: int) -> bytes:
        size = last - first + 1
        data = self._read(key, size + 1, Range=f"bytes={first}-{last}", IfMatch=etag)
        if len(data) != size:
            raise BackendError(f"{self._host} did not answer with the range that was asked for")
        return data

    def _read(self, key: str, most_bytes: int | None = None, **conditions: str) -> bytes:
        target = self._at(key)

        def body() -> Any:
            return self._client.get_object(**target, **conditions)["Body"]

        with self._asking(key):
            for _ in range(READ_ATTEMPTS - 1):
                answered = body()
                with suppress(BotoCoreError), answered:
                    return bytes(answered.read(most_bytes))
            with body() as last:
                return bytes(last.read(most_bytes))


def region_of(host: str) -> str:
    """The region to sign for: the one in names like `s3.eu-west-1.amazonaws.com`, else `auto`,
    which R2 asks for and most other servers take."""
    match = re.match(r"s3[.-]([a-z]+-[a-z0-9-]+)\.", host)
    return match.group(1) if match else "auto"


def _content_type(key: str) -> str:
    return mimetypes.guess_type(key)[0] or "application/octet-stream"
