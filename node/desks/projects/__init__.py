"""The desk of projects: sheets, committee and votes, rounds, audits, volunteering, passes, programmes of the South."""
