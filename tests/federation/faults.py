"""Single changes by hand that `check` must name: one row, in one book of the told story, by a key that stays.

    FAULTS["hub position"].book        whose base: hub, giver, taker, or third (who holds rights of the giver from the taker)
    FAULTS["hub position"].change      plain SQL for SQLite and PostgreSQL
    FAULTS["hub position"].invariant   what the finding must say: place, expected and found are regular expressions

Other tests map faults of other systems onto these keys.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One change, and the finding that must name it."""

    book: str
    change: str
    invariant: str
    place: str
    expected: str
    found: str
    is_allowed: bool = True  # False: a rule of the table forbids it, and only who edits the file gets past


def _first(table: str, where: str = "1 = 1", key: str = "id") -> str:
    return f"{key} = (SELECT min({key}) FROM {table} WHERE {where})"


def _last(table: str, where: str = "1 = 1", key: str = "id") -> str:
    return f"{key} = (SELECT max({key}) FROM {table} WHERE {where})"


def _log(owner: str, reader: str) -> str:
    return f"(SELECT id FROM logs WHERE owner = '{owner}' AND reader = '{reader}')"


_HUB, _GIVER, _TAKER, _THIRD = "HUB-FR", "242900314", "200046977", "200093201"
_PERSON = "(SELECT id FROM accounts WHERE kind = 'person' AND opened_at = (SELECT min(opened_at) FROM accounts WHERE kind = 'person'))"

FAULTS: dict[str, Fault] = {
    # The hub's book.
    "hub position": Fault(
        "hub",
        f"UPDATE positions SET cents = cents + 1 WHERE lot_id = 1 AND holder = '{_THIRD}'",
        "I4",
        r"position 242900314/[0-9a-f]{32}/200093201",
        "300",
        "301",
    ),
    "deleted hub position": Fault(
        "hub",
        f"DELETE FROM positions WHERE lot_id = 1 AND holder = '{_THIRD}'",
        "I4",
        "position 242900314/[0-9a-f]{32}/200093201",
        "300",
        "nothing",
    ),
    "hub position from nowhere": Fault(
        "hub",
        f"INSERT INTO positions (lot_id, holder, cents) VALUES (1, '{_GIVER}', 7)",
        "I4",
        "position 242900314/[0-9a-f]{32}/242900314",
        "nothing",
        "7",
    ),
    "hub total abroad": Fault(
        "hub",
        f"UPDATE abroad SET cents = cents + 1 WHERE issuer = '{_GIVER}'",
        "I4",
        "abroad 242900314",
        "1240",
        "1241",
    ),
    "deleted hub total abroad": Fault("hub", "DELETE FROM abroad", "I4", "abroad 242900314", "1240", "nothing"),
    "hub total of a day": Fault(
        "hub",
        f"UPDATE ceded SET cents = cents - 1 WHERE member = '{_TAKER}'",
        "I4",
        "ceded 200046977/20775",
        "300",
        "299",
    ),
    "hub rights on the way": Fault(
        "hub", "UPDATE transit SET cents = cents + 1", "I4", "transit 242900314/1/5/242900314/[0-9a-f]{32}", "40", "41"
    ),
    "deleted hub rights on the way": Fault(
        "hub", "DELETE FROM transit", "I4", "transit 242900314/1/5/242900314/[0-9a-f]{32}", "40", "nothing"
    ),
    "hub slip state": Fault(
        "hub",
        f"UPDATE slips SET state = 'delivered' WHERE {_first('slips', 'state = ' + chr(39) + 'cleared' + chr(39))}",
        "I5",
        "slip 242900314/1/5",
        "200093201/1/cleared/",
        "200093201/1/delivered/",
    ),
    "hub slip receiver": Fault(
        "hub",
        f"UPDATE slips SET taker = '{_GIVER}' WHERE {_first('slips')}",
        "I5",
        "slip 242900314/1/0",
        "200046977/1/delivered/",
        "242900314/1/delivered/",
    ),
    "hub slip count": Fault(
        "hub",
        f"UPDATE slips SET count = count + 1 WHERE {_first('slips')}",
        "I5",
        "slip 242900314/1/0",
        "200046977/1/delivered/",
        "200046977/2/delivered/",
    ),
    "hub slip term": Fault(
        "hub", "UPDATE slips SET term = 5 WHERE state = 'cleared'", "I5", "slip 242900314/1/5", "term 0", "term 5"
    ),
    "deleted hub slip": Fault(
        "hub",
        f"DELETE FROM slips WHERE {_first('slips')}",
        "I5",
        "slip 242900314/1/0",
        "200046977/1/delivered/",
        "nothing",
    ),
    "hub exception reason": Fault(
        "hub",
        "UPDATE exceptions SET code = 'frozen' WHERE state = 'returned'",
        "I5",
        "cession 242900314/1/2/0",
        "returned/account_unknown",
        "returned/frozen",
    ),
    "deleted hub exception": Fault(
        "hub",
        "DELETE FROM exceptions WHERE state = 'returned'",
        "I5",
        "cession 242900314/1/2/0",
        "returned/account_unknown",
        "nothing",
    ),
    "hub lot class": Fault(
        "hub", "UPDATE lots SET kind = 7 WHERE id = 1", "I4", "lot 242900314/[0-9a-f]{32}", "5/202611", "7/202611"
    ),
    "deleted hub lot": Fault(
        "hub", "DELETE FROM lots WHERE id = 1", "I4", "position 242900314/[0-9a-f]{32}/200046977", "900", "nothing"
    ),
    "hub directory entry": Fault(
        "hub",
        "UPDATE entries SET national = 99 WHERE number = 3",
        "I7",
        "directory entry 3",
        "leaf 99 of the national log",
        "another",
    ),
    "deleted hub directory entry": Fault(
        "hub", "DELETE FROM entries WHERE number = 3", "I7", "directory", "7 entries", "6"
    ),
    # The logs.
    "log root": Fault(
        "hub",
        "UPDATE logs SET root = :odd WHERE id = 1",
        "I7",
        r"log HUB-FR to \*, head",
        "[0-9a-f]{64}",
        "[0-9a-f]{64}",
    ),
    "log frontier": Fault(
        "hub",
        "UPDATE logs SET peaks = :odd WHERE id = 1",
        "I7",
        r"log HUB-FR to \*, frontier",
        "the peaks of its leaves",
        "others",
    ),
    "log acknowledged size beyond": Fault(
        "hub",
        f"UPDATE logs SET acked = size + 1 WHERE owner = '{_HUB}' AND reader = '{_TAKER}'",
        "I7",
        "log HUB-FR to 200046977, acknowledged",
        "at most 5",
        "6",
        False,
    ),
    "log size": Fault(
        "hub",
        f"UPDATE logs SET size = size - 1 WHERE owner = '{_GIVER}'",
        "I7",
        "log 242900314 to HUB-FR, leaf 6",
        "6 leaves",
        "7",
    ),
    "national leaf": Fault(
        "hub",
        f"UPDATE leaves SET leaf = :odd WHERE log_id = {_log(_HUB, '*')} AND ix = 9",
        "I7",
        r"log HUB-FR to \*, leaf 9",
        "[0-9a-f]{64}",
        "[0-9a-f]{64}",
    ),
    "leaf": Fault(
        "giver",
        f"UPDATE leaves SET leaf = :odd WHERE log_id = {_log(_GIVER, _HUB)} AND ix = 1",
        "I7",
        "log 242900314 to HUB-FR, leaf 1",
        "[0-9a-f]{64}",
        "[0-9a-f]{64}",
    ),
    "deleted leaf": Fault(
        "giver",
        f"DELETE FROM leaves WHERE log_id = {_log(_GIVER, _HUB)} AND ix = 1",
        "I7",
        "log 242900314 to HUB-FR, leaf 1",
        "[0-9a-f]{64}",
        "[0-9a-f]{64}",
    ),
    "deleted last leaf": Fault(
        "hub",
        f"DELETE FROM leaves WHERE log_id = {_log(_TAKER, _HUB)} AND ix = (SELECT max(ix) FROM leaves WHERE log_id = {_log(_TAKER, _HUB)})",
        "I7",
        "log 200046977 to HUB-FR, leaf 4",
        "5 leaves",
        "4",
    ),
    "swapped leaves": Fault(
        "giver",
        f"UPDATE leaves SET ix = 1 - ix - 1000 WHERE log_id = {_log(_GIVER, _HUB)} AND ix IN (0, 1);UPDATE leaves SET ix = ix + 1000 WHERE ix < 0",
        "I7",
        "log 242900314 to HUB-FR, leaf 0",
        "[0-9a-f]{64}",
        "[0-9a-f]{64}",
    ),
    "tree node": Fault(
        "taker",
        f"UPDATE nodes SET hash = :odd WHERE log_id = {_log(_TAKER, _HUB)} AND level = 1 AND ix = 0",
        "I7",
        "log 200046977 to HUB-FR, node 1/0",
        "[0-9a-f]{64}",
        "[0-9a-f]{64}",
    ),
    "deleted tree node": Fault(
        "taker",
        f"DELETE FROM nodes WHERE log_id = {_log(_TAKER, _HUB)} AND level = 0 AND ix = 0",
        "I7",
        "log 200046977 to HUB-FR, leaf 0",
        "[0-9a-f]{64}",
        "missing",
    ),
    "signed head": Fault(
        "giver",
        f"UPDATE heads SET signature = :odd WHERE {_last('heads')}",
        "I7",
        "head signed by HUB-FR",
        "its signature",
        "none that fits",
    ),
    # The giver's book: its ledger.
    "deleted transfer amid others": Fault(
        "giver", "DELETE FROM transfers WHERE id = 5", "transfers", "transfers id=6", "5", "6"
    ),
    "giver transfer": Fault(
        "giver",
        f"UPDATE transfers SET cents = cents + 1 WHERE {_first('transfers')}",
        "chains",
        "transfers id=1 account=1",
        r"\(None, 1, 100001\)",
        r"\(None, 1, 100000\)",
    ),
    "transfer that nobody posted": Fault(
        "giver",
        "INSERT INTO transfers (id, op, part, at, kind, debit, credit, lot, cents, reference, debit_prev, debit_seq, debit_after, credit_prev, credit_seq, credit_after)"
        " SELECT (SELECT max(id) + 1 FROM transfers), :op, 0, (SELECT max(at) FROM transfers), 'credit', debit, credit, lot, 9, '', debit_prev, debit_seq, debit_after, credit_prev, credit_seq, credit_after FROM transfers WHERE id = 2",
        "chains",
        "transfers id=79 account=1",
        r"\(78, 69, 49917\)",
        r"\(1, 2, 50000\)",
    ),
    "giver transfer time": Fault(
        "giver", "UPDATE transfers SET at = 5 WHERE id = 3", "transfers", "transfers id=3", r"at >= \d{13}", "5"
    ),
    "giver transfer receiver": Fault(
        "giver",
        "UPDATE transfers SET credit = (SELECT max(id) FROM accounts WHERE kind = 'person') WHERE id = 2",
        "chains",
        "transfers id=3 account=2",
        r"\(None, 1, -500\)",
        r"\(2, 2, 49500\)",
    ),
    "giver holding": Fault(
        "giver",
        f"UPDATE holdings SET cents = cents + 1 WHERE account_id = {_PERSON}",
        "holdings",
        "holdings account_id=2 lot_id=1",
        "48834",
        "48835",
    ),
    "deleted holding": Fault(
        "giver",
        f"DELETE FROM holdings WHERE account_id = {_PERSON}",
        "holdings",
        "holdings account_id=2 lot_id=1",
        "48834",
        "0",
    ),
    "giver balance": Fault(
        "giver",
        f"UPDATE balances SET cents = cents + 1 WHERE account_id = {_PERSON}",
        "balances",
        "balances account_id=2 cents",
        "48834",
        "48835",
    ),
    "deleted balance": Fault(
        "giver",
        f"DELETE FROM balances WHERE account_id = {_PERSON}",
        "balances",
        "balances account_id=2",
        "a balance of 48834",
        "None",
    ),
    "giver account closed": Fault(
        "giver",
        f"UPDATE accounts SET state = 'closed', closed_at = 5 WHERE id = {_PERSON}",
        "balances",
        "balances account_id=2",
        "a closed account is empty",
        "48834",
    ),
    "giver lot issued": Fault(
        "giver", "UPDATE lots SET issued = issued + 1 WHERE id = 1", "I1", "lots id=1", "100000", "100001"
    ),
    "giver lot seal": Fault(
        "giver",
        "UPDATE lots SET seal = :odd WHERE id = 1",
        "I1",
        "lots id=1 seal",
        "0d3e6409ed43c1b1",
        "[0-9a-f]{64}",
        False,
    ),
    "deleted lot": Fault(
        "giver", "DELETE FROM lots WHERE id = 1", "transfers", "transfers id=1", "a lot of this book", "1"
    ),
    "origin month": Fault(
        "giver", "UPDATE origins SET month = 202610", "origins", "origins lot_id=1", r"\(202611, 5\)", r"\(202610, 5\)"
    ),
    "deleted origin": Fault("giver", "DELETE FROM origins", "origins", "origins lot_id=1", "True", "False"),
    "deleted endowment": Fault(
        "giver", "DELETE FROM endowments", "origins", "transfers id=1", "an endowment with its reason", "None"
    ),
    "history mark": Fault(
        "giver",
        f"UPDATE history_marks SET transfer_id = transfer_id + 1 WHERE account_id = {_PERSON}",
        "marks",
        "history_marks account_id=2 seq=64",
        r"\(68, \d{13}\)",
        r"\(69, \d{13}\)",
    ),
    "deleted history mark": Fault(
        "giver",
        f"DELETE FROM history_marks WHERE account_id = {_PERSON}",
        "marks",
        "history_marks account_id=2 seq=64",
        r"\(68, \d{13}\)",
        "None",
    ),
    "tally": Fault(
        "giver",
        "UPDATE tallies SET cents = cents + 1 WHERE kind = 'credit'",
        "tallies",
        "tallies kind=credit",
        r"\(66, 50094\)",
        r"\(66, 50095\)",
    ),
    "deleted tally": Fault(
        "giver", "DELETE FROM tallies WHERE kind = 'credit'", "tallies", "tallies kind=credit", r"\(66, 50094\)", "None"
    ),
    "reversal asked": Fault(
        "giver",
        "UPDATE reversals SET asked = 1, cents = 1",
        "reversals",
        "reversals op=[0-9a-f]{32}",
        "1 to 1 taken",
        "20",
    ),
    "deleted reversal": Fault(
        "giver", "DELETE FROM reversals", "reversals", "reversals op=[0-9a-f]{32}", "what was asked", "None"
    ),
    "reservation": Fault(
        "giver",
        "UPDATE reservations SET cents = cents + 1",
        "reservations",
        "balances account_id=2 reserved",
        "251",
        "250",
    ),
    "deleted reservation": Fault(
        "giver", "DELETE FROM reservations", "reservations", "balances account_id=2 reserved", "0", "250"
    ),
    "reserved sum": Fault(
        "giver",
        f"UPDATE balances SET reserved = reserved + 1 WHERE account_id = {_PERSON}",
        "reservations",
        "balances account_id=2 reserved",
        "250",
        "251",
    ),
    "refusal code": Fault(
        "giver",
        "UPDATE refusals SET code = 'no_such_code'",
        "answers",
        "refusals op=[0-9a-f]{32}",
        "a refusal of this version",
        "the book remembers a refusal that this version does not know: no_such_code",
    ),
    "refusal of what was posted": Fault(
        "giver",
        "UPDATE refusals SET op = (SELECT op FROM transfers WHERE id = 2)",
        "answers",
        "refusals op=[0-9a-f]{32}",
        "posted or refused",
        "both",
    ),
    # The giver's book: its federation room.
    "cession amount": Fault(
        "giver",
        f"UPDATE cessions SET cents = cents + 1 WHERE {_first('cessions')}",
        "I5",
        "cession 0/0",
        "500, 0, None, ",
        "501, 0, None, ",
    ),
    "cession beneficiary": Fault(
        "giver",
        f"UPDATE cessions SET beneficiary = 'X' WHERE {_first('cessions')}",
        "I1",
        "cession 0/0",
        "to [0-9A-Z-]{11}@200046977 #[0-9a-f]{12}",
        "to X",
    ),
    "cession account": Fault(
        "giver",
        f"UPDATE cessions SET account = 'XXXXXXXX' WHERE {_first('cessions')}",
        "I1",
        "cession 0/0",
        "500 cents of [0-9A-Z]{8}",
        "[0-9A-Z]{8}, 500, to [0-9A-Z-]{11}@200046977 #[0-9a-f]{12}",
    ),
    "cession outcome": Fault(
        "giver",
        "UPDATE cessions SET exception = NULL WHERE exception = 'returned'",
        "I5",
        "cession 2/0",
        "900, 0, returned, account_unknown",
        "900, 0, None, account_unknown",
    ),
    "sent slip state": Fault(
        "giver",
        f"UPDATE sent_slips SET state = 'delivered' WHERE {_last('sent_slips', key='ix')}",
        "I5",
        "sent slip 5",
        r"200093201, 1, 40, cleared, \d{13}, None",
        r"200093201, 1, 40, delivered, \d{13}, None",
    ),
    "sent slip sum": Fault(
        "giver",
        f"UPDATE sent_slips SET cents = cents + 1 WHERE {_first('sent_slips', key='ix')}",
        "I5",
        "sent slip 0",
        r"200046977, 1, 500, delivered, \d{13}, \d{13}",
        r"200046977, 1, 501, delivered, \d{13}, \d{13}",
    ),
    "sent slip receiver": Fault(
        "giver",
        f"UPDATE sent_slips SET taker = '{_THIRD}' WHERE {_first('sent_slips', key='ix')}",
        "I5",
        "sent slip 0",
        r"200046977, 1, 500, delivered, \d{13}, \d{13}",
        r"200093201, 1, 500, delivered, \d{13}, \d{13}",
    ),
    "deleted sent slip": Fault(
        "giver",
        f"DELETE FROM sent_slips WHERE {_first('sent_slips', key='ix')}",
        "I5",
        "sent slip 0",
        "500 cents to 200046977",
        "missing",
    ),
    "directory entry": Fault(
        "giver",
        "UPDATE directory SET entry = :odd WHERE number = 4",
        "I7",
        "directory entry 4",
        "an entry that follows",
        r"not_canonical \(reason=Expected `array`, got `int`\)",
    ),
    "directory entry number": Fault(
        "giver",
        "UPDATE directory SET number = 77 WHERE number = 4",
        "I7",
        "directory entry 5",
        "an entry that follows",
        r"broken_directory \(number=5, reason=expected number 4\)",
    ),
    "deleted directory entry": Fault(
        "giver",
        "DELETE FROM directory WHERE number = 4",
        "I7",
        "directory entry 5",
        "an entry that follows",
        r"broken_directory \(number=5, reason=expected number 4\)",
    ),
    "checkpoint size": Fault(
        "giver",
        "UPDATE checkpoints SET size = size + 1",
        "I7",
        "national checkpoint",
        "signed by HUB-FR",
        "changed here",
    ),
    "checkpoint signature": Fault(
        "giver",
        "UPDATE checkpoints SET signature = :odd",
        "I7",
        "national checkpoint",
        "signed by HUB-FR",
        "changed here",
    ),
    "break that was noted": Fault(
        "giver",
        "INSERT INTO breaks (id, at, place, expected, found) VALUES (1, 5, 'position of a lot', '7', '8')",
        "I4",
        "position of a lot",
        "7",
        "8",
    ),
    # The taker's book.
    "arrival amount": Fault(
        "taker",
        f"UPDATE arrivals SET cents = cents + 1 WHERE {_first('arrivals')}",
        "I1",
        "arrival 242900314/0/0",
        "501 cents to [0-9A-Z]{8}",
        "500 cents to [0-9A-Z]{8}",
    ),
    "arrival account": Fault(
        "taker",
        f"UPDATE arrivals SET account = 'XXXXXXXX' WHERE {_first('arrivals')}",
        "I1",
        "arrival 242900314/0/0",
        "500 cents to [0-9A-Z]{8}",
        "500 cents to [0-9A-Z]{8}",
    ),
    "arrival state": Fault(
        "taker",
        "UPDATE arrivals SET state = 'delivered' WHERE state = 'returned'",
        "I1",
        "arrival 242900314/2/0",
        "900 cents to [0-9A-Z]{8}",
        "0 cents to None",
    ),
    "deleted arrival": Fault(
        "taker",
        f"DELETE FROM arrivals WHERE {_first('arrivals')}",
        "I1",
        "transfer [0-9a-f]{32}",
        "an arrival",
        "500 cents reached [0-9A-Z]{8} without one",
    ),
    "received slip": Fault(
        "taker",
        "UPDATE received_slips SET leaf = :odd WHERE ix = (SELECT min(ix) FROM received_slips)",
        "I7",
        "slip 0 of 242900314",
        "the slip that the hub handed over",
        "another",
    ),
    "received slip signature": Fault(
        "taker",
        "UPDATE received_slips SET signature = :odd WHERE ix = (SELECT min(ix) FROM received_slips)",
        "I7",
        "slip 0 of 242900314",
        "its author's signature",
        "none that fits",
    ),
    # The book of a third, that holds rights of the giver which the taker ceded.
    "third holding": Fault(
        "third",
        "UPDATE holdings SET cents = cents + 1 WHERE account_id = (SELECT id FROM accounts WHERE kind = 'person')",
        "holdings",
        "holdings account_id=2 lot_id=1",
        "300",
        "301",
    ),
    "third balance": Fault(
        "third",
        "UPDATE balances SET cents = cents + 1 WHERE account_id = (SELECT id FROM accounts WHERE kind = 'person')",
        "balances",
        "balances account_id=2 cents",
        "300",
        "301",
    ),
    "third lot issuer": Fault(
        "third", f"UPDATE lots SET issuer = '{_TAKER}'", "I1", "lots id=1 seal", "055f97a10036b997", "0d3e6409ed43c1b1"
    ),
    "third lot issued": Fault("third", "UPDATE lots SET issued = issued - 1", "I1", "lots id=1", "300", "299"),
    "third arrival amount": Fault(
        "third",
        f"UPDATE arrivals SET cents = cents + 1 WHERE {_first('arrivals')}",
        "I1",
        "arrival 200046977/3/0",
        "301 cents to [0-9A-Z]{8}",
        "300 cents to [0-9A-Z]{8}",
    ),
    "third transfer": Fault(
        "third",
        f"UPDATE transfers SET cents = cents - 1 WHERE {_first('transfers')}",
        "chains",
        "transfers id=1 account=2",
        r"\(None, 1, 299\)",
        r"\(None, 1, 300\)",
    ),
    "log acknowledged size": Fault(
        "hub",
        f"UPDATE logs SET acked = acked - 1 WHERE owner = '{_HUB}' AND reader = '{_TAKER}'",
        "I7",
        "log HUB-FR to 200046977, acknowledged",
        "5 as signed",
        "4",
    ),
    "attachment": Fault(
        "hub",
        "UPDATE attachments SET body = :odd WHERE log_id = (SELECT min(log_id) FROM attachments) AND ix = (SELECT min(ix) FROM attachments WHERE log_id = (SELECT min(log_id) FROM attachments))",
        "I7",
        "log 242900314 to HUB-FR, beside leaf 0",
        "[0-9a-f]{64}",
        "bytes that are none",
    ),
    "deleted transfer": Fault(
        "giver",
        f"DELETE FROM transfers WHERE {_last('transfers')}",
        "balances",
        "balances account_id=1 cents",
        "49906",
        "49926",
    ),
    "deleted cession": Fault(
        "giver",
        f"DELETE FROM cessions WHERE {_first('cessions')}",
        "I1",
        "transfer [0-9a-f]{32}",
        "a cession",
        "500 cents left [0-9A-Z]{8} without one",
    ),
    "arrival that no leaf tells of": Fault(
        "taker",
        f"INSERT INTO arrivals (id, op, origin, epoch, ix, place, account, cents, giver, words, state, code, at) VALUES (99, :op, '{_GIVER}', 1, 77, 0, 'XXXXXXXX', 1000, '', '', 'returned', 'unknown', 5)",
        "I1",
        "arrival 242900314/77/0",
        "a slip that was received",
        "1000 cents",
    ),
    "deleted received slip": Fault(
        "taker",
        f"DELETE FROM received_slips WHERE origin = '{_GIVER}' AND ix = 0",
        "I1",
        "arrival 242900314/0/0",
        "a slip that was received",
        "500 cents",
    ),
}
