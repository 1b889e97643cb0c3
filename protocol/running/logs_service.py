"""Structured logs: one JSON line an event on standard error, or readable lines on a terminal. Secrets never enter.

What libraries say through the standard `logging` comes out the same way, warnings and worse. The library of logs is loaded
by whoever may say something: a command line that asks a running process waits for none.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

_SECRET: Final = ("token", "secret", "passphrase", "password", "seed", "private", "authorization", "api_key")
_HIDDEN: Final = "(hidden)"
_NOT_TEXT: Final = ("exc_info", "_record")  # what structlog itself reads later


class _StandardError:
    """Standard error as it is when something is said: whoever put another one in its place takes it away again.

    What cannot be written there, on a full disk or a broken pipe, is lost; the work that says it goes on.
    """

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()


class _Later(logging.Handler):
    """Sets up the logs when a library is the first to say something."""

    def __init__(self, level: str) -> None:
        super().__init__()
        self.asked = level

    def emit(self, record: logging.LogRecord) -> None:
        set_up_logs(level=self.asked)
        logging.getLogger(record.name).handle(record)


def set_up_logs_later(*, level: str) -> None:
    """Set up the logs as `set_up_logs` does, when somebody first has something to say."""
    logging.basicConfig(handlers=[_Later(level)], level=max(_number_of(level), logging.WARNING), force=True)


def find_logger(name: str) -> Any:
    """Return the logger of a part of the program. What was put off is set up now."""
    import structlog

    for waiting in [one for one in logging.getLogger().handlers if isinstance(one, _Later)]:
        set_up_logs(level=waiting.asked)
    return structlog.get_logger(name)


def _number_of(level: str) -> int:
    return logging.getLevelNamesMapping().get(level.upper(), logging.INFO)


def set_up_logs(*, level: str = "info", is_json: bool | None = None) -> None:
    """Send logs to standard error; JSON unless it is a terminal. An unknown level is info."""
    import structlog

    readable = sys.stderr.isatty() if is_json is None else not is_json
    renderer: Any = structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer()
    output: Any = _StandardError()
    number = _number_of(level)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(output),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)
    logging.getLogger("aiohttp.server").addFilter(_is_news)
    logging.getLogger("apscheduler.executors.default").addFilter(_is_no_end)


def _is_news(record: logging.LogRecord) -> bool:
    """A stranger's broken request is none: aiohttp would write a traceback for each."""
    if record.exc_info is None:
        return True
    from aiohttp.http_exceptions import HttpProcessingError  # who serves nothing need not load it

    return not isinstance(record.exc_info[1], HttpProcessingError)


def _is_no_end(record: logging.LogRecord) -> bool:
    """A job that is cancelled because its process ends is no trouble: the scheduler would write a traceback."""
    if record.exc_info is None:
        return True
    from asyncio import CancelledError

    return not isinstance(record.exc_info[1], CancelledError)


def _hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value if name in _NOT_TEXT else _shown(name, value) for name, value in event.items()}


def _shown(name: str, value: Any) -> Any:
    """Return a value as it may be written: bytes short and in hex, what is inside looked through too."""
    if any(word in name.lower() for word in _SECRET):
        return _HIDDEN
    match value:
        case bytes():
            return value.hex()[:32]
        case Mapping():
            return {str(inner): _shown(str(inner), one) for inner, one in value.items()}
        case list() | tuple():
            return [_shown(name, one) for one in value]
    return value
