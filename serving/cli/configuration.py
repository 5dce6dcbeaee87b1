"""What is configured, for people: never a secret, only that it is set. Where something that is
enabled lacks one, loading the settings has failed before."""

from pathlib import Path
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from resources.settings import Settings


def configured(settings: Settings) -> list[tuple[str, str]]:
    """Names and values, in the order of reading."""
    return [
        ("home", str(settings.moodsearch_home)),
        ("database", _database(settings)),
        ("audio", _audio(settings)),
        ("model", f"CLAP_MODEL={settings.clap_model}, {settings.clap_precision}"),
        ("inference", _inference(settings)),
        ("vector store", _vectors(settings)),
        ("genres", _genres(settings)),
        ("api", _api(settings)),
        ("session secret", _session_secret(settings)),
    ]


def _database(settings: Settings) -> str:
    if settings.database_url is None:
        return f"embedded PostgreSQL in {settings.moodsearch_home / 'postgres'}"
    parts = conninfo_to_dict(settings.database_url.get_secret_value())
    where = f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}"
    return f"DATABASE_URL: {parts.get('dbname', '')} at {where}"


def _audio(settings: Settings) -> str:
    if not settings.uses_r2:
        return f"folder {settings.moodsearch_home / 'objects'}"
    return (
        f"bucket {settings.r2_bucket} at {_host(settings.r2_endpoint_url)},"
        " AWS_ACCESS_KEY_ID set, AWS_SECRET_ACCESS_KEY set"
    )


def _inference(settings: Settings) -> str:
    if not settings.modal_enabled:
        return "in this process"
    text = "Modal" if settings.clap_text == "modal" else "in this process"
    return (
        f"audio on Modal ({_host(settings.modal_embed_audio_url)}), queries {text},"
        f" timeout {settings.modal_timeout_seconds:g} s"
    )


def _vectors(settings: Settings) -> str:
    namespace = settings.turbopuffer_namespace
    if not settings.turbopuffer_enabled:
        return f"pgvector in the database, namespace {namespace}"
    return (
        f"turbopuffer {settings.turbopuffer_region}, namespace {namespace}, TURBOPUFFER_API_KEY set"
    )


def _genres(settings: Settings) -> str:
    if not settings.replicate_enabled:
        return "zero-shot from the embeddings"
    return "effnet-discogs on Replicate, REPLICATE_API_TOKEN set"


def _api(settings: Settings) -> str:
    limit = "no rate limit"
    if per_minute := settings.api_rate_limit_per_minute:
        limit = f"{per_minute} requests of a client in a minute to what costs money"
    proxies = ", ".join(settings.api_trusted_proxies) or "none"
    origins = ", ".join(settings.api_allowed_origins) or "none"
    return f"{limit}, trusted proxies: {proxies}, other origins: {origins}"


def _session_secret(settings: Settings) -> str:
    if settings.session_secret is not None:
        return "SESSION_SECRET set"
    made = Path(settings.moodsearch_home, "session_secret").exists()
    return "generated under the home" if made else "generated when first needed"


def _host(url: str | None) -> str:
    """The host alone: an address may carry credentials."""
    return (urlsplit(url).hostname if url else None) or "nowhere"
