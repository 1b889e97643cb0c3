"""What the operator of the projects' base sets. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.identifiers import TerritoryCode


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectsSettings:
    """`zone` is where days are meant. `grace_hours`: after a need-by day, how long what was directed on it may take to
    be told here. `iban_change_hours`: how long a changed account waits after it was asked for.
    """

    home: TerritoryCode
    zone: str = "Europe/Paris"
    grace_hours: int = 6
    iban_change_hours: int = 48
    catalogue_hours: int = 6  # how seldom the catalogue is signed anew where only its support changed
    issuer: str = ""  # the name under which passes are issued
    public_url: str = ""  # where passes are verified, https without a slash at the end; nothing where nobody can call
