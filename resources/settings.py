"""The one reader of the environment. Every process (Dagster, API, command line) gets its settings
here and nowhere else."""

import re
import sys
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from resources.errors import ConfigurationError

CommaList = Annotated[tuple[str, ...], NoDecode]
"""In the environment: parts with commas between them."""

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[1-9][0-9]{0,4})?", re.ASCII)


class ModelSetting(NamedTuple):
    """Which model: what `CLAP_MODEL` and `CLAP_PRECISION` say."""

    clap_model: str
    clap_precision: str


def default_home() -> Path:
    """`.moodsearch` in the working directory where it exists, else a folder of the user's own."""
    here = Path(".moodsearch")
    return here if here.is_dir() else user_data_path("moodsearch", appauthor=False)


class Settings(BaseSettings):
    """Values of the environment variables of the same names; `docs/configuration.md` lists them."""

    model_config = SettingsConfigDict(
        extra="ignore", env_ignore_empty=True, hide_input_in_errors=True, frozen=True
    )

    moodsearch_home: Path = Field(default_factory=default_home)
    database_url: SecretStr | None = None
    session_secret: SecretStr | None = None
    moodsearch_keep_hidden_days: int = Field(default=30, ge=0, le=36_500)

    r2_endpoint_url: str | None = None
    r2_bucket: str | None = None
    r2_public_bucket_url: str | None = None
    aws_access_key_id: SecretStr | None = None
    aws_secret_access_key: SecretStr | None = None

    clap_model: str = "offline"
    clap_precision: Literal["int8", "fp32"] = "int8"
    clap_text: Literal["local", "modal"] = "modal"

    modal_enabled: bool = False
    modal_embed_audio_url: str | None = None
    modal_embed_text_url: str | None = None
    modal_proxy_key: SecretStr | None = None
    modal_proxy_secret: SecretStr | None = None
    modal_timeout_seconds: float = Field(default=120, gt=0, le=3600)

    turbopuffer_enabled: bool = False
    turbopuffer_api_key: SecretStr | None = None
    turbopuffer_region: str = "api"
    turbopuffer_namespace: str = Field(default="plyr-tracks", pattern=r"^[A-Za-z0-9\-_.]{1,100}$")
    turbopuffer_base_url: str | None = None

    replicate_enabled: bool = False
    replicate_api_token: SecretStr | None = None
    replicate_top_n: int = Field(default=10, ge=1, le=400)
    replicate_timeout_seconds: float = Field(default=120, gt=0, le=3600)
    replicate_base_url: str | None = None

    api_rate_limit_per_minute: int = Field(default=120, ge=0, le=1_000_000)
    api_trusted_proxies: CommaList = ()
    api_allowed_origins: CommaList = ()

    @field_validator("api_trusted_proxies", "api_allowed_origins", mode="before")
    @classmethod
    def _parts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("api_trusted_proxies")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ip_network(proxy)
            except ValueError:
                raise ValueError(
                    f"{proxy!r} is no address or network; write them like 127.0.0.1,10.0.0.0/8"
                ) from None
        return proxies

    @field_validator("api_allowed_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        """As browsers send them (RFC 6454 section 6.2): they are compared letter by letter."""
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin!r} is no origin; write them in lower case, without a path, like"
                    " https://app.example.com,http://localhost:5173"
                )
        return origins

    @field_validator("moodsearch_home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @field_validator("clap_model")
    @classmethod
    def _known_form(cls, model: str) -> str:
        """A folder is made absolute; it is told by its first character, never by what exists, so
        that the same value means the same model wherever a program is started."""
        if model.startswith(("/", ".", "~")):
            return str(Path(model).expanduser().absolute())
        if model != "offline" and not re.fullmatch(r"[\w.-]+/[\w.-]+(@\S*)?", model, re.ASCII):
            raise ValueError(
                "must be offline, owner/name of a model on the hub, or a folder that starts "
                "with /, ./ or ~"
            )
        return model

    @field_validator(
        "r2_endpoint_url",
        "r2_public_bucket_url",
        "modal_embed_audio_url",
        "modal_embed_text_url",
        "turbopuffer_base_url",
        "replicate_base_url",
    )
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError("must start with https:// or http://")
        return url

    @field_validator("database_url")
    @classmethod
    def _postgres_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(
            ("postgresql://", "postgres://")
        ):
            raise ValueError("must start with postgresql://")
        return url

    @field_validator("session_secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        # RFC 7518 section 3.2: an HS256 key is at least as long as the hash.
        if secret is not None and len(secret.get_secret_value().encode()) < 32:
            raise ValueError("must be at least 32 bytes long")
        return secret

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self._need(self.modal_enabled, "MODAL_ENABLED", ["modal_embed_audio_url"])
        if self.clap_text == "modal":
            self._need(self.modal_enabled, "MODAL_ENABLED", ["modal_embed_text_url"])
        self._need(self.turbopuffer_enabled, "TURBOPUFFER_ENABLED", ["turbopuffer_api_key"])
        self._need(self.replicate_enabled, "REPLICATE_ENABLED", ["replicate_api_token"])
        needed_for_r2 = ["r2_endpoint_url", "r2_bucket", "aws_access_key_id"]
        needed_for_r2.append("aws_secret_access_key")
        given = "R2_BUCKET" if self.r2_bucket is not None else "R2_ENDPOINT_URL"
        self._need(self.uses_r2, given, needed_for_r2)
        pair = ["modal_proxy_key", "modal_proxy_secret"]
        for given in pair:
            self._need(getattr(self, given) is not None, given.upper(), pair)
        return self

    def _need(self, enabled: bool, reason: str, names: list[str]) -> None:
        missing = [name.upper() for name in names if enabled and getattr(self, name) is None]
        if missing:
            raise ValueError(f"{' and '.join(missing)} must be set, because {reason} is")

    @property
    def home_is_in_working_directory(self) -> bool:
        """Whether nothing but the working directory says where the home is."""
        chosen = "moodsearch_home" in self.model_fields_set
        return not chosen and self.moodsearch_home == Path(".moodsearch").absolute()

    @property
    def model(self) -> ModelSetting:
        """The model that is configured."""
        return ModelSetting(self.clap_model, self.clap_precision)

    def with_model(self, model: ModelSetting) -> Self:
        """The same with another model, which runs here: a service runs the configured one."""
        return self.model_copy(
            update={
                "clap_model": model.clap_model,
                "clap_precision": model.clap_precision,
                "modal_enabled": False,
                "clap_text": "local",
            }
        )

    @property
    def is_own_library(self) -> bool:
        """Whether this is the library of the person at this machine, beside no app."""
        return self.database_url is None

    @property
    def clap_folder(self) -> Path | None:
        """The folder that `clap_model` names, if it names one."""
        return Path(self.clap_model) if self.clap_model.startswith("/") else None

    @property
    def clap_locks(self) -> Path:
        """The folder where hashes of models that were looked up on the hub are kept."""
        return self.moodsearch_home / "models"

    @property
    def modal_proxy_auth(self) -> tuple[str, str] | None:
        """Key and secret of a Modal proxy auth token, where the endpoints ask for one."""
        if self.modal_proxy_key is None or self.modal_proxy_secret is None:
            return None
        return self.modal_proxy_key.get_secret_value(), self.modal_proxy_secret.get_secret_value()

    @property
    def uses_r2(self) -> bool:
        """Whether audio is in R2 or another S3; otherwise in a folder under the home."""
        return self.r2_endpoint_url is not None or self.r2_bucket is not None


def load_settings(**instead: str) -> Settings:
    """Read the environment, with `instead` in place of fields. Raises `ConfigurationError`, one
    line that names the variable.

    Says on standard error, once in a process, when the home is one in the working directory:
    elsewhere the same command would find another catalogue.
    """
    try:
        settings = Settings(**instead)  # type: ignore[arg-type]  # Checked as any value is.
    except ValidationError as error:
        raise ConfigurationError("; ".join(_explain(error))) from None
    if settings.home_is_in_working_directory:
        _say_where(settings.moodsearch_home)
    return settings


@cache
def _say_where(home: Path) -> None:
    print(f"note: using {home}, which is in the working directory", file=sys.stderr)


def _explain(error: ValidationError) -> list[str]:
    lines = []
    for detail in error.errors(include_input=False, include_url=False):
        variable = "_".join(str(part) for part in detail["loc"]).upper()
        message = detail["msg"].removeprefix("Value error, ")
        lines.append(f"{variable}: {message}" if variable else message)
    return lines
