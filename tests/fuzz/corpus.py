"""Write the corpus from the traffic of the story: `python -m tests.fuzz.corpus`. Two runs write the same files.

Files that a fuzzer found (`found-*`) are left alone. A file is named by what it holds.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import structs

from hub.config import HubConfig
from hub.operators.api import OPERATOR_DOORS
from hub.reconciliation.export_service import load_header, load_records
from node.config import NodeConfig
from node.guides.acts import sign_act, write_signed_act
from node.house.cards import Card, format_card
from node.house.settings import HouseSettings, Neighbour, format_house, write_keys
from node.partners.companies import Siren
from node.partners.purchases import PurchaseId, TillNumber
from node.partners.tickets import Ticket, derive_till_key, digest_purchase, format_ticket, format_ticket_qr
from node.partners_app import PartnersConfig
from node.people.paper_codes import format_code, make_code
from node.people.settings import PeopleSettings
from protocol import keys, merkle
from protocol.amounts import Cents
from protocol.book.recording_store import Statement
from protocol.canonical import decode_typed, encode_typed
from protocol.conversion import ABROAD_VERSION, ORDER_VERSION, ConversionOrder, sign_order
from protocol.directory import DirectoryEntry, Enrolled
from protocol.envelopes import (
    ENVELOPE_BYTES_MAX,
    AskOwn,
    Enrolment,
    Envelope,
    ForwardedSlip,
    HeadStatement,
    OwnSlips,
    Payload,
    SignedEnrolment,
    Welcome,
    open_envelope,
)
from protocol.errors import NotCanonical
from protocol.evidence import Evidence, EvidenceKind, SignedStatement
from protocol.exchange import foils
from protocol.exchange.peer_keys import make_new_key
from protocol.house import (
    HOUSE_VERSION,
    BaseName,
    CommitProject,
    ConvertProject,
    Deposit,
    DepositTaken,
    Donor,
    Due,
    DueConfirmed,
    DueSettled,
    DueState,
    DueTaken,
    DutyEnded,
    DutyHeard,
    EffectTold,
    ExpectationClosed,
    ExpectPayment,
    Granted,
    Grants,
    GuideAccredited,
    GuideEnded,
    GuideKnown,
    HouseMessage,
    HouseSlip,
    NetPaid,
    NettedDue,
    NettingTold,
    OpenPool,
    OpenProject,
    OrderNetted,
    OrderReturned,
    PaymentArrived,
    PaymentCalled,
    PaymentExpected,
    Pledge,
    PledgeAccepted,
    PledgeEnded,
    PledgeSpent,
    PoolOpened,
    ProjectConverted,
    ProjectOpened,
    ProjectReleased,
    Refused,
    ReleaseProject,
    Support,
    TakeBack,
    TakenBack,
    WindowTold,
    encode_house_slip,
)
from protocol.keys import Domain, make_keys
from protocol.messages import (
    AddKey,
    Beneficiaries,
    Cede,
    Convert,
    Counterfoil,
    Extension,
    Lot,
    NetSettled,
    Netting,
    Orders,
    Restored,
    RetireKey,
    SealedColumn,
    Settled,
    SettledState,
    Slip,
    Stopped,
    WindowClosed,
    decode_slip,
)
from protocol.national import DirectoryChanged, HubRestored, SlipRetaken, WindowNetted, decode_national, encode_national
from protocol.national_file import NationalRecord, frame
from protocol.running.invitations import Invitation, format_invitation
from protocol.running.keys_store import create_keys
from protocol.running.settings import format_settings
from protocol.windows import Netted, make_window
from tests.federation.world import BREST, HUB, LYON, World
from tests.fund.camt_files import Detail, Entry, File
from tests.fund.fund_world import SETTINGS
from tests.fuzz import catalogue_files, doors_served, pass_files, projects_files, south_files
from tests.fuzz.national_files import Told, mend
from tests.fuzz.story import Recorder, open_world, tell
from tests.fuzz.targets import AT, AUTHOR, HOUSE, READER, TARGETS

FOLDER: Final = Path(__file__).with_name("corpus")
FILES_MAX: Final = 64
REQUESTS_MAX: Final = 256  # of an API: each of its doors
FILE_BYTES_MAX: Final = 1_500


def collect() -> dict[str, list[bytes]]:
    """Return for each target what it is seeded with."""
    with tempfile.TemporaryDirectory() as folder:
        world = open_world(Path(folder))
        recorder = asyncio.run(tell(world))
        try:
            return {name: list(_smallest(name, inputs)) for name, inputs in _seeds(world, recorder).items()}
        finally:
            world.close()


def _smallest(name: str, inputs: Iterable[bytes]) -> Iterator[bytes]:
    """The smallest different ones: a fuzzer grows what it needs."""
    size_max = FILE_BYTES_MAX if name != "national_file" else TARGETS[name].bytes_max  # one file is a whole story
    kept = sorted({one for one in inputs if one and len(one) <= size_max}, key=lambda one: (len(one), one))
    yield from kept[: REQUESTS_MAX if name.endswith("_api") else FILES_MAX]


def _seeds(world: World, recorder: Recorder) -> dict[str, list[bytes]]:
    said = [*recorder.to_hub, *recorder.to_node]
    opened = [open_envelope(data) for data in said]
    payloads = [decode_typed(one.payload, Payload, size_max=ENVELOPE_BYTES_MAX) for one, _ in opened]
    carried = [slip for payload in payloads for slip in payload.slips]
    slips = [decode_slip(slip.leaf) for slip in carried]
    beside = [part for slip in carried for part in slip.beside]
    forwarded = [part for part in beside if _is(part, ForwardedSlip)]
    columns = [part for part in beside if _is(part, SealedColumn)]
    whispers = [whisper for payload in payloads for whisper in payload.whispers]
    parts = [payload.directory for payload in payloads if payload.directory is not None]
    changes = [decode_typed(entry, DirectoryEntry, size_max=8_192).change for part in parts for entry in part.entries]
    points = [statement.checkpoint for _, statement in opened if statement.checkpoint is not None]
    return {
        "canonical": [*(one.statement for one, _ in opened[:4]), msgspec.msgpack.encode({"a": [1, -1, None, b"x"]})],
        "envelope": said,
        "statement": [one.statement for one, _ in opened],
        "payload": [*(one.payload for one, _ in opened), *_recoveries(opened)],
        "checkpoint": [*(point.body for point in points[:4]), *(encode_typed(point) for point in points[:4])],
        "slip": [*_single_messages(slips), *(slip.leaf for slip in carried)],
        "beneficiaries": list(_columns()),
        "counterfoil": [
            encode_typed(Counterfoil((bytes(range(16)),), ("7K3F92QX",), ("00000000",), (bytes(6),))),
            encode_typed(Counterfoil((bytes(16),) * 2, ("7K3F92QX",) * 2, ("00000000",) * 2, (bytes(6),) * 2)),
        ],
        "own_slips": list(_own_slips(opened, payloads)),
        "house_slip": list(_house_slips()),
        "conversion_order": list(_orders()),
        "orders": [encode_typed(Orders(BREST, (b"sealed",))), encode_typed(Orders(BREST, (b"sealed", b"too")))],
        "foil": list(_foils()),
        "sealed_column": [*columns, *_columns()],
        "forwarded": forwarded,
        "whisper": [*(encode_typed(whisper) for whisper in whispers), *_whispered()],
        "directory_part": [encode_typed(part) for part in parts],
        "directory_entries": [
            *(entry for part in parts for entry in part.entries),
            *(encode_typed([changes[:size]]) for size in range(1, len(changes) + 1, 3)),
        ],
        "national": list(_national(world)),
        "national_file": list(_national_files(world)),
        "evidence": list(_evidence(opened)),
        "merkle": list(_proofs()),
        "enrolment": [_enrolment()],
        "welcome": [encode_typed(Welcome("test", HUB, AUTHOR.public.signing, AUTHOR.public.sealing))],
        "invitation": list(_invitations()),
        "names": [
            b"returns 1/2/3 project_full",
            b"7K3F-92QX-C@200046977",
            b"7K3F92QX",
            BREST.encode(),
            b"HUB-FR",
            *_names(),
        ],
        "time": [
            b"2026-11-28",
            b"20261128",
            b"2026-11-23T08:15:00.123Z",
            b"2026-11-23T08:15+01:00",
            b"9999-12-31T23:59:59-23:59",
        ],
        "body": list(_bodies()),
        "admin": [json.dumps({"command": "open", "arguments": {"id": "x", "kind": "person"}}).encode(), b"[" * 1_400],
        "hub_refusal": [
            b'{"code":"bad_envelope","facts":{"reason":"wrong_reader"},"explanation":"no"}',
            rb'{"code":"\ud800"}',
            b"[" * 900,
        ],
        "settings": list(_settings()),
        "keys": list(_key_files()),
        "card": list(_cards()),
        "base_settings": list(_base_settings()),
        "bank_file": list(_bank_files()),
        "ticket": list(_tickets()),
        "paper_code": [format_code(make_code(bytes(range(32)))).encode(), b"8en5 mfqc aj9e ewe1 kbsc jese"],
        "receivers": [b"7K3F92QX;1\n7K3F-92QX-C@242900314 ; 2\r\n\n", "\ufeff7K3F92QX;0".encode()],
        "operations": [
            b"id;kind;account;amount;label\n1;staff;7K3F-92QX-C@200046977;12,50;prime\n2;x;y;z;\n",
            b"\xef\xbb\xbfidentifiant,nature,compte,montant\r\n1,fournisseur,7K3F-92QX-C@200046977,1\r\n",
        ],
        "pass_file": list(pass_files.seeds()),
        "projects_file": list(projects_files.seeds()),
        "signed_file": list(south_files.seeds()),
        "catalogue_file": list(catalogue_files.seeds()),
        "node_api": list(_node_requests()),
        "doors_api": list(doors_served.seeds()),
        "credits_in_columns": list(_readable_credits()),
        "hub_api": list(_hub_requests(said)),
        "node_takes": [open_envelope(data)[0].payload for data in recorder.to_node],
        "hub_takes": [open_envelope(data)[0].payload for data in recorder.to_hub],
    }


def _is(data: bytes, type_: type[Any]) -> bool:
    try:
        decode_typed(data, type_, size_max=ENVELOPE_BYTES_MAX)
    except NotCanonical:
        return False
    return True


def _window() -> WindowClosed:
    """Two territories owe each other."""
    rows = (Netted((BREST, 1, 0), 0, LYON, 700), Netted((BREST, 1, 2), 1, LYON, 5), Netted((LYON, 1, 3), 0, BREST, 300))
    return make_window(1, 20261130, rows)


def _single_messages(slips: list[Slip]) -> Iterator[bytes]:
    """One slip of each kind of message, the shortest that was said; those that the story does not say by hand."""
    shortest: dict[str, bytes] = {}
    extra = (
        AddKey(bytes(32), bytes(32), bytes(64)),
        RetireKey(bytes(8)),
        Stopped(1, (0,), (1,), ()),
        Restored(2, 3),
        Extension("newer", b"?"),
        Settled(BREST, 1, 0, (0,), (SettledState.PAID,), (20261128,)),
        Netting(True, 20261128),
        _window(),
        NetSettled(1, SettledState.CONFIRMED, 20261130),
    )
    lot = Lot(LYON, bytes(16), 5, 202611)
    cede = Cede((lot,), (), (0,), (5,), (), bytes(8), bytes(32))
    yield encode_typed(Slip(1, LYON, AT, (cede, Convert((bytes(16),), (bytes(16),)))))
    for message in (*(message for slip in slips for message in slip.messages), *extra):
        data = encode_typed(Slip(1, HUB, AT, (message,)))
        name = type(message).__name__
        if name not in shortest or len(data) < len(shortest[name]):
            shortest[name] = data
    yield from shortest.values()


def _recoveries(opened: list[tuple[Envelope, HeadStatement]]) -> Iterator[bytes]:
    yield encode_typed(Payload(0, (), 0, None, (), (), AskOwn(3, bytes(16))))
    envelope = opened[0][0]
    yield encode_typed(
        Payload(
            0, (), 0, None, (), (), OwnSlips(bytes(16), 0, (), envelope.statement, envelope.signature, (bytes(32),))
        )
    )


def _cards() -> Iterator[bytes]:
    for base in BaseName:
        public = make_keys(bytes([len(base)]) * 64).public
        yield format_card(Card("200046977", base, public.signing, public.sealing)).encode()


def _base_settings() -> Iterator[bytes]:
    keys = write_keys(make_keys(b"k" * 64).public)
    yield format_house(HouseSettings(territory="200046977", bases={"THE-FUND": Neighbour(keys=[keys])})).encode()
    yield format_settings(SETTINGS).encode()
    yield format_settings(PartnersConfig()).encode()
    yield format_settings(PeopleSettings()).encode()


def _bank_files() -> Iterator[bytes]:
    detail = Detail(cents=5, reference="RF74000000000001", bank_reference="A", text="x")
    for message in ("camt.053.001.08", "camt.053.001.02", "camt.054.001.08"):
        yield File(message=message, entries=[Entry(cents=5, details=[detail])]).write()
    yield (
        b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><OrgnlGrpInfAndSts>'
        b"<OrgnlMsgId>M</OrgnlMsgId><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"
    )
    yield b"date;montant;libelle;ref;iban\n24/11/2026;1,00;a;;\n24/11/2026;-1,00;b;;\n"


def _tickets() -> Iterator[bytes]:
    key = derive_till_key(0, b"a secret of tests, of 32 bytes !", Siren("732829320"), TillNumber(1))
    made = Ticket(
        company=Siren("732829320"),
        till=TillNumber(1),
        purchase=digest_purchase(PurchaseId("S-1")),
        cents=Cents(500),
        expires_on=date(2099, 12, 31),
    )
    yield format_ticket(made, key).encode()
    yield format_ticket_qr(made, key).encode()


def _foils() -> Iterator[bytes]:
    statement = Statement("UPDATE sales SET cents = %s WHERE id = %s", ("cents", "id"), ((5, 7), (None, b"id")))
    for statements in ((), (statement,)):
        yield encode_typed(foils.Foil(1, "0001", 7, (("ACCOUNTS", 3),), foils.write_statements(statements)))


def _orders() -> Iterator[bytes]:
    order = ConversionOrder(
        *(ORDER_VERSION, BREST, LYON, bytes(16), 1, "A garden", "W293001234", "A garden for all", "9220"),
        *("FR7630006000011234567890189", "FR", 20271231, bytes(32), bytes(32), 20261128),
    )
    signed = sign_order(order, AUTHOR)
    yield signed.order
    yield encode_typed(signed)
    yield encode_typed(structs.replace(order, version=ABROAD_VERSION, country="SN"))


def _house_slips() -> Iterator[bytes]:
    """One slip of each message between the bases of a territory, and one of all."""
    deposit = Deposit(bytes(16), b"a donor, opaque.", "bread", 202611, 1, "", "D715K6AF", 1_234)
    messages: tuple[HouseMessage, ...] = (
        deposit,
        DepositTaken(bytes(16), bytes(16)),
        Refused(bytes(16), "account_unknown"),
        OpenPool(bytes(16), "Bread"),
        PoolOpened(bytes(16), "D715K6AF"),
        Grants("D715K6AF", (bytes(16), b"a grant, opaque."), ("D715K6AF",) * 2, (5, 7), ("bread", "")),
        Granted((bytes(16),)),
        TakeBack(bytes(16), bytes(16), 5),
        TakenBack(bytes(16), 0),
        Donor(bytes(16), "552100554", "A baker", "SAS", ("1 rue X",), "29200", "Brest", "FR", (12, 31)),
        ExpectPayment(bytes(16), bytes(16), "bread", 1, "", "D715K6AF", 1_234, 20261231),
        PaymentExpected(bytes(16), "RF18539007547034", "FR7630006000011234567890189"),
        PaymentArrived(bytes(16), bytes(16), 1_234, 20261128),
        ExpectationClosed(bytes(16), 20270301),
        Pledge(bytes(16), bytes(16), "bread", 17, "", "D715K6AF", 50_000, 20270630),
        PledgeAccepted(bytes(16)),
        PaymentCalled(
            *(bytes(16), bytes(16), 202611, 5_000, 20270102, "RF18539007547034", "F" * 27, (bytes(16),), (5_000,))
        ),
        PledgeSpent(bytes(16), bytes(16), 5_000),
        PledgeEnded(bytes(16), 3_000, 0),
        OpenProject(bytes(16), "A garden", "food", 200_000, 20270331),
        ProjectOpened(bytes(16), "D715K6AF"),
        CommitProject(bytes(16), bytes(16)),
        ReleaseProject(bytes(16), bytes(16), "minimum_missed"),
        ConvertProject(bytes(16), bytes(16), 1, 5_000, (BREST, LYON), (b"sealed",) * 2),
        ProjectConverted(bytes(16), (BREST,), (4_900,), 100),
        Support(bytes(16), 5_000, 3),
        ProjectReleased(bytes(16), 0),
        Due(bytes(16), BREST, bytes(16), (bytes(16),), (4_900,), b"sealed"),
        DueTaken(bytes(16)),
        DueSettled(bytes(16), DueState.PAID, 4_900, 20270402),
        DueConfirmed(bytes(16), 20270403),
        make_new_key(HOUSE, BaseName.ACCOUNTS, 1, AUTHOR, keys.make_keys(bytes([9]) * 64)),
        NettingTold(LYON, True, 20261128),
        OrderNetted(bytes(16), b"sealed"),
        OrderReturned(bytes(16), "order_refused"),
        NettedDue(bytes(16), LYON, bytes(16), 700, b"sealed"),
        WindowTold(1, 20261130, (BREST, LYON), (400, -400), (bytes(16), b"another, opaque."), (1, 1), (700, -300)),
        NetPaid(1, LYON, SettledState.PAID, 20261203),
        GuideAccredited(bytes(16), bytes(32), 20261101, 20281031),
        GuideEnded(bytes(16), "guide_left"),
        GuideKnown(bytes(16), True),
        DutyEnded(bytes(16), bytes(16), "treasurer", "la caisse", bytes(8), 1_795_000_000_000, True),
        DutyHeard(bytes(16), 2, 1, True),
        EffectTold(bytes(16), LYON, bytes(16), "A garden", 20_000, 700, 300, 400, 300),
    )
    for part in (*((message,) for message in messages), messages):
        yield encode_house_slip(HouseSlip(HOUSE_VERSION, BaseName.ACCOUNTS, 1_795_000_000_000, part))


def _own_slips(opened: list[tuple[Envelope, HeadStatement]], payloads: list[Payload]) -> Iterator[bytes]:
    for (envelope, statement), payload in zip(opened, payloads, strict=True):
        if statement.sender == BREST and not payload.start:
            yield encode_typed(OwnSlips(bytes(16), 0, payload.slips, envelope.statement, envelope.signature, ()))


def _columns() -> Iterator[bytes]:
    yield encode_typed(Beneficiaries(BREST, ("7K3F92QX",), (), ()))
    yield encode_typed(Beneficiaries(BREST, ("7K3F92QX", "00000000"), ("7K3F-92QX-C@200046977", ""), ("merci", "é")))


def _whispered() -> Iterator[bytes]:
    id_ = bytes(range(16))
    yield msgspec.msgpack.encode([id_, BREST, LYON, [1, "7K3F92QX", AT]])
    yield msgspec.msgpack.encode([id_, BREST, LYON, [2, True, "A\u2022\u2022\u2022 L\u2022", AT]])
    yield msgspec.msgpack.encode([id_, BREST, LYON, [3, 1, 17, 2, id_, 500, AT]])
    yield msgspec.msgpack.encode([id_, BREST, LYON, [4, 0, "project_committed", AT]])


def _national(world: World) -> Iterator[bytes]:
    from protocol.book import log_store

    def load(connection: Any) -> list[bytes]:
        logs = log_store.load_logs(connection)
        return [leaf for log in logs if log.reader == "*" for leaf in log_store.load_leaves(connection, log.id, 0, 99)]

    yield from world.hub_book.read_now(load)
    yield encode_national(HubRestored(AT, 2))
    yield encode_national(WindowNetted(AT, _window()))
    yield encode_national(SlipRetaken(AT, BREST, 1, 2, bytes(32), "", (0,), ("unknown_account",)))


def _national_files(world: World) -> Iterator[bytes]:
    """What the hub gives out: the whole story, half of it and its beginning; and a hub that was restored in between."""

    def load(connection: Any) -> Told:
        log, header = load_header(connection, world.registry.identity)
        return Told(header, tuple(load_records(connection, world.registry.identity, log)))

    whole = _with_our_keys(world.hub_book.read_now(load))
    taken = [record for record in whole.records if record.slip]
    again = [_retake(record) for record in taken if decode_national(record.leaf).member == BREST][:3]  # type: ignore[union-attr]
    restored = NationalRecord(encode_national(HubRestored(AT, 2)), b"")
    for records in (
        whole.records,
        whole.records[:14],
        (*whole.records[:7], restored, *again, *whole.records[10:14]),
    ):
        yield encode_typed(mend(Told(whole.header, records)))
    short = mend(Told(structs.replace(whole.header, heads=()), whole.records[:3]))
    yield b"".join(frame(encode_typed(part)) for part in (short.header, *short.records))


def _with_our_keys(told: Told) -> Told:
    """The same story of parties whose keys the target has."""
    records = []
    for record in told.records:
        entry = decode_national(record.leaf)
        if isinstance(entry, DirectoryChanged):
            said = decode_typed(entry.entry, DirectoryEntry, size_max=8_192)
            if isinstance(said.change, Enrolled):
                public = (READER if said.change.member == HUB else AUTHOR).public
                change = structs.replace(said.change, signing=public.signing, sealing=public.sealing)
                entry = structs.replace(entry, entry=encode_typed(structs.replace(said, change=change)))
        records.append(NationalRecord(encode_national(entry), record.slip))
    return Told(told.header, tuple(records))


def _retake(record: NationalRecord) -> NationalRecord:
    taken = decode_national(record.leaf)
    return NationalRecord(encode_national(SlipRetaken(*structs.astuple(taken))), record.slip)


def _evidence(opened: list[tuple[Envelope, HeadStatement]]) -> Iterator[bytes]:
    """Statements of one sender against each other: honest ones, which the target signs anew and the fuzzer bends."""
    own = [one for one in opened if one[1].sender == BREST][:6]
    hubs = [one for one in opened if one[1].sender == HUB and one[1].checkpoint is not None][-2:]
    for kind in EvidenceKind:
        for pair in ((own[0], own[-1]), (hubs[0], hubs[-1])):
            (first, one), (second, two) = pair
            frontier, _ = merkle.Frontier(0, ()).extend([])
            yield encode_typed(
                Evidence(
                    1,
                    str(kind),
                    AT,
                    one.sender,
                    SignedStatement(one.sender, AUTHOR.public.signing, first.statement, first.signature),
                    SignedStatement(two.sender, AUTHOR.public.signing, second.statement, second.signature),
                    one.checkpoint,
                    frontier.peaks,
                    second.payload if len(second.payload) < 700 else b"",
                )
            )


def _proofs() -> Iterator[bytes]:
    leaf = merkle.hash_leaf(b"x")
    for index, size, parts in ((0, 1, 0), (2, 5, 3), (6, 7, 2), (3, 8, 3)):
        yield msgspec.msgpack.encode([index, size, b"x", [leaf] * parts])


def _enrolment() -> bytes:
    public = AUTHOR.public
    body = encode_typed(Enrolment("test", BREST, bytes(range(16)), "Brest", public.signing, public.sealing, AT))
    return encode_typed(SignedEnrolment(body, keys.sign(AUTHOR, Domain.ENROLMENT, body)))


def _invitations() -> Iterator[bytes]:
    invitation = Invitation("test", HUB, bytes(32), LYON, bytes(range(16)), "https://hub.example.org")
    yield format_invitation(invitation).encode()
    yield encode_typed(invitation)


def _names() -> Iterator[bytes]:
    yield b"00000000-0000-4000-8000-000000000002"
    yield bytes(range(1, 17))
    yield "Ma\u00ebl  d\u2019Arc".encode()
    yield b"person"
    yield b"freeze"


_ID: Final = "00000000-0000-4000-8000-00000000000a"
_JSON: Final[dict[str, Any]] = {
    "orientation": {"id": _ID, "from": "$ANNA", "choices": [{"to": "$POOL", "cents": 5}], "overflow": "next"},
    "orientation_return": {"id": _ID, "cents": 5},
    "pool": {"id": _ID, "title": "Pot", "givers": ["anybody", "listed"], "sharing": "weighted", "units": [10]},
    "givers": {"id": _ID, "givers": ["$ANNA", "7K3F-92QX-A@200046977"], "listed": True},
    "receivers": {"id": _ID, "receivers": [{"account": "$ANNA", "class": 1}]},
    "solidarity": {
        **{"id": _ID, "pool": _ID, "title": "x", "target_cents": 5},
        **{"starts": "2026-12-01", "until": "2026-12-24"},
    },
    "decision": {"id": _ID, "event": "share"},
    "gift_return": {"id": _ID},
    "group": {"id": _ID, "account": "$ANNA"},
    "group_member": {"id": _ID, "member": "$ANNA"},
    "group_consent": {"id": _ID, "guide": _ID, "member": "$ANNA", "days": 30},
    "group_mandate": {"id": _ID, "guide": _ID, "sha256": "ab" * 32, "days": 30},
    "act": {"signed": write_signed_act(sign_act(south_files.ACTS[0], south_files.OWN))},
    "standing": {"id": _ID, "from": "$ANNA", "share": 100, "projects": ["$POOL"]},
    "open": {"id": _ID, "kind": "person", "shown_name": "Anna"},
    "state": {"event": "freeze"},
    "name": {"shown_name": None},
    "credit": {"from": "$POOL", "items": [{"id": _ID, "to": "$ANNA", "cents": 12, "reference": "bread"}]},
    "reversal": {"id": _ID, "credit": _ID, "cents": 5},
    "reservation": {"id": _ID, "account": "$ANNA", "cents": 3, "expires_at": "2030-01-01T00:00:00Z"},
    "cession": {"items": [{"id": _ID, "from": "$ANNA", "to": "7K3F-92QX-C@200046977", "cents": 7, "words": "x"}]},
}


def _bodies() -> Iterator[bytes]:
    for body in _JSON.values():
        yield json.dumps(body).replace("$POOL", "7K3F92QX").replace("$ANNA", "7K3F92QX").encode()
    lists = [body for _, body in _lists("7K3F92QX", "00000000", "7K3F-92QX-A@200046977")]
    yield from (json.dumps(body).encode() for body in lists)
    yield from (msgspec.msgpack.encode(body) for body in lists[:2])  # the good ones: their values are changed
    yield json.dumps(
        {"id": _ID, "from": "7K3F92QX", "to": "7K3F-92QX-C@200046977", "cents": 7, "anonymous": True}
    ).encode()


_GOOD_ID: Final = "00000000-0000-4000-8000-00000000000b"
# What a line may hold instead of what it should: each stands among good ones.
_ODD: Final[tuple[dict[str, Any], ...]] = (
    {"id": _ID.upper()},
    {"id": "0000000-00000-4000-8000-00000000000a"},
    {"id": "\u0660" * 36},
    {"id": "\ud800" + "0" * 35},
    {"id": "00000000-0000-0000-0000-000000000000"},
    {"id": _GOOD_ID},
    {"cents": 2**64},
    {"cents": 10**300},
    {"cents": True},
    {"cents": 1.0},
    {"cents": 0},
    {"to": "7k3f 92qx"},
    {"to": " 0000 0000"},
    {"to": "7K3F-92QX-C@242900314"},
    {"to": "\udfff" * 8},
    {"note": [[[{"a": {}}]]]},
)


def _lists(pool: str, account: str, far: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lists of credits and of cessions with their doors: all good, and with one odd line behind or before a good one."""
    credit = {"id": _ID, "to": account, "cents": 12, "reference": "bread"}
    cession = {"id": _ID, "from": account, "to": far, "cents": 7}
    for odd in ({}, *_ODD):
        yield "/v1/credits", {"from": pool, "items": [credit | {"id": _GOOD_ID}, credit | odd]}
        yield "/v1/cessions", {"items": [cession | odd, cession | {"id": _GOOD_ID}]}


def _readable_credits() -> Iterator[bytes]:
    """New, in the book before, changed since, the same twice, to an account that is not there, more than there is."""
    credit = {"id": _ID, "to": "$ANNA", "cents": 12, "reference": "bread"}
    known = {"id": "00000000-0000-4000-8000-000000000001"}
    for odd in ({}, known, known | {"cents": 13}, {"id": _GOOD_ID}, {"to": "00000000"}, {"cents": 10**12}):
        items = [credit | {"id": _GOOD_ID}, credit | odd]
        yield json.dumps({"from": "$POOL", "items": items}).encode()
        yield json.dumps({"from": "$POOL", "items": [*reversed(items), credit | {"id": _ID[:-1] + "c"}]}).encode()
    yield json.dumps({"from": "$ANNA", "items": [credit | {"to": "$POOL"}]}).encode()


def _node_requests() -> Iterator[bytes]:
    """Every door of the API once, some twice."""

    def ask(line: str, body: str = "") -> bytes:
        return f"{line}\nAuthorization: Bearer $KEY\nAccept-Language: en\n\n".encode() + (
            json.dumps(_JSON[body]).encode() if body else b""
        )

    account = "/v1/accounts/$ANNA"
    yield from (
        ask("POST /v1/accounts", "open"),
        ask(f"GET {account}"),
        ask(f"POST {account}/state", "state"),
        ask(f"PUT {account}/shown-name", "name"),
        ask(f"GET {account}/balance"),
        ask(f"GET {account}/balance?at=2026-11-23T08:15:00Z"),
        ask(f"GET {account}/history?order=oldest&cursor=3&limit=5"),
        ask(f"GET {account}/statement?from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00%2B01:00"),
        ask("POST /v1/credits", "credit"),
        ask("POST /v1/reversals", "reversal"),
        ask("POST /v1/reservations", "reservation"),
        ask(f"DELETE /v1/reservations/{_ID}"),
        ask(f"GET /v1/operations/{_ID}"),
        ask("GET /v1/totals"),
        ask("POST /v1/cessions", "cession"),
        ask("GET /v1/cessions?account=$ANNA&cursor=4&limit=2"),
        ask(f"GET /v1/cessions/{_ID}"),
        ask(f"POST /v1/cessions/{_ID}/recall"),
        ask(f"POST /v1/arrivals/{_ID}/return"),
        ask("GET /v1/arrivals?account=$ANNA"),
        ask("POST /v1/orientations", "orientation"),
        ask("GET /v1/orientations?account=$ANNA&cursor=4&limit=2"),
        ask(f"POST /v1/orientations/{_ID}/return", "orientation_return"),
        ask("GET /v1/support"),
        ask("POST /v1/standing-orders", "standing"),
        ask("GET /v1/standing-orders?account=$ANNA"),
        ask(f"DELETE /v1/standing-orders/{_ID}"),
        ask("POST /v1/solidarity/pools", "pool"),
        ask("GET /v1/solidarity/pools"),
        ask(f"POST /v1/solidarity/pools/{_ID}/givers", "givers"),
        ask(f"POST /v1/solidarity/pools/{_ID}/receivers", "receivers"),
        ask(f"GET /v1/solidarity/pools/{_ID}/receivers?after=7K3F92QX&limit=2"),
        ask("POST /v1/solidarity/operations", "solidarity"),
        ask("GET /v1/solidarity/operations"),
        ask(f"POST /v1/solidarity/operations/{_ID}/decisions", "decision"),
        ask(f"GET /v1/solidarity/operations/{_ID}"),
        ask(f"GET /v1/solidarity/gifts/{_ID}"),
        ask(f"POST /v1/solidarity/gifts/{_ID}/return", "gift_return"),
        ask("POST /v1/groups", "group"),
        ask("GET /v1/groups/$ANNA"),
        ask("POST /v1/groups/$ANNA/members", "group_member"),
        ask("DELETE /v1/groups/$ANNA/members/$ANNA"),
        ask("POST /v1/groups/$ANNA/consents", "group_consent"),
        ask("POST /v1/groups/$ANNA/mandates", "group_mandate"),
        ask(f"DELETE /v1/groups/$ANNA/consents/{_ID}"),
        ask("POST /v1/acts", "act"),
        ask("GET /v1/payee?address=7K3F-92QX-C%40242900314"),
        ask("GET /v1/directory"),
        ask("GET /v1/catalogue?text=jardin&theme=nature&urgency=1&near=48.39,-4.48&within=2000&cursor=1&limit=5"),
        ask("GET /v1/catalogue?territory=242900314"),
        ask("GET /v1/catalogue/territories"),
        ask("GET /v1/catalogue/7K3F-92QX-C@242900314"),
        *(
            f"POST {path}\nAuthorization: Bearer $KEY\n\n".encode() + json.dumps(body).encode()
            for path, body in _lists("$POOL", "$ANNA", "7K3F-92QX-A@200046977")
        ),
        b"GET /v1/openapi.json\n\n",
        b"GET /healthz\n\n",
        b"GET /readyz\n\n",
        b"GET /metrics\n\n",
        b"GET /v1/totals\nAuthorization: Bearer cmk_0_0\n\n",
        b"POST /v1/credits\nAuthorization: Bearer $KEY\nTransfer-Encoding: chunked\n\n2\r\n{}\r\n0\r\n\r\n",
    )


def _hub_requests(said: list[bytes]) -> Iterator[bytes]:
    yield b"POST /v1/exchange\nCitizen-Miles-Wait-Ms: 10\n\n" + min(said, key=len)
    yield b"POST /v1/enrol\n\n" + _enrolment()
    yield b"GET /v1/directory\n\n"
    yield b"GET /v1/catalogue?since=5\n\n"
    yield b"PUT /v1/catalogue\n\n" + [*catalogue_files.seeds()][6]
    yield b"GET /v1/checkpoint\nAccept-Language: en\n\n"
    for route, _, _ in OPERATOR_DOORS:
        path = route.path.replace("{window}", "1")
        yield f"{route.method} {path}\nAuthorization: Bearer $OPERATOR\n\n".encode()
    yield b"GET /v1/operator/openapi.json\n\n"
    yield b"GET /v1/operator/windows\nAuthorization: Bearer cmo_0_0\n\n"


def _settings() -> Iterator[bytes]:
    yield format_settings(NodeConfig("test", BREST, "Brest m\u00e9tropole")).encode()
    yield format_settings(HubConfig("test", HUB, "Operator")).encode()
    yield b"[::1]:8461"
    yield b"127.0.0.1:65535"
    yield "h:\u00b2".encode()
    yield b"a = " + b"[" * 500 + b"]" * 500
    yield b'network = "\\u007f"\nterritory = "242900314"\nname = "\\U0001F600"'


def _key_files() -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        secret = create_keys(Path(folder) / "keys", None, AUTHOR.signing_seed + AUTHOR.sealing_seed)
        name = secret.public.id.hex()
        yield (Path(folder) / "keys" / f"{name}.key").read_bytes() + b"\0" + name.encode()


def write() -> dict[str, int]:
    """Write all corpora anew; return the bytes of each."""
    sizes = {}
    for name, inputs in collect().items():
        folder = FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if not old.name.startswith("found-"):
                old.unlink()
        for data in inputs:
            (folder / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)
        sizes[name] = sum(file.stat().st_size for file in folder.iterdir())
    assert set(sizes) == set(TARGETS), "a target without a corpus"
    return sizes


if __name__ == "__main__":
    for name, size in write().items():
        print(f"{name:20} {size:7} bytes")
