"""Everything a person can set, typed and with its default; `settings_file` reads it from YAML."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from callagent_cli.errors import SettingsError
from callagent_cli.resilience.policy import Policy, Seconds

Positive = Annotated[int, Meta(ge=1)]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections: immutable, and strict about its keys."""


class Credential(_Section, frozen=True, kw_only=True):
    """Where a secret comes from: the environment variable `env`, or the content of `file`."""

    env: str = ""
    file: str = ""

    def read(self, environ: Mapping[str, str]) -> str:
        """Return the secret, or an empty string when it is not given.

        Raises `SettingsError` when the named file cannot be read.
        """
        if self.file:
            try:
                return Path(self.file).read_text(encoding="utf-8-sig").strip()
            except OSError as error:
                message = f"cannot read the secret file `{self.file}`: {error.strerror}"
                raise SettingsError(message, hint="check the path and its permissions") from error
            except UnicodeDecodeError as error:
                message = f"the secret file `{self.file}` is not text"
                raise SettingsError(message, hint="name the file that holds the secret") from error
        return environ.get(self.env, "").strip()


class ElevenLabs(_Section, frozen=True, kw_only=True):
    """The voice platform.

    `when_down` is `park` (hold the calls) or `fail` (go on to the next contact). An absent call is
    proof that a dial rang nobody `lookup_grace_s` after its answer was lost, and
    `refusal_grace_s` after a 503 or 529. `opt_out_field` is the item of the agent's data collection
    that says whether the person wants no more calls; empty asks for none. `agent_variables` names
    the variables that the agent's own template needs: the contacts file must have them.
    `conversation_url` is where a person finds a conversation, `{conversation}` standing for its id;
    the export links to it, and empty makes no links.
    """

    base_url: str = "https://api.elevenlabs.io"
    api_key: Credential = Credential(env="ELEVENLABS_API_KEY")
    agent_id: str = ""
    agent_phone_number_id: str = ""
    carrier: Literal["twilio", "sip_trunk"] = "twilio"
    ringing_timeout_s: Seconds = 60.0
    dial_timeout_s: Seconds | None = None
    look_up_timeout_s: Seconds = 10.0
    follow_timeout_s: Seconds = 10.0
    follow_every_s: Seconds = 5.0
    follow_lease_s: Seconds = 3600.0
    lookup_grace_s: Seconds = 30.0
    refusal_grace_s: Seconds = 3.0
    when_down: Literal["park", "fail"] = "park"
    opt_out_field: str = "do_not_call"
    agent_variables: list[str] = []
    conversation_url: str = "https://elevenlabs.io/app/agents/history/{conversation}"
    policy: Policy = Policy()

    @property
    def dial_timeout(self) -> float:
        """Seconds a dial may take: a SIP trunk answers only when the callee does."""
        if self.dial_timeout_s is not None:
            return self.dial_timeout_s
        return 90.0 if self.carrier == "sip_trunk" else 30.0


class Model(_Section, frozen=True, kw_only=True):
    """A language model that writes what the agent says first."""

    provider: Literal["openai", "anthropic"] = "openai"
    base_url: str = "https://api.openai.com"
    api_key: Credential = Credential(env="OPENAI_API_KEY")
    model: str = "gpt-4o-mini"
    anthropic_version: str = "2023-06-01"
    anthropic_auth: Literal["x-api-key", "bearer"] = "x-api-key"
    max_tokens: Positive = 200
    timeout_s: Seconds = 30.0
    policy: Policy = Policy()


class Llm(Model, frozen=True, kw_only=True):
    """The first model, its instruction, and the second model that stands in when it is down.

    `prompt` may name a contact's fields in braces: `{name}`, `{company}` …
    """

    prompt: str = (
        "Write one friendly opening sentence for a phone call to {name}. Return the sentence only."
    )
    fallback: Model | None = None


class Crm(_Section, frozen=True, kw_only=True):
    """The CRM the contact is looked up in and the call recorded to; `none` switches both off."""

    provider: Literal["hubspot", "none"] = "hubspot"
    base_url: str = "https://api.hubapi.com"
    token: Credential = Credential(env="HUBSPOT_TOKEN")
    objects_path: str = "/crm/v3/objects"
    account_path: str = "/account-info/v3/details"
    timeout_s: Seconds = 10.0
    policy: Policy = Policy()


class Services(_Section, frozen=True, kw_only=True):
    """The services a call goes through."""

    elevenlabs: ElevenLabs = ElevenLabs()
    llm: Llm = Llm()
    crm: Crm = Crm()


class Redial(_Section, frozen=True, kw_only=True):
    """Minutes until a person is dialed again after each result; `null` means never."""

    no_answer_min: Seconds | None = 60.0
    busy_min: Seconds | None = 15.0
    voicemail_min: Seconds | None = 240.0
    declined_min: Seconds | None = None


class Window(_Section, frozen=True, kw_only=True):
    """When people may be called, in their own time zone."""

    opens: Annotated[str, Meta(pattern=r"^\d\d:\d\d$")] = "08:00"
    closes: Annotated[str, Meta(pattern=r"^\d\d:\d\d$")] = "21:00"
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = msgspec.field(
        default_factory=lambda: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    )


class Dialing(_Section, frozen=True, kw_only=True):
    """How often and when a person may be dialed.

    `window` unset means 08:00–21:00 every day, and always open in the sandbox; `region` is the
    two-letter country whose national number format the contacts file uses.
    """

    max_dials: Annotated[int, Meta(ge=1, le=10)] = 3
    redial: Redial = Redial()
    window: Window | None = None
    region: str = ""


class Sandbox(_Section, frozen=True, kw_only=True):
    """The pretended providers. `pace` multiplies how long calls last (1 is 0.2–3 s).

    `opts_out` is the share of the pretended people who say that they want no more calls.
    """

    pace: Annotated[float, Meta(ge=0)] = 1.0
    seed: int = 7
    url: str = ""
    redial_scale: Seconds = 1 / 600
    opts_out: Annotated[float, Meta(ge=0, le=1)] = 0.0


class Email(_Section, frozen=True, kw_only=True):
    """Alerts by email over SMTP; `ca_file` holds the certificates of a server of one's own."""

    host: str
    port: Positive = 587
    sender: str
    to: list[str]
    username: str = ""
    password: Credential = Credential(env="CALLAGENT_SMTP_PASSWORD")
    tls: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: str = ""


class Telegram(_Section, frozen=True, kw_only=True):
    """Alerts by a Telegram bot."""

    base_url: str = "https://api.telegram.org"
    token: Credential = Credential(env="TELEGRAM_BOT_TOKEN")
    chat_id: str


class Webhook(_Section, frozen=True, kw_only=True):
    """Alerts to a webhook, signed as Standard Webhooks prescribes when a secret is given."""

    url: str
    secret: Credential = Credential(env="CALLAGENT_WEBHOOK_SECRET")


class Slack(_Section, frozen=True, kw_only=True):
    """Alerts to a Slack channel; the whole address of an incoming webhook is a secret."""

    url: Credential = Credential(env="SLACK_WEBHOOK_URL")


class PagerDuty(_Section, frozen=True, kw_only=True):
    """Alerts to PagerDuty (Events API v2); European accounts have a `base_url` of their own."""

    base_url: str = "https://events.pagerduty.com"
    routing_key: Credential = Credential(env="PAGERDUTY_ROUTING_KEY")


class Apprise(_Section, frozen=True, kw_only=True):
    """Alerts to any address that apprise knows, separated by spaces or lines; an extra."""

    urls: Credential = Credential(env="CALLAGENT_APPRISE_URLS")


class Alerts(_Section, frozen=True, kw_only=True):
    """Where alerts go; a channel that is not set is mocked in `logs/alerts.jsonl`.

    `heartbeat_url` is asked for each minute while a worker lives, so that a service outside can
    raise the alarm when that stops (a dead-man's switch).
    """

    email: Email | None = None
    telegram: Telegram | None = None
    webhook: Webhook | None = None
    slack: Slack | None = None
    pagerduty: PagerDuty | None = None
    apprise: Apprise | None = None
    heartbeat_url: str = ""


class Sheet(_Section, frozen=True, kw_only=True):
    """The Google Sheet; without `spreadsheet_id` rows go to `logs/google-sheet.csv`."""

    spreadsheet_id: str = ""
    worksheet: str = "callagent"
    service_account: Credential = Credential(env="GOOGLE_SERVICE_ACCOUNT_JSON")


class Settings(_Section, frozen=True, kw_only=True):
    """The whole of `callagent.yaml`.

    `state_dir` holds the database, `logs_dir` the JSON logs.
    """

    mode: Literal["sandbox", "live"] = "sandbox"
    lanes: Annotated[int, Meta(ge=1, le=1000)] = 4
    services: Services = Services()
    dialing: Dialing = Dialing()
    sandbox: Sandbox = Sandbox()
    alerts: Alerts = Alerts()
    sheet: Sheet = Sheet()
    requeue_after_outage: bool = False
    state_dir: str = ".callagent"
    logs_dir: str = "logs"
