"""Settings: wrong ones are said in one line naming the variable, and secrets are never shown."""

from pathlib import Path

import pytest
from platformdirs import user_data_path

from resources.errors import ConfigurationError
from resources.settings import Settings, load_settings

SECRET = "tpuf_very_secret_value"


def _complaint(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    return str(caught.value)


def test_the_defaults_are_those_of_the_contract(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MOODSEARCH_HOME")
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    assert settings.moodsearch_home == user_data_path("moodsearch", appauthor=False)
    assert settings.database_url is None
    assert not settings.uses_r2
    assert (settings.clap_model, settings.clap_precision) == ("offline", "int8")
    assert settings.clap_text == "modal"
    assert (settings.modal_enabled, settings.modal_timeout_seconds) == (False, 120)
    assert (settings.turbopuffer_enabled, settings.turbopuffer_region) == (False, "api")
    assert settings.turbopuffer_namespace == "plyr-tracks"
    assert (settings.replicate_enabled, settings.replicate_top_n) == (False, 10)
    assert settings.replicate_timeout_seconds == 120


@pytest.mark.parametrize(
    ("enabled", "missing"),
    [
        ({"TURBOPUFFER_ENABLED": "true"}, ["TURBOPUFFER_API_KEY"]),
        ({"REPLICATE_ENABLED": "true"}, ["REPLICATE_API_TOKEN"]),
        ({"MODAL_ENABLED": "true"}, ["MODAL_EMBED_AUDIO_URL"]),
        (
            {"MODAL_ENABLED": "true", "MODAL_EMBED_AUDIO_URL": "https://a.example"},
            ["MODAL_EMBED_TEXT_URL"],
        ),
        (
            {"R2_BUCKET": "audio"},
            ["R2_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
        ),
        ({"MODAL_PROXY_KEY": "wk-1"}, ["MODAL_PROXY_SECRET"]),
        ({"MODAL_PROXY_SECRET": "ws-1"}, ["MODAL_PROXY_KEY"]),
    ],
)
def test_something_enabled_without_what_it_needs_names_the_missing_variables(
    monkeypatch: pytest.MonkeyPatch, enabled: dict[str, str], missing: list[str]
) -> None:
    complaint = _complaint(monkeypatch, **enabled)
    assert "\n" not in complaint
    for name in missing:
        assert name in complaint


def test_text_may_be_embedded_here_while_audio_is_embedded_on_modal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MODAL_ENABLED", "true")
    monkeypatch.setenv("MODAL_EMBED_AUDIO_URL", "https://a.example")
    monkeypatch.setenv("CLAP_TEXT", "local")
    assert load_settings().modal_embed_text_url is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLAP_PRECISION", "int4"),
        ("MODAL_TIMEOUT_SECONDS", "soon"),
        ("MODAL_TIMEOUT_SECONDS", "0"),
        ("REPLICATE_TOP_N", "0"),
        ("TURBOPUFFER_NAMESPACE", "a b"),
        ("R2_ENDPOINT_URL", "ftp://example.org"),
        ("DATABASE_URL", "mysql://root@localhost/app"),
        ("SESSION_SECRET", "short"),
    ],
)
def test_a_malformed_value_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    complaint = _complaint(monkeypatch, **{name: value})
    assert complaint.startswith(name)
    assert "\n" not in complaint


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TURBOPUFFER_API_KEY", "REPLICATE_API_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://user:{SECRET}@db/app")
    settings = load_settings()
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.model_dump())
    assert SECRET not in _complaint(monkeypatch, CLAP_PRECISION="int4")
    assert SECRET not in _complaint(monkeypatch, DATABASE_URL=f"mysql://user:{SECRET}@db/app")


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    assert load_settings().database_url is None


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8,::1,")
    monkeypatch.setenv("API_ALLOWED_ORIGINS", "https://app.example.com,http://localhost:5173")
    settings = load_settings()
    assert settings.api_trusted_proxies == ("127.0.0.1", "10.0.0.0/8", "::1")
    assert settings.api_allowed_origins == ("https://app.example.com", "http://localhost:5173")


@pytest.mark.parametrize("proxies", ["*", "proxy.internal", "10.0.0.1/8", "127.0.0.1 10.0.0.1"])
def test_a_proxy_is_an_address_or_a_network(monkeypatch: pytest.MonkeyPatch, proxies: str) -> None:
    complaint = _complaint(monkeypatch, API_TRUSTED_PROXIES=proxies)
    assert complaint.startswith(f"API_TRUSTED_PROXIES: {proxies!r} is no address or network")


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "app.example.com",
        "https://app.example.com/",
        "https://App.example.com",
        "https://*.example.com",
        "ftp://app.example.com",
        "https://a.example https://b.example",
    ],
)
def test_an_origin_is_what_browsers_send(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    complaint = _complaint(monkeypatch, API_ALLOWED_ORIGINS=origin)
    assert complaint.startswith(f"API_ALLOWED_ORIGINS: {origin!r} is no origin")


def test_a_limit_below_zero_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    complaint = _complaint(monkeypatch, API_RATE_LIMIT_PER_MINUTE="-1")
    assert complaint.startswith("API_RATE_LIMIT_PER_MINUTE: ")
