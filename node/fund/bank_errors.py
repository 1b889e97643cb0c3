"""What is refused between the fund and its bank, as one tree. Pure.

Malformed
├── InvalidIban, InvalidBic, InvalidReference, InvalidEndToEndId, InvalidCreditorId
└── InvalidPaymentText           a name or text that a bank would not carry as it is
Refusal
├── BankFileRefused              the file itself: nothing of it was taken
│   ├── BankFileTooLarge         more bytes than allowed; not even parsed
│   ├── BankFileUnsafe           document type, entities, or another encoding than UTF-8
│   ├── BankFileUnreadable       not XML, too deep, or of no known shape
│   ├── BankFileVersion          a message or a version that is not read here
│   ├── BankFieldWrong           one field is missing or wrong; says where
│   ├── CurrencyRefused          not euros
│   ├── TooManyDecimals          a part of a cent
│   ├── BatchMismatch            the details of a batch do not add up to it
│   └── StatementRowsRefused     rows of a CSV; `errors` says each
├── StatementRefused             readable, and not to be taken as it is
│   ├── StatementUnbalanced      opening + movements is not closing
│   ├── StatementOfAnotherAccount
│   ├── StatementGap             a statement between is missing
│   ├── StatementOverlap         told again, or out of order
│   └── OpeningBalanceWrong      the previous one closed with another balance
└── PaymentOrderRefused          an order to the bank that cannot be made: empty, twice the same id, a lapsed mandate
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol.errors import Malformed, Refusal


class InvalidIban(Malformed):
    """Facts: iban, reason."""

    code = "invalid_iban"


class InvalidBic(Malformed):
    """Facts: bic, reason."""

    code = "invalid_bic"


class InvalidReference(Malformed):
    """Facts: reference, reason."""

    code = "invalid_reference"


class InvalidEndToEndId(Malformed):
    """Facts: id, reason."""

    code = "invalid_end_to_end_id"


class InvalidCreditorId(Malformed):
    """Facts: creditor, reason."""

    code = "invalid_creditor_id"


class InvalidPaymentText(Malformed):
    """Facts: field, reason."""

    code = "invalid_payment_text"


class BankFileRefused(Refusal):
    """The file is not taken, and nothing of it was."""

    code = "bank_file_refused"


class BankFileTooLarge(BankFileRefused):
    """Facts: bytes, bytes_max."""

    code = "bank_file_too_large"


class BankFileUnsafe(BankFileRefused):
    """Facts: reason."""

    code = "bank_file_unsafe"


class BankFileUnreadable(BankFileRefused):
    """Facts: reason."""

    code = "bank_file_unreadable"


class BankFileVersion(BankFileRefused):
    """Facts: met, known."""

    code = "bank_file_version"


class BankFieldWrong(BankFileRefused):
    """Facts: place, field, reason."""

    code = "bank_field_wrong"


class CurrencyRefused(BankFileRefused):
    """Facts: place, currency."""

    code = "currency_refused"


class TooManyDecimals(BankFileRefused):
    """Facts: place, amount."""

    code = "too_many_decimals"


class BatchMismatch(BankFileRefused):
    """Facts: place, told, summed, difference; cents, or a number of transactions."""

    code = "batch_mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """What is wrong in one row of a CSV; rows count from 1, the heading included."""

    row: int
    column: str
    reason: str


class StatementRowsRefused(BankFileRefused):
    """Facts: rows (how many are wrong), row, column, reason (of the first). `errors` has them all."""

    code = "statement_rows_refused"

    def __init__(self, errors: tuple[RowError, ...]) -> None:
        super().__init__(rows=len(errors), row=errors[0].row, column=errors[0].column, reason=errors[0].reason)
        self.errors = errors


class StatementRefused(Refusal):
    """The statement can be read, and is not taken."""

    code = "statement_refused"


class StatementUnbalanced(StatementRefused):
    """Facts: statement, opening, movements, closing, difference (closing less opening and movements), in cents."""

    code = "statement_unbalanced"


class StatementOfAnotherAccount(StatementRefused):
    """Facts: iban (told), expected."""

    code = "statement_of_another_account"


class StatementGap(StatementRefused):
    """Facts: statement, previous, sequence, expected."""

    code = "statement_gap"


class StatementOverlap(StatementRefused):
    """Facts: statement, previous, sequence, expected."""

    code = "statement_overlap"


class OpeningBalanceWrong(StatementRefused):
    """Facts: statement, previous, opening, closing (of the previous one), difference, in cents."""

    code = "opening_balance_wrong"


class PaymentOrderRefused(Refusal):
    """Facts: reason."""

    code = "payment_order_refused"
