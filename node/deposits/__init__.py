"""The accounts base's side of the fund: lots are issued by what the fund signed, and by nothing else.

service     does what a Deposit asks for, in the page that stores it
checks      each deposit that the fund signed was issued once and to the cent, and nothing else was
"""
