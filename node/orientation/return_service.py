"""A holder changes his mind: of a project here at once, of one far away by asking its territory, in seconds or not at all."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from node.federation.cessions import CessionView
from node.federation.errors import CessionUnknown
from node.federation.payee_service import ANSWER_SECONDS, PayeeDesk
from node.federation.reading_service import load_cession
from node.federation.whispers import BackQuestion
from node.orientation import store
from node.orientation.errors import AskedBefore, OrientationUnknown
from node.orientation.service import BackAsked, FarBack, Orientations, TakeBackAsked, TakenBackView
from node.orientation.store import Oriented
from protocol.book.service import Book
from protocol.cession import TERMINAL, CessionState
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, parse_address


class StillOnItsWay(Refusal):
    """What was directed has not reached its project: it may be recalled. Facts: id, state."""

    code = "still_on_its_way"


class TerritorySilent(Refusal):
    """The project's territory did not answer in time: the same may be asked again. Facts: territory."""

    code = "territory_silent"


class ReturnDesk:
    """Asks for what holders here directed far away, and answers for what those of others directed here."""

    def __init__(
        self, book: Book, orientations: Orientations, payees: PayeeDesk, *, seconds: float = ANSWER_SECONDS
    ) -> None:
        """`seconds` is how long another territory's answer is waited for."""
        self._book = book
        self._orientations = orientations
        self._payees = payees
        self._seconds = seconds

    async def take_back(self, asked: TakeBackAsked, require: Callable[[str], None]) -> TakenBackView:
        """Take back what was directed. `require` raises where the caller may not act for the account that directed it.

        Raises OrientationUnknown, StillOnItsWay, TerritorySilent, and whatever the project's territory refuses.
        """
        found = await self._book.read(lambda line: _find(line, asked))
        require(found.account)
        view: TakenBackView
        if isinstance(found, Oriented):
            view = await self._book.write(self._orientations.take_back, asked)
            return view
        answered: TakenBackView | None = await self._book.write(self._orientations.find_answered, asked)
        if answered is not None:
            return answered
        if found.state is not CessionState.DELIVERED:
            if found.state in TERMINAL:
                raise OrientationUnknown(id=asked.orientation.hex())
            raise StillOnItsWay(id=asked.orientation.hex(), state=str(found.state))
        epoch, index, place = (int(part) for part in found.reference.split("/"))
        territory = parse_address(found.beneficiary).territory
        question = BackQuestion(epoch, index, place, asked.op, asked.cents or 0, self._book.clock())
        reply = await self._payees.ask_back(territory, question, seconds=self._seconds)
        if reply is None:
            raise TerritorySilent(territory=territory)
        if reply.code:
            raise AskedBefore(reply.code, {"id": asked.orientation.hex(), "account": found.beneficiary})
        far = FarBack(asked=asked, account=AccountNumber(found.account), cents=reply.cents)
        view = await self._book.write(self._orientations.note_far, far)
        return view

    async def give_back(self, sender: str, asked: BackQuestion) -> int:
        """Give back to another territory what its holder directed here; return how much. Raises its Refusal."""
        wanted = BackAsked(
            origin=sender,
            epoch=asked.epoch,
            index=asked.index,
            place=asked.place,
            id=asked.id,
            cents=asked.cents or None,
        )
        view: TakenBackView = await self._book.write(self._orientations.take_back_far, wanted)
        return view.cents


def _find(connection: Connection, asked: TakeBackAsked) -> Oriented | CessionView:
    """Return what was directed under an id, here or far. Raises OrientationUnknown."""
    here = store.find_orientations(connection, (asked.orientation,)).get(asked.orientation)
    if here is not None:
        return here
    try:
        return load_cession(connection, asked.orientation)
    except CessionUnknown:
        raise OrientationUnknown(id=asked.orientation.hex()) from None
