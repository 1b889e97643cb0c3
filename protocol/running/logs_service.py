"""Structured logs: one JSON line an event on standard error, or readable lines on a terminal. Secrets never enter."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

_SECRET: Final = ("token", "secret", "passphrase", "password", "seed", "private", "authorization", "api_key")


def set_up_logs(*, level: str = "info", is_json: bool | None = None) -> None:
    """Send logs to standard error; JSON unless it is a terminal."""
    readable = sys.stderr.isatty() if is_json is None else not is_json
    renderer: Any = structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _hide_secrets,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in event:
        if any(word in name.lower() for word in _SECRET):
            event[name] = "(hidden)"
        elif isinstance(event[name], bytes):
            event[name] = event[name].hex()[:32]
    return event
