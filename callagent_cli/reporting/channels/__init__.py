"""The ways to reach a person: email, Telegram, a webhook, and the pretended form of each."""
