"""What `callagent help TOPIC` explains beyond the commands."""

from typing import Final

from callagent_cli.cli.text.exit import MEANINGS

SECRETS: Final[dict[str, str]] = {
    "ELEVENLABS_API_KEY": "the ElevenLabs key (`mode: live`)",
    "OPENAI_API_KEY": "the key of the language model (`mode: live`)",
    "HUBSPOT_TOKEN": "the HubSpot private-app token (`mode: live`)",
    "TELEGRAM_BOT_TOKEN": "the bot that sends alerts to Telegram",
    "CALLAGENT_SMTP_PASSWORD": "the password of the mail server that sends alerts",
    "CALLAGENT_WEBHOOK_SECRET": "the secret that signs alerts to a webhook",
    "SLACK_WEBHOOK_URL": "the incoming webhook that sends alerts to Slack",
    "PAGERDUTY_ROUTING_KEY": "the routing key that sends alerts to PagerDuty",
    "CALLAGENT_APPRISE_URLS": "the addresses that apprise sends alerts to",
    "GOOGLE_SERVICE_ACCOUNT_JSON": "the service account that writes the Google Sheet",
}
"""The environment variables whose values are secrets."""

ENVIRONMENT: Final[dict[str, str]] = {
    **SECRETS,
    "OTEL_EXPORTER_OTLP_ENDPOINT": "where `run` sends traces (the extra `otel`)",
    "NO_COLOR": "set: no colors",
    "FORCE_COLOR": "set: colors even when the output is no terminal",
    "TERM": "`dumb`: no colors",
}
"""Each environment variable callagent reads; settings may name others for the secrets."""

TOPICS: Final = ("exit-codes", "environment")


def topic_text(topic: str) -> str:
    """Return the text of one of `TOPICS`."""
    if topic == "exit-codes":
        rows = [(str(int(code)), meaning) for code, meaning in MEANINGS.items()]
        return "Exit codes of every command:\n\n" + _table(rows)
    closing = (
        "\n\nAn empty variable counts as unset. Every secret may also come from a file,"
        "\nand from a variable of another name: see `callagent.yaml`."
    )
    return "Environment variables:\n\n" + _table(list(ENVIRONMENT.items())) + closing


def _table(rows: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {text}" for name, text in rows)
