"""The accounts base and the fund, each in a book of its own, meet in signed slips only."""
