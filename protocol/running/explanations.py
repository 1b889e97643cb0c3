"""What each refusal means and what to do, in French and in English. Pure.

A sentence may name facts in braces; a fact that is missing shows as an ellipsis. Amounts are facts in cents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from protocol.running.sentences.accounts import ACCOUNTS
from protocol.running.sentences.fund import FUND
from protocol.running.sentences.house import HOUSE
from protocol.running.sentences.network import NETWORK
from protocol.running.sentences.partners import PARTNERS
from protocol.running.sentences.people import PEOPLE
from protocol.running.sentences.projects import PROJECTS

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    # code: (French, English); no code stands twice
    **NETWORK,
    **ACCOUNTS,
    **FUND,
    **PARTNERS,
    **PROJECTS,
    **PEOPLE,
    **HOUSE,
}


EVIDENCE_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "two_heads": (
        "{accused} a signé deux histoires différentes du même journal.",
        "{accused} signed two different histories of the same log.",
    ),
    "rewound": (
        "{accused} a signé avoir reçu, puis a signé avoir reçu moins.",
        "{accused} signed that it had received, and later that it had received less.",
    ),
    "broken_log": (
        "{accused} a signé une suite qui ne suit pas ce qu'il avait signé.",
        "{accused} signed a continuation that does not follow from what it had signed.",
    ),
    "broken_history": (
        "{accused} a signé un journal national qui ne prolonge pas le précédent.",
        "{accused} signed a national log that does not continue the one before.",
    ),
    "disputed_ack": (
        "L'auteur et le lecteur ont signé deux contenus pour le même journal : {accused} doit montrer sa preuve.",
        "Author and reader signed two contents for the same log: {accused} must show its proof.",
    ),
    "seen": (
        "Noté : check ne compte plus la preuve contre {accused} ; elle reste gardée et montrée.",
        "Noted: check no longer counts the evidence against {accused}; it is still kept, and shown.",
    ),
    "compare_key": (
        "Comparez cette clé avec celle que vous tenez de {accused} : sans cela, le fichier n'accuse qu'une clé.",
        "Compare this key with the one that you have from {accused}: until then, the file accuses a key only.",
    ),
}


# What an operator is told while a lost base is put back: what is so now, and what to type next.
WAY_BACK_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "copied": (
        "{file} : {size} octets. À garder loin de cette machine, avec {beside}.",
        "{file}: {size} bytes. Keep it away from this machine, and {beside} with it.",
    ),
    "marked": (
        "Marquée comme vieille copie : elle ne prendra rien de nouveau avant d'être rétablie.",
        "Marked as an old copy: it takes nothing new until it has recovered.",
    ),
    "put_back": (
        "La copie {file} est en place, marquée comme vieille.",
        "The copy {file} is in place, marked as old.",
    ),
    "kept": (
        "Ce qui s'y trouvait est gardé dans {kept} ; n'y touchez pas avant que tout soit rétabli.",
        "What was there is kept as {kept}; leave it alone until all is back.",
    ),
    "kept_people": (
        "Supprimez-le ensuite : des personnes effacées depuis la copie pourraient encore s'y lire.",
        "Delete it then: persons who were erased since may still be read in it.",
    ),
    "serve": (
        "1. Démarrez, et laissez tourner : {command}",
        "1. Start it, and leave it running: {command}",
    ),
    "next": ("{number}. Ensuite, à côté : {command}", "{number}. Then, beside it: {command}"),
    "alone": (
        "Le centre reprend à ses membres ce qu'il a perdu, et continue de lui-même : ils n'ont rien à faire.",
        "The hub takes back from its members what it lost, and goes on by itself: they need to do nothing.",
    ),
    "interrupt": (
        "Cela peut s'interrompre et se relancer : rien n'est fait deux fois.",
        "It may be interrupted and run again: nothing is done twice.",
    ),
    "pulling": ("reprend nos bordereaux au centre", "takes our slips back from the hub"),
    "replaying": ("inscrit de nouveau ce qui manquait", "books again what was missing"),
    "house_slips": ("{count} bordereaux repris aux voisines", "{count} slips came back from the neighbours"),
    "waits": ("attend : {waiting}", "waits for: {waiting}"),
    "back": (
        "Rétabli. Vérifiez maintenant : {command}",
        "It is back. Check it now: {command}",
    ),
    "consents": (
        "Les consentements aux guides et les ordres permanents ont pris fin : faites-les donner de nouveau.",
        "Consents to guides and standing orders have ended: let them be given again.",
    ),
    "then_hub": (
        "Reste le retour depuis le centre : {command}",
        "What is left is the way back from the hub: {command}",
    ),
    "say_numbers": (
        "Dites maintenant le dernier reçu et le dernier ordre connus sur papier : {command}",
        "Now say the last receipt and the last order known on paper: {command}",
    ),
    "say_lost": (
        "Voyez maintenant ce que seule une personne peut dire : {command}",
        "Now see what only a person can say: {command}",
    ),
    "still_waits": (
        "Pas encore rétablie : elle attend {waiting}. Ces bases doivent répondre ; relancez la même commande, elle continue.",
        "Not back yet: it waits for {waiting}. Those bases must answer; run the same command again, it goes on.",
    ),
    "stopped": (
        "Arrêtée, et rien n'a été dit à personne : remettez une copie plus récente (house restore), puis recommencez.",
        "It stopped, and nobody was told anything: put a younger copy back (house restore), and begin again.",
    ),
    "without": (
        "Un membre ne viendra pas ? {command}",
        "A member will not come? {command}",
    ),
    "unplaced": (
        "droits que cette copie n'a jamais connus : dites d'où ils venaient (node unplaced settle)",
        "rights that this copy never knew: say where they had come from (node unplaced settle)",
    ),
}


class _Facts(dict[str, object]):
    def __missing__(self, name: str) -> str:
        return "…"


def explain(code: str, facts: Mapping[str, object], language: str = "fr") -> str:
    """Return the sentence for a code; for one we do not know, the code itself, honestly."""
    pair = SENTENCES.get(code)
    if pair is None:
        return f"Refusé : {code}." if language == "fr" else f"Refused: {code}."
    return pair[0 if language == "fr" else 1].format_map(_Facts(facts))


def explain_way_back(name: str, language: str = "fr", /, **facts: object) -> str:
    """Return what an operator is told of a base that is put back from a copy."""
    return WAY_BACK_SENTENCES[name][0 if language == "fr" else 1].format_map(_Facts(facts))


def explain_evidence(kind: str, accused: str, language: str = "fr") -> str:
    """Return the sentence for a kind of evidence."""
    return EVIDENCE_SENTENCES[kind][0 if language == "fr" else 1].format(accused=accused)
