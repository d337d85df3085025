"""What `callagent init` writes."""

from typing import Final

SETTINGS: Final = """\
# callagent.yaml. Every key is optional; what is commented out shows its default or an example.
# `callagent config show` says which value is in force and where it comes from.

# sandbox: pretended services on this machine, no phone rings. live: real calls, after a question.
mode: sandbox

# How many calls are worked at the same time.
lanes: 4

# Take calls that failed in an outage back by themselves once the service is healthy again.
#requeue_after_outage: false

services:
  elevenlabs:
    # Needed for `mode: live`; the key comes from ELEVENLABS_API_KEY, or from a file:
    #api_key: {file: /run/secrets/elevenlabs}
    agent_id: ""
    agent_phone_number_id: ""
    # park: calls wait while the service is down. fail: they fail, and the next person is called.
    when_down: park
  llm:
    provider: openai
    model: gpt-4o-mini
    #api_key: {env: OPENAI_API_KEY}
    # Stands in while the first model is down:
    #fallback:
    #  provider: anthropic
    #  base_url: https://api.anthropic.com
    #  model: claude-haiku-4-5
    #  api_key: {env: ANTHROPIC_API_KEY}
  crm:
    # `none` goes without a CRM.
    provider: hubspot

dialing:
  max_dials: 3
  # Minutes until a person is dialed again; null means never.
  redial: {no_answer_min: 60, busy_min: 15, voicemail_min: 240, declined_min: null}
  # When people may be called, in their own time zone. Unset: 08:00–21:00 every day, and always in
  # the sandbox.
  #window: {opens: "09:00", closes: "18:00", days: [mon, tue, wed, thu, fri]}
  # The country of numbers without a country code:
  #region: US

# A channel that is not set is pretended in logs/alerts.jsonl.
# Try one: `callagent alerts test email`.
alerts: {}
#alerts:
#  email:
#    host: smtp.example.com
#    port: 587
#    tls: starttls
#    username: callagent
#    sender: callagent@example.com
#    to: [ops@example.com]
#  telegram: {chat_id: "-1001234567890"}
#  webhook: {url: https://example.com/hooks/callagent}
#  slack: {}
#  pagerduty: {}
#  apprise: {}
#  heartbeat_url: https://example.com/ping/your-check

# Without a spreadsheet, rows go to logs/google-sheet.csv.
#sheet: {spreadsheet_id: "", worksheet: callagent}
"""

CONTACTS: Final = """\
name,phone,timezone
Ana Ruiz,+12125550101,America/New_York
Ben Cole,+12125550102,America/New_York
Cora Diaz,+12125550103,America/Chicago
Dev Patel,+442079460001,Europe/London
Ella Moss,+442079460002,Europe/London
"""
