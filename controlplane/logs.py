"""How the log of a process is written: one record is one line, whatever foreign text is in it, and holds no secret."""

import logging
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog
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


class JsonFormatter(structlog.stdlib.ProcessorFormatter):
    """A JSON object per line, with the run, brand and request that the line is about, where there is one."""

    def __init__(self) -> None:
        super().__init__(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                structlog.processors.format_exc_info,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.EventRenamer("message"),
                _cleaned,
                structlog.processors.JSONRenderer(sort_keys=True),
            ],
        )


def _cleaned(logger: Any, name: str, said: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """As the other formatter does: no secret, and nothing that harms a terminal."""
    return {
        key: message(value, settings.PIPELINE_TEXT_CHARACTERS, lines=True)
        if key in ("exception", "stack")
        else message(value, settings.PIPELINE_MESSAGE_CHARACTERS)
        if isinstance(value, str)
        else value
        for key, value in said.items()
    }


def _marked(text: str) -> str:
    lines = message(text, settings.PIPELINE_TEXT_CHARACTERS, lines=True).split("\n")
    return "\n".join(f"  | {line}" for line in lines)
