"""What a refusal between bases of a house, or of their doors, means, in French and in English. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

HOUSE: Final[Mapping[str, tuple[str, str]]] = {
    # code: (French, English)
    "key_missing": (
        "La clé {key}, annoncée par cette base à ses voisines, n'est plus dans son dossier keys/. Remettez-la.",
        "The key {key}, which this base announced to its neighbours, is no longer in its keys/ folder. Put it back.",
    ),
    "base_is_behind": (
        "La base {base} est une vieille copie et ne prend rien de nouveau. Lancez citizen-miles node house recover avec --base "
        "accounts, fund, partners, projects ou people.",
        "The base {base} is an old copy and takes nothing new. Run citizen-miles node house recover with --base accounts, fund, "
        "partners, projects or people.",
    ),
    "base_not_behind": (
        "Rien ne dit que la base {base} soit une vieille copie : il n'y a rien à rattraper. Si vous venez de remettre une copie "
        "à la main, arrêtez-la et marquez-la : citizen-miles node house restore, sans fichier.",
        "Nothing says that the base {base} is an old copy: there is nothing to recover. If you have just put a copy back by "
        "hand, stop it and mark it: citizen-miles node house restore, without a file.",
    ),
    "key_not_known": (
        "Il faut une clé en vigueur de cette base : « Authorization: Bearer cmd_… ».",
        "A key of this base that is in force is needed: “Authorization: Bearer cmd_…”.",
    ),
    "duty_missing": (
        "Cette clé n'ouvre pas cette porte : il faut {needs}.",
        "This key does not open this door: it takes {needs}.",
    ),
    "another_company": (
        "Cette clé est celle de l'entreprise {company}, et d'aucune autre.",
        "This key is for the company {company}, and for no other.",
    ),
    "another_officer": (
        "Cette clé a été remise à une autre personne que celle que nomme « {field} » : chacun agit avec la sienne.",
        "This key was issued to somebody other than whom “{field}” names: everybody acts with his own.",
    ),
    "door_key_unknown": ("Aucune clé {key} ici.", "No key {key} here."),
    "calls_used_up": (
        "Trop d'appels avec cette clé : réessayez dans {retry_after_seconds} s.",
        "Too many calls with this key: try again in {retry_after_seconds} s.",
    ),
}
