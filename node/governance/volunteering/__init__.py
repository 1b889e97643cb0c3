"""Volunteering near home and by skill: what projects ask, who offers to do it, which of them fit, and what was done.

What is an offer? A task of a project, in a commune or from afar, for so many people, with skills that are wanted or needed
(`offers`). Who applies is an account, by its number: the bearer learns a name only where the person gives it.

How are both matched? By distance between communes, as the crow flies, and by skills whose wider ones count too
(`matching`): a list to choose from, with its reasons, never a decision.

What was done? The volunteer tells hours day by day, the bearer confirms them (`hours`). What was confirmed becomes a pass
(`node.governance.passes`), each hour once; the bearer and the committee look at that pass as at any other.

Fields and words are those of API Engagement, so that an offer can be told there.
Source: shared design, DOMAIN.md, 6.
"""
