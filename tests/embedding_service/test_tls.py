"""https: the name is sent and verified, although the connection goes to a checked address."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from resources.embedding.protocol import EmbeddingModel
from serving.embedding_service import create_embedding_service
from tests.embedding_service.running import running
from tests.embedding_service.test_bad_input import EMBED_AUDIO, assert_refused
from tests.embedding_service.test_embedding import vector_in
from tests.fakes.files import FileHost, file_host


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and self-signed certificate of `localhost` in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def secure_files(certificate: Path) -> Iterator[FileHost]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with file_host(tls=context) as host:
        yield host


@pytest.fixture
def trusting_url(
    model: EmbeddingModel, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A service on a machine where the certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    # `localhost` has two addresses, on one of which nobody listens.
    application = create_embedding_service(model, may_reach=lambda address: address.is_loopback)
    with running(application) as url:
        yield url


def asked_for(service: str, url: str) -> httpx.Response:
    return httpx.post(
        f"{service}{EMBED_AUDIO}", json={"audio_url": url}, timeout=30, trust_env=False
    )


def test_a_file_is_fetched_over_https(
    trusting_url: str, secure_files: FileHost, short_wav: Path
) -> None:
    url = secure_files.add_file(short_wav).replace("127.0.0.1", "localhost")
    vector_in(asked_for(trusting_url, url))


def test_a_certificate_for_another_name_is_refused(
    trusting_url: str, secure_files: FileHost, short_wav: Path
) -> None:
    answer = asked_for(trusting_url, secure_files.add_file(short_wav))
    assert_refused(answer, 424, "127.0.0.1 cannot be read")
    assert secure_files.asked == []


def test_a_certificate_that_nobody_vouches_for_is_refused(
    service_url: str, secure_files: FileHost, short_wav: Path
) -> None:
    answer = asked_for(service_url, secure_files.add_file(short_wav))
    assert_refused(answer, 424, "127.0.0.1 cannot be read")
    assert secure_files.asked == []
