"""What `callagent help` does."""

import typer
from typer.core import TyperGroup

from callagent_cli.cli.text.output import standard_output
from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.cli.text.topics import TOPICS, topic_text
from callagent_cli.errors import UsageError


def show_help(context: typer.Context, topic: str) -> None:
    """Print a topic, a command's help, or without either the program's own help.

    Raises `UsageError` for a word that is neither.
    """
    root = context.parent
    if root is None or not isinstance(root.command, TyperGroup):
        raise UsageError("help is only known for a command line")
    commands = root.command.commands
    if not topic:
        text = root.get_help()
    elif topic in TOPICS:
        text = topic_text(topic)
    elif topic in commands:
        command = commands[topic]
        text = command.make_context(topic, [], parent=root, resilient_parsing=True).get_help()
    else:
        known = [*commands, *TOPICS]
        hint = hint_for(topic, known, otherwise="list the commands: `callagent --help`")
        raise UsageError(f"no help on `{topic}`", hint=hint)
    standard_output().line(text)
