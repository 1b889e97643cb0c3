"""What the federation room refuses. Each is expected, and has a code and a text in `protocol.running.explanations`."""

from __future__ import annotations

from protocol.errors import Refusal


class NotAMember(Refusal):
    """This node is not enrolled, not accredited, or suspended. Facts: status."""

    code = "not_a_member"


class BookIsBehind(Refusal):
    """The hub holds more of our log than we do: this book is an old copy, and takes no new work. Facts: ours, theirs."""

    code = "book_is_behind"


class CessionUnknown(Refusal):
    """Facts: id."""

    code = "cession_unknown"


class TooLateToRecall(Refusal):
    """Facts: id, state."""

    code = "too_late_to_recall"


class NothingToGiveBack(Refusal):
    """No such arrival, one that was not delivered here, or from an anonymous giver. Facts: id, reason."""

    code = "nothing_to_give_back"
