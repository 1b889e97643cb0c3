"""What became of a company's miles: the accounts tell the companies' base, in sums, and never of few people.

Why the accounts? They alone know which lots were directed to which project, by whom, and what was converted of them; the
fund's words of what was paid, and the projects' of what the bearer has, come through their book.

What is told? For each campaign and project: what waits there, what was converted, and how much of that is paid, netted and
confirmed. Which lots are a campaign's says the lot itself, since its deposit names the campaign.

What is kept back? A company knows which accounts it credited, and how much. So a sum is told only where at least
`people_min` accounts are behind it. Conversions are told in steps: what few directed waits for the next rounds of its
project, until together they are enough; so nothing is had by subtracting one word from the next. What waits in a project
moves with every holder, and is told in whole hundreds of euros.

effects     which conversions may be told, and what they come to; pure
tables      what was told last, and titles of projects elsewhere
store       SQL
service     computes what may be told, and tells what changed
checks      what was told is in the log, and no more than there is
"""
