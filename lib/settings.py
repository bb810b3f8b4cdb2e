"""The operator's settings: from the environment (`TEMPERA_...`), then from `.streamlit/secrets.toml`.

TEMPERA_BASE_URL      a service for everybody, and
TEMPERA_API_KEY       its key
TEMPERA_DATA_DIR      where chats and the history are kept (default: the user's data folder)
TEMPERA_DATABASE_URL  another database than the file in that folder
TEMPERA_MODE          local (default: one person on this computer) or shared
TEMPERA_PASSWORD_HASH the hash of the password that many share, as `make password` prints it
TEMPERA_INVITED       who may sign in with an account: mail addresses and @domains, separated by commas
TEMPERA_OPERATORS     who of them runs this Tempera, and sees what everybody uses
TEMPERA_SIGN_IN_HOURS how long a sign-in lasts
TEMPERA_COOKIE_SECRET what cookies are signed with (default: made at the first start, and kept with the data)
TEMPERA_OWN_SERVICES  true: where many share it, they may connect services of their own on the public internet
TEMPERA_LIMITS__N, __MAX_TOKENS, __PROMPT_CHARACTERS, __SWEEP_ANSWERS, __AT_ONCE, __FURTHER_FIELDS, __MODELS
                      where many share it: what one request, one sweep and one visitor may ask for
TEMPERA_CAPS__VISITOR__HOUR__CALLS, __TOKENS, __COST, and so on with ALL and DAY
                      where many share it: how much each visitor, and all together, may use of an hour or a day
TEMPERA_SHARED_LINKS  true: where many share it, they may make links under which anybody reads a chat or a sweep
TEMPERA_MOST_SESSIONS where many share it: how many people may be inside at once (default 0: any number)
TEMPERA_DRAIN_SECONDS where many share it: how long answers may go on when it is stopped
TEMPERA_WORKER_SLOTS  with PostgreSQL: how many calls of sweeps this process has under way at once
TEMPERA_LOCAL_MODEL   false leaves the practice model out
TEMPERA_FIND_SERVICES false: Ollama, LM Studio and llama.cpp are not looked for on this computer
TEMPERA_CONNECT_SECONDS, _FIRST_TOKEN_SECONDS, _SILENCE_SECONDS, _GRACE_SECONDS
                      how long a service may take to connect, to begin, between two pieces, to end
TEMPERA_PATIENCE_SECONDS
                      after how long without a first word the page asks what to do
TEMPERA_LOCK_SECONDS  how long a write waits while another program has the database locked

[auth]                in secrets.toml: where accounts are signed in with, as Streamlit's st.login wants it
[endpoints.NAME]      in secrets.toml: base_url and api_key of further services
[limits], [caps.visitor.hour], [caps.all.day], ..
                      in secrets.toml: the same as above
"""

from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import AliasChoices, BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from lib.core.errors import SettingsError
from lib.core.i18n import N_
from lib.core.limits import CapSettings, Limits
from lib.gateway.endpoints import FIRST_TOKEN_SECONDS, Endpoint, name_of
from lib.gateway.pasted_text import cleaned_address, cleaned_key
from lib.store.database import LOCK_SECONDS

ROOT = Path(__file__).resolve().parents[1]
Seconds = Annotated[float, Field(gt=0, le=3600)]
# A model is named `endpoint/model id`, split at the first slash.
ServiceName = Annotated[str, Field(pattern=r"^[^/]+$")]
SECRETS = (Path("~/.streamlit/secrets.toml"), ROOT / ".streamlit" / "secrets.toml")


# A setting of another name before is read under both: from the environment, and from secrets.toml.
FIRST_TOKEN_NAMES = AliasChoices(
    *("TEMPERA_FIRST_TOKEN_SECONDS", "TEMPERA_FIRST_BYTE_SECONDS", "first_token_seconds", "first_byte_seconds")
)


class Service(BaseModel):
    """A service the operator offers to everybody."""

    base_url: str
    api_key: SecretStr = SecretStr("")


class Provider(BaseModel):
    """Where accounts are signed in with (OpenID Connect): what Streamlit reads of `[auth]` in secrets.toml."""

    redirect_uri: str
    cookie_secret: SecretStr
    client_id: str
    client_secret: SecretStr
    server_metadata_url: str


class Settings(BaseSettings):
    """All settings; keys are masked in every representation."""

    model_config = SettingsConfigDict(
        env_prefix="TEMPERA_",
        env_nested_delimiter="__",
        toml_file=SECRETS,
        extra="ignore",
        hide_input_in_errors=True,
        frozen=True,
    )

    base_url: str = ""
    api_key: SecretStr = SecretStr("")
    data_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("tempera", appauthor=False))
    database_url: SecretStr = SecretStr("")
    mode: Literal["local", "shared"] = "local"
    password_hash: SecretStr = SecretStr("")
    invited: str = ""
    operators: str = ""
    auth: Provider | None = None
    sign_in_hours: Annotated[float, Field(gt=0, le=24 * 366)] = 24 * 7
    cookie_secret: SecretStr = SecretStr("")
    own_services: bool = False
    shared_links: bool = False
    most_sessions: Annotated[int, Field(ge=0, le=100_000)] = 0
    limits: Limits = Limits()
    caps: CapSettings = CapSettings()
    local_model: bool = True
    find_services: bool = True
    connect_seconds: Seconds = 10.0
    first_token_seconds: Annotated[Seconds, Field(validation_alias=FIRST_TOKEN_NAMES)] = FIRST_TOKEN_SECONDS
    silence_seconds: Seconds = 30.0
    grace_seconds: Seconds = 5.0
    patience_seconds: Seconds = 8.0
    lock_seconds: Seconds = LOCK_SECONDS
    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 20.0
    worker_slots: Annotated[int, Field(ge=1, le=1000)] = 64
    endpoints: dict[ServiceName, Service] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @classmethod
    def load(cls) -> "Settings":
        """The settings as they stand now; raises SettingsError with the name of the one that is wrong."""
        try:
            return cls()
        except ValidationError as problem:
            name = ".".join(str(part) for part in problem.errors()[0]["loc"])
        except ValueError:
            name = "secrets.toml"
        raise SettingsError(
            N_("The setting “{name}” can't be read."), N_("Correct it and start Tempera again."), name=name
        )

    def offered(self) -> list[Endpoint]:
        """The operator's endpoints, the one from the environment first."""
        services = [_endpoint(service.base_url, service.api_key, name) for name, service in self.endpoints.items()]
        return [_endpoint(self.base_url, self.api_key), *services] if self.base_url else services

    @property
    def store_url(self) -> str:
        """The database's URL for SQLAlchemy."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir / 'tempera.db'}"


def _endpoint(base_url: str, api_key: SecretStr, name: str = "") -> Endpoint:
    address = cleaned_address(base_url)
    return Endpoint(name or name_of(address), address, SecretStr(cleaned_key(api_key.get_secret_value())))
