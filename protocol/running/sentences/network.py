"""What a refusal of the wire, of the hub and of what all bases share means, in French and in English. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NETWORK: Final[Mapping[str, tuple[str, str]]] = {
    # code: (French, English)
    "refused": ("Refusé.", "Refused."),
    "malformed": ("Demande mal formée : {reason}.", "Malformed request: {reason}."),
    "invalid_amount": (
        "Montant {amount} refusé : {reason}. Un montant est un nombre entier de centimes.",
        "Amount {amount} refused: {reason}. An amount is a whole number of cents.",
    ),
    "invalid_territory": (
        "Territoire {territory} inconnu : {reason}.",
        "{territory} is no territory: {reason}.",
    ),
    "invalid_address": (
        "Adresse {address} refusée : {reason}. Relisez-la caractère par caractère.",
        "Address {address} refused: {reason}. Read it again, symbol by symbol.",
    ),
    "invalid_id": ("Identifiant {id} refusé : {reason}.", "Id {id} refused: {reason}."),
    "invalid_text": ("Texte refusé ({field}) : {reason}.", "Text refused ({field}): {reason}."),
    "invalid_time": ("Date refusée ({field}) : {reason}.", "Time refused ({field}): {reason}."),
    "invalid_key": ("Clé refusée : {reason}.", "Key refused: {reason}."),
    "invalid_invitation": (
        "Invitation illisible : {reason}. Recopiez-la entière.",
        "Unreadable invitation: {reason}. Copy it whole.",
    ),
    "not_canonical": ("Octets refusés : {reason}.", "Bytes refused: {reason}."),
    "bad_envelope": (
        "Enveloppe refusée ({reason}). Rien n'a changé ; le journal du destinataire dit pourquoi.",
        "Envelope refused ({reason}). Nothing changed; the receiver's log says why.",
    ),
    "too_many_calls": ("Trop d'appels à la fois : attendez.", "Too many calls at once: wait."),
    "id_mismatch": (
        "L'identifiant {id} a déjà servi avec un autre contenu ({field}). Prenez-en un nouveau.",
        "Id {id} was used with another content ({field}). Take a new one.",
    ),
    "book_in_use": (
        "Un autre processus écrit dans cette base ({book}). Arrêtez-le, ou passez par lui.",
        "Another process writes this book ({book}). Stop it, or go through it.",
    ),
    "storage_unavailable": (
        "Le disque ou la base refuse d'écrire ({reason}). Rien n'a été pris : libérez de la place, puis recommencez.",
        "The disk or database refuses to write ({reason}). Nothing was taken: make room, then try again.",
    ),
    "hub_recovering": (
        "Le centre se rétablit d'une vieille copie ; il attend encore : {waiting}. Rien n'est perdu : redemandez plus tard.",
        "The hub is recovering from an old copy; it still waits for: {waiting}. Nothing is lost: ask again later.",
    ),
    "not_recovering": ("Aucun rétablissement n'est en cours.", "No recovery is running."),
    "members_missing": (
        "Ces membres n'ont pas encore rendu ce qu'ils détiennent : {members}. Attendez-les, ou nommez-les avec --without.",
        "These members have not given back what they hold yet: {members}. Wait, or name them with --without.",
    ),
    "recovery_stuck": (
        "Ce qui fut dit de ces bordereaux suppose ce qu'un autre membre détient encore : {slips}. Faites-le appeler, et "
        "relancez citizen-miles hub recover.",
        "What was told of these slips needs what another member still holds: {slips}. Let that member call, and run "
        "citizen-miles hub recover again.",
    ),
    "no_copy": ("Copie impossible : {reason}.", "No copy: {reason}."),
    "unreadable": ("Partie scellée illisible : {reason}.", "Sealed part unreadable: {reason}."),
    "illegal_transition": (
        "Impossible depuis l'état {state} : {event}.",
        "Not possible from state {state}: {event}.",
    ),
    "unknown_member": ("Aucun membre {member} dans l'annuaire.", "No member {member} in the directory."),
    "member_not_active": (
        "Le membre {member} n'est pas actif ({status}).",
        "Member {member} is not active ({status}).",
    ),
    "broken_directory": (
        "Annuaire rompu à l'entrée {number} : {reason}.",
        "Directory broken at entry {number}: {reason}.",
    ),
    "not_evidence": ("Ce fichier ne prouve rien : {reason}.", "This file proves nothing: {reason}."),
    "not_national_file": (
        "Ce fichier n'est pas un journal national : {reason}.",
        "This file is no national log: {reason}.",
    ),
    "does_not_follow": (
        "La feuille {index} du journal national ne suit pas : {reason}.",
        "Leaf {index} of the national log does not follow: {reason}.",
    ),
    "hub_unreachable": (
        "Le centre ne répond pas ({reason}). Rien n'est perdu : les envois attendent.",
        "The hub does not answer ({reason}). Nothing is lost: what is to be sent waits.",
    ),
    "hub_refused": (
        "Le centre a refusé l'appel ({hub_code}, {reason}).",
        "The hub refused the call ({hub_code}, {reason}).",
    ),
    "invitation_refused": (
        "Invitation refusée ({reason}). Demandez-en une nouvelle à l'opérateur.",
        "Invitation refused ({reason}). Ask the operator for a new one.",
    ),
    "enrolment_refused": ("Inscription refusée ({reason}).", "Enrolment refused ({reason})."),
    "change_refused": ("Changement refusé pour {member} : {reason}.", "Change refused for {member}: {reason}."),
    "keys_unusable": ("Clés inutilisables ({file}) : {reason}.", "Keys unusable ({file}): {reason}."),
    "wrong_method": (
        "Cette adresse ne répond pas à {method} : essayez {allowed}.",
        "This address does not answer {method}: try {allowed}.",
    ),
    "too_large": ("Trop grand : {bytes_max} octets au plus.", "Too large: {bytes_max} bytes at most."),
    "no_answer": (
        "Le processus qui tourne n'a pas répondu : {reason}. Regardez ce qui est fait avant de recommencer.",
        "The running process gave no answer: {reason}. See what is done before you try again.",
    ),
    "unknown_command": ("Commande inconnue : {command}.", "Unknown command: {command}."),
    "not_configured": ("Configuration : {reason}.", "Configuration: {reason}."),
    "incident": (
        "Erreur de notre côté, numéro {incident}. Recommencez avec le même identifiant.",
        "An error of ours, number {incident}. Try again with the same id.",
    ),
    "window_open": (
        "La fenêtre {window} est déjà ouverte : fermez-la d'abord (hub window close).",
        "Window {window} is open already: close it first (hub window close).",
    ),
    "operator_key_not_known": (
        "Il faut une clé d'opérateur en vigueur : « Authorization: Bearer cmo_… ».",
        "An operator's key that is in force is needed: “Authorization: Bearer cmo_…”.",
    ),
    "operator_duty_missing": (
        "Cette clé ne fait que lire : il faut celle de qui ouvre et ferme les fenêtres.",
        "This key only reads: it takes one of whoever opens and closes windows.",
    ),
    "operator_key_unknown": ("Aucune clé d'opérateur {key} ici.", "No operator's key {key} here."),
    "no_window": (
        "Aucune fenêtre de ce genre : ouvrez-en une (hub window open), ou voyez la liste (hub window list).",
        "There is no such window: open one (hub window open), or see the list (hub window list).",
    ),
    "nothing_netted": (
        "Rien n'attend la fenêtre {window} : elle reste ouverte.",
        "Nothing waits for window {window}: it stays open.",
    ),
    "order_refused": (
        "Ordre de conversion refusé : {reason}.",
        "Conversion order refused: {reason}.",
    ),
    "expired": ("Le terme fixé par le cédant était passé.", "The term set by the giver had passed."),
    "position_too_small": (
        "Le centre ne connaît pas assez de ces droits chez le cédant. Comparez les relevés.",
        "The hub knows too few of these rights with the giver. Compare statements.",
    ),
    "not_the_issuer": (
        "Une conversion va au territoire qui a émis les droits, et à lui seul.",
        "A conversion goes to the territory that issued the rights, and to no other.",
    ),
    "class_does_not_fit": (
        "Ces droits ne peuvent pas aller vers cette communauté (classe du lot).",
        "These rights may not go to that community (class of the lot).",
    ),
    "abroad_limit": (
        "Plafond des droits détenus ailleurs atteint : demandez à l'opérateur de le relever, ou attendez des retours.",
        "The limit of rights held abroad is reached: ask the operator to raise it, or wait for returns.",
    ),
    "message_limit": (
        "Cession plus grande que le plafond du territoire : cédez en plusieurs fois.",
        "The cession exceeds the territory's ceiling: cede in several parts.",
    ),
    "day_limit": ("Plafond du jour atteint : recommencez demain.", "The day's limit is reached: try again tomorrow."),
    "sender_not_active": ("Ce territoire n'est pas actif.", "This territory is not active."),
    "receiver_not_active": ("Le territoire destinataire n'est pas actif.", "The receiving territory is not active."),
    "to_itself": ("Une cession va vers un autre territoire.", "A cession goes to another territory."),
    "sealed_part_missing": (
        "La partie scellée manque ou ne correspond pas.",
        "The sealed part is missing or does not fit.",
    ),
    "not_in_force": (
        "Aucun paramètre « {what} » n'est en vigueur au {day}.",
        "No parameter “{what}” is in force on {day}.",
    ),
    "card_refused": (
        "Carte du territoire {territory} refusée : {reason}.",
        "Card of territory {territory} refused: {reason}.",
    ),
    "publication_refused": ("Publication refusée : {reason}.", "Publication refused: {reason}."),
    "publication_older": (
        "Une version plus récente ({what}, numéro {kept}) du territoire {territory} est déjà connue : le numéro {number} ne la remplace pas.",
        "A newer one ({what}, number {kept}) of territory {territory} is known: number {number} does not replace it.",
    ),
    "publication_conflict": (
        "Le territoire {territory} a signé deux contenus différents sous le même numéro {number} ({what}) : le premier est gardé.",
        "Territory {territory} signed two different contents under one number {number} ({what}): the first is kept.",
    ),
    "too_many_publications": (
        "Le territoire {territory} a publié plus de {per_hour} fois en une heure : réessayez plus tard.",
        "Territory {territory} published more than {per_hour} times within an hour: try again later.",
    ),
    "catalogue_refused": (
        "Catalogue du territoire {territory} refusé : {reason}.",
        "Catalogue of territory {territory} refused: {reason}.",
    ),
}
