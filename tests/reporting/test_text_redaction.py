"""No secret and no whole phone number gets through a redactor; what people need does."""

from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reporting_doubles import KEY

from callagent_cli.reporting.redaction import Redactor, secrets_of
from callagent_cli.settings import Settings


@pytest.mark.parametrize(
    "text",
    [
        "+12125550123",
        "call 12125550123 now",
        "(212) 555-0123",
        "+1 (212) 555-0123",
        "212.555.0123",
        "+44 20 7946 0123",
        "user_id=12125550123&x=1",
        "%2B12125550123",
        "tel:+1-212-555-0123",
        "12125550199 12125550123",
        "2125550123",
        "5550123",
        "+1\u00a0212\u00a0555\u00a00123",
    ],
)
def test_a_phone_number_shrinks_to_its_last_digits(text: str) -> None:
    """However a number is grouped or glued to other words, only its last three digits stay."""
    redacted = Redactor().text(text)

    assert "…123" in redacted
    assert sum(character.isdigit() for character in redacted.replace("…123", "")) <= 4


@pytest.mark.parametrize(
    "text",
    [
        "HTTP 503 after 4 attempts",
        "since 2026-01-05T09:00:00.000Z, 35 s ago",
        "2026-01-05 09:00",
        "call_0123456789012345 failed",
        "INC-0001 and INC-0001-12",
        "wait 120.5 s",
        "",
    ],
)
def test_what_people_need_keeps_its_digits(text: str) -> None:
    """Statuses, times, waits and our own ids are not mistaken for numbers."""
    assert text == Redactor().text(text)


@given(
    digits=st.text("0123456789", min_size=7, max_size=15),
    before=st.sampled_from(["", "+", "to ", "x", "call_", ": (", "503 "]),
    separator=st.sampled_from(["", " ", "-", ".", ") "]),
)
def test_no_grouping_lets_a_number_through(digits: str, before: str, separator: str) -> None:
    """For any 7 to 15 digits the run of digits is gone, unless it is a date and nothing more."""
    redacted = Redactor().text(before + separator.join(digits))

    assert digits not in "".join(character for character in redacted if character.isdigit())


def test_the_longest_secret_wins() -> None:
    """A secret inside another one leaves no rest of the longer one."""
    assert Redactor(["secret", "secret-and-more"]).text("a secret-and-more b") == "a *** b"


def test_a_secret_is_found_in_any_field_of_a_line() -> None:
    """Also where quotes and backslashes are escaped, and percent-encoded in an address."""
    odd = 'pa"ss\\word/1'
    line = msgspec.json.encode({"any": f"x {odd} y", "url": "/?k=pa%22ss%5Cword%2F1"})
    redacted = Redactor([odd]).line(line)

    assert msgspec.json.decode(redacted) == {"any": "x *** y", "url": "/?k=***"}


def test_short_credentials_do_not_blank_out_words() -> None:
    """A password of a few letters is not looked for."""
    assert Redactor(["run"]).text("the run ended") == "the run ended"


@pytest.mark.parametrize("url", ["https://h.test/x?t={}", "https://h.test/x#t={}"])
def test_a_token_is_hidden_wherever_in_an_address_it_stands(url: str) -> None:
    """A fragment lets in as well as a query does, alone and as a piece of it."""
    alerts = {"heartbeat_url": url.format("k3y-of-the-watch")}
    settings = msgspec.convert({"alerts": alerts}, Settings)
    redactor = Redactor(secrets_of(settings, {}))

    assert redactor.text("asked with k3y-of-the-watch") == "asked with ***"


@pytest.mark.parametrize("safe", ["", ":", "/:", "/:\\'+~", "/:@!$&'()*+,;=~"])
def test_a_secret_with_odd_characters_is_found_however_an_address_quotes_it(safe: str) -> None:
    """A receiver repeats the address it was asked for, as its library or ours wrote it."""
    odd = "12345:AAb\"cd\\ef'g+h/é~{Gk}"
    redactor = Redactor([odd])

    for quoted in (quote(odd, safe=safe), quote(odd, safe=safe).replace("%C3%A9", "%c3%a9")):
        assert redactor.text(f"no /bot{quoted}/send") == "no /bot***/send"
    assert Redactor().text("100 % of 5") == "100 % of 5"


def test_every_credential_of_the_settings_is_a_secret(tmp_path: Path) -> None:
    """Keys from the environment and from files, parts of a service account, hooks with a token."""
    account = tmp_path / "account.json"
    account.write_bytes(
        msgspec.json.encode({"private_key": f"-----BEGIN\n{KEY}\n", "private_key_id": "id-abcdef"})
    )
    settings = msgspec.convert(
        {
            "alerts": {
                "telegram": {"chat_id": "1"},
                "webhook": {"url": "https://example.test/services/T000/B000/long-token"},
            },
            "sheet": {"service_account": {"file": str(account)}},
        },
        Settings,
    )
    environ = {
        "ELEVENLABS_API_KEY": "xi-elevenlabs",
        "TELEGRAM_BOT_TOKEN": "123:telegram",
        "CALLAGENT_WEBHOOK_SECRET": "whsec_b2xkb2xk whsec_bmV3bmV3",
    }
    secrets = secrets_of(settings, environ)
    redactor = Redactor(secrets)

    for secret in ("xi-elevenlabs", "123:telegram", "b2xkb2xk", "whsec_bmV3bmV3", "id-abcdef"):
        assert secret not in redactor.text(f"a {secret} b")
    assert "long-token" not in redactor.text("POST /services/T000/B000/long-token")
    assert f"-----BEGIN\n{KEY}\n" in secrets
