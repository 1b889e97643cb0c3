"""The desks of a fund, as its commands see them: one file of words for people, one of what is done, for each desk.

`…_commands.py` reads what a person typed and asks the fund; `…_admin_commands.py` answers in the process that holds its book.
"""
