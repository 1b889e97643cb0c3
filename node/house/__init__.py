"""The bases of one territory under one roof, or under two: who they are, where they live, and how slips get across.

settings          who the neighbours are and where: `house.toml`
cards             a base's public keys as one line of text, to be handed to whoever keeps the other bases
folders_store     the house's file and the keys of the bases that live in a folder
clearing_service  the clearing house: carries slips between the bases here, and to those elsewhere
"""
