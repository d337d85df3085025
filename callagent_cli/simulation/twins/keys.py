"""The keys and ids that the sandbox hands out; whoever reads one sees that it opens nothing."""

from typing import Final

ELEVENLABS_KEY: Final = "sandbox-elevenlabs-key"
LLM_KEY: Final = "sandbox-llm-key"
CRM_TOKEN: Final = "sandbox-crm-token"  # noqa: S105 — opens nothing but the sandbox.
AGENT_ID: Final = "agent_sandbox"
PHONE_NUMBER_ID: Final = "phnum_sandbox"
