"""Keys of doors, in the process that holds a base's book. None of these has a door: a key makes no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from node.doors.duties import Duty, require_duties
from node.doors.keys_service import KEY_ID_BYTES, SECRET_BYTES, KeyDesk, NewDoorKey
from protocol.book.service import Book
from protocol.identifiers import parse_id
from protocol.running import clock_service
from protocol.running.admin_client import Command
from protocol.times import Instant, format_instant


class KeepsKeys(Protocol):
    """A base that has keys: which duties they may be for, to whom they may be issued, what a company's key must name."""

    book: Book
    keys: KeyDesk
    duties: tuple[Duty, ...]

    async def require_company(self, company: str) -> None: ...
    async def choose_officer(self, name: str) -> str: ...


async def _key_new(app: KeepsKeys, asked: Mapping[str, Any]) -> Any:
    company = str(asked.get("company", ""))
    if company:
        await app.require_company(company)
    new = NewDoorKey(
        asked=parse_id(asked["id"]),
        id=clock_service.entropy(KEY_ID_BYTES).hex(),
        secret=clock_service.entropy(SECRET_BYTES).hex(),
        name=await app.choose_officer(asked["name"]),
        duties=require_duties(asked["duties"], app.duties),
        company=company,
    )
    made = await app.book.write(app.keys.make, new)
    return {
        "key_id": made.id,
        "name": new.name,
        "duties": ",".join(new.duties),
        "company": company,
        "key": "" if made.is_repeat else new.text,
        "repeated": made.is_repeat,
    }


async def _key_revoke(app: KeepsKeys, asked: Mapping[str, Any]) -> Any:
    at = await app.book.write(app.keys.revoke, asked["key_id"])
    return {"key_id": asked["key_id"], "revoked": format_instant(Instant(at))}


async def _keys(app: KeepsKeys, _asked: Mapping[str, Any]) -> Any:
    return [
        {
            "key_id": row.id,
            "name": row.name,
            "duties": row.duties.replace(" ", ","),
            "company": row.company,
            "since": format_instant(row.at),
            "revoked": "" if row.revoked_at is None else format_instant(row.revoked_at),
        }
        for row in await app.book.read(app.keys.load_all)
    ]


KEY_COMMANDS: Final[Mapping[str, Command]] = {"key_new": _key_new, "key_revoke": _key_revoke, "keys": _keys}
