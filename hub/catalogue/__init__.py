"""Cards and catalogues of territories, kept for everybody to fetch: the newest of each member.

Is the hub believed? In nothing: whoever reads verifies each signature again. It verifies before it keeps, so that readers
are not sent what they would refuse, keeps the highest number, and says no to an older one and to a second content.
What can it do? Hide a publication, or show an old one: every catalogue has its day, and readers say how old it is.
What is lost with it? Nothing: members send their own again within a day.
"""
