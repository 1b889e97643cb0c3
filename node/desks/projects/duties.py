"""Duties of keys at the projects' doors. Pure."""

from __future__ import annotations

from typing import Final

from node.doors.duties import Duty

PROJECTS_DUTIES: Final = (Duty.READER, Duty.SECRETARY, Duty.MODERATOR, Duty.TREASURER, Duty.OFFICER)
ALL: Final = PROJECTS_DUTIES
SECRETARY: Final = (Duty.SECRETARY,)
MONEY: Final = (Duty.TREASURER,)
BRINGS: Final = (Duty.SECRETARY, Duty.OFFICER)  # what was signed elsewhere, with a key that no base holds
