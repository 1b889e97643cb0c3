"""Answering calls: what a member sends is taken, what waits for it is handed over, and the answer carries all news.

A call with nothing new may wait (long poll) until something comes. Whispers, the questions and answers that live for
seconds, pass through memory only.
"""
