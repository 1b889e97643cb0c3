"""The desk of the fund: donors, bank, gifts, payments, dues, pledges, netting, receipts, books and cards; and their doors."""
