"""What a refusal of the accounts means, in French and in English. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ACCOUNTS: Final[Mapping[str, tuple[str, str]]] = {
    # code: (French, English)
    "book_is_behind": (
        "Cette base est une vieille copie et ne prend rien de nouveau. Lancez citizen-miles node recover ; s'il y a d'autres "
        "bases dans la maison, d'abord citizen-miles node house recover --base accounts.",
        "This book is an old copy and takes nothing new. Run citizen-miles node recover; where there are other bases in the "
        "house, first citizen-miles node house recover --base accounts.",
    ),
    "not_behind": (
        "Rien ne dit que cette base soit une vieille copie : il n'y a rien à rattraper. Si vous venez de remettre une copie à "
        "la main, arrêtez le nœud et marquez-la : citizen-miles node restore, sans fichier.",
        "Nothing says that this book is an old copy: there is nothing to recover. If you have just put a copy back by hand, "
        "stop the node and mark it: citizen-miles node restore, without a file.",
    ),
    "rotate_with_hub": (
        "La clé des comptes est celle du nœud : changez-la d'abord avec le centre (node rotate-key), puis ici.",
        "The accounts' key is the node's: change it with the hub first (node rotate-key), then here.",
    ),
    "unplaced_unknown": ("Aucun droit non placé numéro {id}.", "No unplaced rights numbered {id}."),
    "hub_took_nothing": (
        "Le centre a répondu sans prendre aucun des {slips} feuillets envoyés : il se rétablit peut-être. Ils attendent.",
        "The hub answered and took none of the {slips} slips sent: it may be recovering. They wait.",
    ),
    "not_found": ("Rien à {path}.", "Nothing at {path}."),
    "not_authorised": (
        "Clé d'accès absente, inconnue ou révoquée.",
        "Access key missing, unknown or revoked.",
    ),
    "not_allowed": ("Cette clé n'a pas le droit « {scope} ».", "This key lacks the scope '{scope}'."),
    "operation_unknown": ("Aucune opération {id}.", "No operation {id}."),
    "ledger_refused": ("Le registre refuse.", "The ledger refuses."),
    "account_unknown": ("Aucun compte {account} ici.", "No account {account} here."),
    "account_frozen": ("Le compte {account} est gelé.", "Account {account} is frozen."),
    "account_closed": ("Le compte {account} est fermé.", "Account {account} is closed."),
    "account_not_empty": (
        "Le compte {account} n'est pas vide : cédez ou orientez d'abord ce qui reste.",
        "Account {account} is not empty: cede or orient what is left first.",
    ),
    "project_stays": (
        "Le compte d'un projet ({account}) ne se ferme pas : des droits peuvent y revenir.",
        "The account of a project ({account}) is never closed: rights may come back to it.",
    ),
    "orientation_refused": ("Orientation refusée.", "Orientation refused."),
    "project_not_here": ("Aucun projet {account} ici.", "No project {account} here."),
    "project_committed": (
        "Le projet {account} est financé : on n'y oriente plus rien et rien n'en revient.",
        "Project {account} is funded: nothing more is directed to it, and nothing taken back.",
    ),
    "project_closed": (
        "Le projet {account} est terminé : ce qui n'a pas été converti revient à ses détenteurs.",
        "Project {account} has ended: what was not converted goes back to its holders.",
    ),
    "project_past": (
        "Le projet {account} n'accepte plus rien depuis le {until}.",
        "Project {account} takes nothing more since {until}.",
    ),
    "project_full": (
        "Le projet {account} ne peut plus recevoir que {room} centimes.",
        "Project {account} takes {room} cents at most.",
    ),
    "project_open": (
        "Le projet {account} n'est pas encore financé : rien n'est converti.",
        "Project {account} is not committed yet: nothing is converted.",
    ),
    "round_known": (
        "La tranche {round} du projet {account} a déjà été demandée sous un autre identifiant.",
        "Round {round} of project {account} was asked for under another id.",
    ),
    "lots_unfit": (
        "Seuls {available} centimes peuvent aller au projet {account}, sur {asked} demandés : les autres lots sont liés.",
        "Only {available} cents may go to project {account}, of {asked} asked: the other lots are bound.",
    ),
    "still_on_its_way": (
        "L'orientation {id} n'a pas encore atteint son projet ({state}) : on peut la rappeler (recall).",
        "Orientation {id} has not reached its project yet ({state}): it may be recalled.",
    ),
    "territory_silent": (
        "Le territoire {territory} n'a pas répondu : redemandez sous le même identifiant, rien n'est fait deux fois.",
        "Territory {territory} did not answer: ask again under the same id, nothing is done twice.",
    ),
    "solidarity_refused": ("Opération solidaire refusée.", "Solidarity operation refused."),
    "pool_unknown": ("Aucun pot solidaire n'a l'identifiant {id}.", "No solidarity pool has the id {id}."),
    "solidarity_operation_unknown": (
        "Aucune opération solidaire n'a l'identifiant {id}.",
        "No solidarity operation has the id {id}.",
    ),
    "gift_unknown": (
        "Aucun don à une opération solidaire n'a l'identifiant {id}. Un don tout récent est noté en quelques secondes.",
        "No gift to a solidarity operation has the id {id}. A fresh one is noted within seconds.",
    ),
    "gift_not_returnable": (
        "Le don {id} ne peut pas être rendu : {state}.",
        "Gift {id} cannot be given back: {state}.",
    ),
    "solidarity_operation_ended": (
        "L'opération {id} est partagée, annulée ou close ({state}) : rien ne s'y donne ni ne s'y reprend.",
        "Operation {id} is shared, cancelled or closed ({state}): nothing is given to it or taken back.",
    ),
    "solidarity_operation_running": (
        "L'opération {id} se partage après le {until}, ou dès que son but est atteint ({cents} centimes sur {target}).",
        "Operation {id} is shared after {until}, or once its target is reached ({cents} cents of {target}).",
    ),
    "solidarity_operation_not_shared": (
        "L'opération {id} n'est pas encore partagée ({state}) : elle ne peut pas être close.",
        "Operation {id} is not shared yet ({state}): it cannot be closed.",
    ),
    "nothing_to_share": ("L'opération {id} n'a rien à partager.", "Operation {id} has nothing to share."),
    "nobody_to_share_with": (
        "Personne n'est inscrit au pot de l'opération {id} avec un compte ouvert.",
        "Nobody with an open account is enrolled in the pool of operation {id}.",
    ),
    "too_many_receivers": ("Un pot a au plus {most} inscrits.", "A pool has {most} receivers at most."),
    "receiver_class_unknown": (
        "La classe {receiver_class} n'existe pas : ce pot en a {classes}.",
        "There is no class {receiver_class}: this pool has {classes}.",
    ),
    "gift_too_early": (
        "Donné avant l'ouverture de l'opération : cela vous revient, lot pour lot.",
        "Given before the operation began: it goes back to you, lot by lot.",
    ),
    "gift_too_late": (
        "Donné après la fin de l'opération : cela vous revient, lot pour lot.",
        "Given after the operation was over: it goes back to you, lot by lot.",
    ),
    "giver_not_taken": (
        "Ce pot n'accepte pas ce donateur : le don revient, lot pour lot (celui d'une entreprise reste au pot).",
        "This pool does not take from this giver: the gift goes back, lot by lot (a company's stays in the pool).",
    ),
    "operation_cancelled": (
        "L'opération est annulée : ce que vous aviez donné vous revient, lot pour lot.",
        "The operation was cancelled: what you gave goes back to you, lot by lot.",
    ),
    "orientation_unknown": ("Rien n'a été orienté sous {id}.", "Nothing was directed under {id}."),
    "standing_unknown": ("Aucun ordre permanent {id}.", "No standing order {id}."),
    "not_directed": (
        "De cette orientation il reste {available} centimes, pour {asked} demandés.",
        "Of this orientation {available} cents are left, for {asked} asked.",
    ),
    "endowment_closed": (
        "Ce territoire a un fonds de dotation : un lot naît d'un versement que le fonds a signé, et de rien d'autre.",
        "This territory has an endowment fund: a lot is issued by a deposit that the fund signed, and by nothing else.",
    ),
    "insufficient_rights": (
        "Droits insuffisants : {available} centimes disponibles, {asked} demandés, il manque {missing}.",
        "Not enough rights: {available} cents available, {asked} asked, {missing} missing.",
    ),
    "kind_misfit": (
        "Un mouvement « {kind} » ne va pas d'un compte {debit} à un compte {credit}.",
        "A '{kind}' does not go from a {debit} account to a {credit} account.",
    ),
    "lot_unknown": ("Lot inconnu.", "Unknown lot."),
    "lot_class_mismatch": (
        "Le lot est connu sous une autre classe : l'émetteur doit l'expliquer.",
        "The lot is known under another class: its issuer must explain.",
    ),
    "lot_misplaced": ("Ce lot n'a pas sa place là.", "That lot has no place there."),
    "reservation_unknown": ("Aucune réservation de cet identifiant.", "No reservation of that id."),
    "reservation_expired": ("La réservation a expiré.", "The reservation has expired."),
    "reservation_ended": ("La réservation a déjà pris fin.", "The reservation has already ended."),
    "reservation_too_small": ("La réservation ne suffit pas.", "The reservation is too small."),
    "posting_unknown": ("Aucun mouvement de cet identifiant.", "No posting of that id."),
    "not_reversible": ("Ce mouvement ne s'annule pas.", "This posting cannot be reversed."),
    "nothing_to_reverse": ("Il n'y a plus rien à annuler.", "There is nothing left to reverse."),
    "number_taken": (
        "Ce numéro de compte est pris : proposez-en un autre.",
        "That account number is taken: offer another.",
    ),
    "cession_unknown": ("Aucune cession {id}.", "No cession {id}."),
    "too_late_to_recall": (
        "Trop tard pour rappeler la cession {id} : elle est « {state} ».",
        "Too late to recall cession {id}: it is '{state}'.",
    ),
    "nothing_to_give_back": ("Rien à rendre ({id}) : {reason}.", "Nothing to give back ({id}): {reason}."),
    "not_a_member": (
        "Ce nœud n'est pas encore un membre actif ({status}) : attendez l'accréditation, puis échangez une fois.",
        "This node is not an active member yet ({status}): wait for its accreditation, then exchange once.",
    ),
    "not_proven": ("Preuve manquante : {reason}.", "Not proven: {reason}."),
    "whisper_refused": ("Question refusée : {reason}.", "Whisper refused: {reason}."),
    "project_not_listed": (
        "Aucun catalogue connu ici ne présente le projet {address}.",
        "No catalogue that is known here lists project {address}.",
    ),
    "nothing_to_publish": (
        "Rien à publier : ce territoire n'a ni fonds ni base de projets.",
        "Nothing to publish: this territory has neither a fund nor a projects' base.",
    ),
    "key_not_shown": (
        "Rien n'est publié : l'annuaire ne montre pas encore la clé avec laquelle ce nœud signe. Attendez qu'il soit relu, ou inscrivez le nœud.",
        "Nothing is published: the directory does not show the key that this node signs with yet. Wait until it is read again, or enrol the node.",
    ),
    "group_refused": ("Refusé par une règle des groupes accompagnés.", "Refused by a rule of groups with a guide."),
    "not_a_group": (
        "{account} n'est pas le compte attendu ({kind}).",
        "{account} is not the account that is needed ({kind}).",
    ),
    "group_unknown": ("{account} n'est pas un groupe accompagné.", "{account} is no group with a guide."),
    "group_is_guided": (
        "{account} est un groupe accompagné : seul un acte signé par son accompagnateur, avec son accord, déplace ses droits.",
        "{account} is a group with a guide: only an act that its guide signed, with its consent, moves its rights.",
    ),
    "group_has_standing_order": (
        "{account} a un ordre permanent ({order}) : arrêtez-le d'abord.",
        "{account} has a standing order ({order}): stop it first.",
    ),
    "group_member_known": ("{member} est déjà du groupe.", "{member} is in the group already."),
    "group_member_unknown": ("{member} n'est pas du groupe.", "{member} is not in the group."),
    "guide_not_here": (
        "Les comptes ne connaissent pas d'accompagnateur {guide} : a-t-il été accrédité ici ?",
        "The accounts know of no guide {guide}: was he accredited here?",
    ),
    "guide_not_accredited": (
        "L'accompagnateur {guide} ne peut plus rien faire : {reason}.",
        "The guide {guide} can do nothing: {reason}.",
    ),
    "consent_refused": ("Accord refusé : {reason}.", "Consent refused: {reason}."),
    "consent_missing": (
        "Le groupe {account} n'a pas donné son accord à {guide} : {given} membres, il en faut {needed}, ou un écrit signé.",
        "The group {account} did not consent to {guide}: {given} members, {needed} are needed, or a signed paper.",
    ),
    "group_consent_unknown": ("Aucun accord {consent} dans ce groupe.", "No consent {consent} in this group."),
    "act_refused": ("Acte d'accompagnateur refusé : {reason}.", "Act of a guide refused: {reason}."),
}
