"""How the log of a process is written: one record is one line, whatever foreign text is in it, and holds no secret."""

import logging
from types import TracebackType

from django.conf import settings

from pipeline.words.foreign import message


class LineFormatter(logging.Formatter):
    """Escapes line breaks and control characters, so that no scraped text can forge a line. A traceback's lines begin with |."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return message(super().formatMessage(record), settings.PIPELINE_MESSAGE_CHARACTERS)

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        return _marked(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        return _marked(super().formatStack(stack_info))


def _marked(text: str) -> str:
    lines = message(text, settings.PIPELINE_TEXT_CHARACTERS, lines=True).split("\n")
    return "\n".join(f"  | {line}" for line in lines)
