"""Why a solidarity operation does not do what is asked. Pure.

Refusal
└── SolidarityRefusal
    ├── PoolUnknown           no pool was opened under this id
    ├── OperationUnknown      no operation was opened under this id
    ├── GiftUnknown           nothing that was given to an operation has this id
    ├── GiftNotReturnable     it went back already, or was no gift of somebody that it could go back to
    ├── OperationEnded        it is shared or cancelled, or on the way there: nothing is given or taken back any more
    ├── OperationRunning      its last day is not over and its target is not reached
    ├── OperationNotShared    it cannot be closed yet
    ├── NothingToShare        nothing was given
    ├── NobodyToShareWith     no receiver is enrolled whose account is open
    ├── TooManyReceivers      a pool has so many at most
    └── ClassUnknown          the pool has no class of this number
"""

from __future__ import annotations

from protocol.errors import Refusal


class SolidarityRefusal(Refusal):
    """Refused because of how an operation stood at that moment."""

    code = "solidarity_refused"


class PoolUnknown(SolidarityRefusal):
    """Facts: id."""

    code = "pool_unknown"


class OperationUnknown(SolidarityRefusal):
    """Facts: id."""

    code = "solidarity_operation_unknown"


class GiftUnknown(SolidarityRefusal):
    """Facts: id."""

    code = "gift_unknown"


class GiftNotReturnable(SolidarityRefusal):
    """Facts: id, state."""

    code = "gift_not_returnable"


class OperationEnded(SolidarityRefusal):
    """Facts: id, state."""

    code = "solidarity_operation_ended"


class OperationRunning(SolidarityRefusal):
    """Facts: id, until (yyyymmdd), cents, target."""

    code = "solidarity_operation_running"


class OperationNotShared(SolidarityRefusal):
    """Facts: id, state."""

    code = "solidarity_operation_not_shared"


class NothingToShare(SolidarityRefusal):
    """Facts: id."""

    code = "nothing_to_share"


class NobodyToShareWith(SolidarityRefusal):
    """Facts: id."""

    code = "nobody_to_share_with"


class TooManyReceivers(SolidarityRefusal):
    """Facts: most."""

    code = "too_many_receivers"


class ClassUnknown(SolidarityRefusal):
    """Facts: receiver_class, classes."""

    code = "receiver_class_unknown"


class AskedBefore(Refusal):
    """A refusal that was remembered with the id that met it: the same words for ever."""

    def __init__(self, code: str, facts: dict[str, int | str]) -> None:
        self.code = code  # type: ignore[misc]
        super().__init__(**facts)
