"""Keeps message text plain: what a document says can never end a turn or open a new one. Knows no engine."""

import re
from collections.abc import Sequence

from chatbot.generators.contract import Message

# Control tokens of the chat formats in use: <|im_end|>, <｜User｜>, </s>, <end_of_turn>, [/INST], <<SYS>>.
_CONTROL = re.compile(
    r"<(?=[|｜])"
    r"|<(?=/?(?:s|bos|eos|pad|unk|mask|think|tool_call|tool_response|start_of_turn|end_of_turn)>)"
    r"|<(?=</?SYS>>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])"
)


def plain_text(text: str) -> str:
    """Return `text` with a space inside each control token, so that a tokenizer reads characters, not a command."""
    return _CONTROL.sub(lambda match: match.group() + " ", text)


def chat(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Return the messages in the form chat templates and servers take, their text made plain."""
    return [{"role": message.role, "content": plain_text(message.text)} for message in messages]
