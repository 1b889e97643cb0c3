"""What a refusal of the people's base means, in French and in English. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PEOPLE: Final[Mapping[str, tuple[str, str]]] = {
    # code: (French, English)
    "people_refused": ("La base des personnes refuse.", "The people's base refuses."),
    "not_the_people": (
        "Seule la base des personnes demande cela.",
        "Only the people's base asks that.",
    ),
    "people_key_missing": (
        "Aucune clé de base de ce dossier n'ouvre cette base : remettez le dossier keys/base qui va avec elle.",
        "No base key of this folder opens this base: put back the folder keys/base that belongs to it.",
    ),
    "invalid_person": ("Fiche refusée ({field}) : {reason}.", "Record refused ({field}): {reason}."),
    "invalid_role": ("Rôle refusé ({field}) : {reason}.", "Role refused ({field}): {reason}."),
    "invalid_rule": ("Règle {rule} refusée : {reason}.", "Rule {rule} refused: {reason}."),
    "invalid_delegation": ("Délégation refusée ({field}) : {reason}.", "Delegation refused ({field}): {reason}."),
    "invalid_consent_text": ("Texte refusé ({field}) : {reason}.", "Consent text refused ({field}): {reason}."),
    "invalid_identity": ("Moyen de connexion refusé ({field}) : {reason}.", "Sign-in refused ({field}): {reason}."),
    "invalid_paper_code": (
        "Code mal recopié : {reason}. Aucun essai n'est perdu.",
        "Code badly copied: {reason}. No attempt is lost.",
    ),
    "not_entitled": (
        "Ni la personne, ni son délégué, ni un agent habilité de cette base : {action} refusé.",
        "Neither the person, nor a delegate, nor an officer of this base: {action} refused.",
    ),
    "person_unknown": ("Personne {person} inconnue ici.", "No person {person} here."),
    "person_erased": (
        "La personne {person} a été effacée : plus rien ne dit qui elle était.",
        "Person {person} was erased: nothing says any more who it was.",
    ),
    "person_kind_misfit": (
        "{person} est de la sorte « {kind} » : cela ne convient pas ici.",
        "{person} is a {kind}: that does not fit here.",
    ),
    "founded_already": (
        "Les deux premiers agents sont déjà nommés : les rôles se donnent maintenant à deux.",
        "The first two officers are named already: roles move by four eyes now.",
    ),
    "account_taken": (
        "Le compte {account} est déjà à quelqu'un, ou se ferme.",
        "Account {account} is somebody's already, or is being closed.",
    ),
    "holder_unknown": ("Aucun compte {account} dans cette base.", "No account {account} in this base."),
    "consent_text_unknown": (
        "Aucun texte publié pour « {purpose} » (version {version}).",
        "No text is published for {purpose} (version {version}).",
    ),
    "consent_not_given": (
        "Aucun consentement à retirer pour « {purpose} ».",
        "There is no consent to withdraw for {purpose}.",
    ),
    "people_lost_unknown": (
        "Rien n'a été noté sous {lost} au retour de la copie.",
        "Nothing was noted under {lost} when the copy came back.",
    ),
    "people_proposal_unknown": ("Proposition {proposal} inconnue.", "No proposal {proposal}."),
    "people_proposal_ended": (
        "La proposition {proposal} est déjà décidée ({state}).",
        "Proposal {proposal} is decided already ({state}).",
    ),
    "same_eyes": ("Quatre yeux : {reason}.", "Four eyes: {reason}."),
    "role_unknown": ("Rôle {role} inconnu ou terminé.", "No role {role}, or it has ended."),
    "role_in_force": (
        "Cette personne exerce encore un rôle ({duty}) : deux autres y mettent fin d'abord.",
        "This person still holds a duty ({duty}): two others end it first.",
    ),
    "declaration_unknown": ("Déclaration {declaration} inconnue.", "No declaration {declaration}."),
    "declaration_stands": (
        "La déclaration {declaration} est déjà là ({state}).",
        "Declaration {declaration} stands already ({state}).",
    ),
    "term_over": (
        "Le délai pour revenir dessus s'est terminé le {until}.",
        "The term to take it back ended on {until}.",
    ),
    "term_running": ("Le délai court jusqu'au {until}.", "The term runs until {until}."),
    "delegation_unknown": ("Délégation {delegation} inconnue.", "No delegation {delegation}."),
    "erasure_unknown": ("Effacement {erasure} inconnu.", "No erasure {erasure}."),
    "erasure_ended": ("L'effacement {erasure} est terminé ({state}).", "Erasure {erasure} has ended ({state})."),
    "erasure_running": (
        "L'effacement de {person} est déjà demandé et attend.",
        "The erasure of {person} is asked already and waits.",
    ),
    "identity_unknown": ("Moyen de connexion {identity} inconnu.", "No sign-in {identity}."),
    "identity_taken": (
        "Ce moyen de connexion sert déjà.",
        "This sign-in is in use already.",
    ),
    "too_many_identities": ("Au plus {at_most} moyens de connexion.", "At most {at_most} ways to sign in."),
    "paper_code_wrong": (
        "Code faux. Essais restants : {attempts_left}.",
        "Wrong code. Attempts left: {attempts_left}.",
    ),
    "paper_code_locked": (
        "Carte bloquée après trop d'essais : demandez-en une autre.",
        "Card locked after too many attempts: ask for another one.",
    ),
    "stock_too_small": (
        "{asked} cartes demandées, {free} comptes libres : ouvrez-en d'avance (card stock).",
        "{asked} cards asked, {free} free accounts: open some in advance (card stock).",
    ),
    "record_unreadable": (
        "La fiche de {person} ne s'ouvre pas : clé de base absente, ou ligne modifiée. Lancez node check.",
        "The record of {person} does not open: a base key is missing, or the row was changed. Run node check.",
    ),
}
