"""What S3's and botocore's errors mean here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from resources.errors import (
    BackendError,
    ConfigurationError,
    MoodSearchError,
    ObjectNotFoundError,
    UserError,
)
from resources.web.http import retry_after_seconds

# Codes are S3's ("Error responses" in the S3 API reference); a bare status is what botocore makes
# of an answer without a body, such as that to HEAD. R2 says `Unauthorized` to an unknown key id.
_NOT_FOUND: Final = frozenset({"NoSuchKey", "404", "NotFound"})
_UNKNOWN_KEY_ID: Final = frozenset({"InvalidAccessKeyId", "Unauthorized", "401"})
_WRONG_SECRET: Final = frozenset({"SignatureDoesNotMatch"})
_DENIED: Final = frozenset({"AccessDenied", "403", "Forbidden", "AllAccessDisabled"})
_NO_BUCKET: Final = frozenset({"NoSuchBucket", "InvalidBucketName"})
_WRONG_ENDPOINT: Final = frozenset(
    {"AuthorizationHeaderMalformed", "PermanentRedirect", "301", "NotImplemented"}
)
# 416: it has become shorter; not every server looks at If-Match first.
_REPLACED: Final = frozenset({"PreconditionFailed", "412", "InvalidRange", "416"})


@contextmanager
def translated(bucket: str, host: str, key: str) -> Iterator[None]:
    """Raise this project's errors in place of botocore's, without anything secret in them."""
    try:
        yield
    except ClientError as error:
        raise _from_answer(error, bucket, host, key) from error
    except ParamValidationError as error:
        # Keys are validated before, so it is the bucket's name.
        raise ConfigurationError(f"R2_BUCKET is not the name of a bucket: {bucket!r}") from error
    except (ResponseParserError, ValueError, OverflowError) as error:
        # Not XML, not that XML, or headers with numbers and dates that are none.
        raise no_object_store(host) from error
    except BotoCoreError as error:
        reason = type(error).__name__
        raise BackendError(f"The object store {host} did not answer ({reason})") from error


def no_object_store(host: str) -> BackendError:
    return BackendError(f"{host} does not answer as an object store does")


def _from_answer(error: ClientError, bucket: str, host: str, key: str) -> MoodSearchError:
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    if code in _NOT_FOUND:
        return ObjectNotFoundError(f"Bucket {bucket!r} holds no object {key!r}")
    if code in _REPLACED:
        return BackendError(f"{key!r} was replaced while it was read")
    if code == "RequestTimeTooSkewed":
        return UserError(f"This machine's clock is wrong: {host} refuses its requests")
    return _about_configuration(code, bucket, host) or BackendError(
        f"The object store {host} answered {code}",
        retry_after_seconds=_retry_after_seconds(error),
    )


def _about_configuration(code: str, bucket: str, host: str) -> ConfigurationError | None:
    if code in _NO_BUCKET:
        return ConfigurationError(f"R2_BUCKET: {host} has no bucket {bucket!r}")
    if code in _UNKNOWN_KEY_ID:
        return ConfigurationError(f"AWS_ACCESS_KEY_ID is not known to {host}")
    if code in _WRONG_SECRET:
        return ConfigurationError(f"AWS_SECRET_ACCESS_KEY is wrong: {host} refuses its signature")
    if code in _DENIED:
        return ConfigurationError(
            f"AWS_ACCESS_KEY_ID has no permission for R2_BUCKET {bucket!r} at {host}"
        )
    if code in _WRONG_ENDPOINT:
        return ConfigurationError(
            f"R2_ENDPOINT_URL: {host} answered {code}; it is not the endpoint of {bucket!r}"
        )
    return None


def _retry_after_seconds(error: ClientError) -> float | None:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return retry_after_seconds(httpx.Headers(headers))
