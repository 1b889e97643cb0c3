"""Territories under simulation, from a company's euro to a bearer's account: hub, accounts, funds, companies, projects."""
