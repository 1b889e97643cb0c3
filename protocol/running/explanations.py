"""What each refusal means and what to do, in French and in English. Pure.

A sentence may name facts in braces; a fact that is missing shows as an ellipsis. Amounts are facts in cents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
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
    "invalid_pass": (
        "Citizen-Pass refusé ({field}) : {reason}.",
        "Citizen-Pass refused ({field}): {reason}.",
    ),
    "invalid_offer": ("Offre refusée ({field}) : {reason}.", "Offer refused ({field}): {reason}."),
    "invalid_skill": (
        "Compétence {skill} inconnue : {reason}.",
        "Skill {skill} not known: {reason}.",
    ),
    "invalid_credential": (
        "Ce n'est pas un Citizen-Pass lisible : {reason}.",
        "This is no readable Citizen-Pass: {reason}.",
    ),
    "invalid_picture": ("Image refusée : {reason}.", "Picture refused: {reason}."),
    "invalid_badge": (
        "Cette image ne porte pas de Citizen-Pass : {reason}.",
        "This picture carries no Citizen-Pass: {reason}.",
    ),
    "pass_unknown": ("Aucun pass {pass_id} ici.", "No pass {pass_id} here."),
    "status_list_unknown": ("Aucune liste d'état {list} ici.", "No status list {list} here."),
    "pass_refused": ("Refusé par une règle des pass.", "Refused by a rule of passes."),
    "pass_step_refused": (
        "Un pass à l'état {state} ne peut pas devenir « {event} ».",
        "A pass in state {state} cannot become “{event}”.",
    ),
    "validator_refused": ("Validation refusée : {reason}.", "Validation refused: {reason}."),
    "credential_forged": (
        "Ce pass est faux ou a été modifié : {reason}.",
        "This pass is forged or was altered: {reason}.",
    ),
    "issuer_unknown": (
        "Ce pass est signé par {issuer}, qui n'est pas reconnu ici.",
        "This pass is signed by {issuer}, who is not known here.",
    ),
    "picture_altered": ("L'image a été modifiée : {reason}.", "The picture was altered: {reason}."),
    "status_list_full": (
        "La liste d'état {list} est pleine : ouvrez la suivante.",
        "Status list {list} is full: open the next one.",
    ),
    "offer_step_refused": (
        "Une offre à l'état {state} ne permet pas : {event}.",
        "An offer in state {state} does not allow: {event}.",
    ),
    "application_step_refused": (
        "Une candidature à l'état {state} ne permet pas : {event}.",
        "An application in state {state} does not allow: {event}.",
    ),
    "hours_refused": ("Heures refusées : {reason}.", "Hours refused: {reason}."),
    "offer_unknown": ("Aucune offre de bénévolat {offer} ici.", "No offer of volunteering {offer} here."),
    "application_unknown": ("Aucune candidature {application} ici.", "No application {application} here."),
    "request_unknown": ("Aucune recherche {request} ici.", "No request {request} here."),
    "hours_unknown": ("Aucunes heures {hours} ici.", "No hours {hours} here."),
    "offer_full": ("Les {places} places sont prises.", "All {places} places are taken."),
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
    "book_is_behind": (
        "Cette base est une vieille copie et ne prend rien de nouveau. Lancez citizen-miles node recover ; s'il y a d'autres "
        "bases dans la maison, d'abord citizen-miles node house recover --base accounts.",
        "This book is an old copy and takes nothing new. Run citizen-miles node recover; where there are other bases in the "
        "house, first citizen-miles node house recover --base accounts.",
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
    "numbers_not_stated": (
        "Cette base a été remise d'une vieille copie : dites d'abord le dernier reçu et le dernier ordre connus sur "
        "papier (citizen-miles node fund state-numbers).",
        "This base was put back from an old copy: first say the last receipt and the last order known on paper "
        "(citizen-miles node fund state-numbers).",
    ),
    "numbers_refused": ("Ces derniers numéros sont refusés : {reason}.", "These last numbers are refused: {reason}."),
    "collection_left": (
        "Le prélèvement de {month} est parti avant la remise en place de cette base : ne l'envoyez pas deux fois.",
        "The collection of {month} left before this base was put back: do not send it twice.",
    ),
    "unplaced_unknown": ("Aucun droit non placé numéro {id}.", "No unplaced rights numbered {id}."),
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
    "hub_took_nothing": (
        "Le centre a répondu sans prendre aucun des {slips} feuillets envoyés : il se rétablit peut-être. Ils attendent.",
        "The hub answered and took none of the {slips} slips sent: it may be recovering. They wait.",
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
    "not_found": ("Rien à {path}.", "Nothing at {path}."),
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
    "not_authorised": (
        "Clé d'accès absente, inconnue ou révoquée.",
        "Access key missing, unknown or revoked.",
    ),
    "not_allowed": ("Cette clé n'a pas le droit « {scope} ».", "This key lacks the scope '{scope}'."),
    "not_configured": ("Configuration : {reason}.", "Configuration: {reason}."),
    "incident": (
        "Erreur de notre côté, numéro {incident}. Recommencez avec le même identifiant.",
        "An error of ours, number {incident}. Try again with the same id.",
    ),
    "operation_unknown": ("Aucune opération {id}.", "No operation {id}."),
    # people
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
    # the ledger
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
    # projects, and what is directed to them
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
    "withdrawn": ("Le projet a été retiré par son porteur.", "The project was withdrawn by its bearer."),
    "minimum_missed": ("Le projet n'a pas atteint son minimum.", "The project missed its minimum."),
    "audit_failed": ("L'audit du projet n'a pas été concluant.", "The audit of the project failed."),
    # the fund and its bank
    "invalid_iban": (
        "IBAN {iban} refusé : {reason}. Recopiez-le du RIB.",
        "IBAN {iban} refused: {reason}. Copy it again.",
    ),
    "invalid_bic": ("BIC {bic} refusé : {reason}.", "BIC {bic} refused: {reason}."),
    "invalid_reference": (
        "Référence {reference} refusée : {reason}. Elle commence par RF et se recopie entière.",
        "Reference {reference} refused: {reason}. It begins with RF and is copied whole.",
    ),
    "invalid_end_to_end_id": (
        "Identifiant de bout en bout {id} refusé : {reason}.",
        "End-to-end id {id} refused: {reason}.",
    ),
    "invalid_creditor_id": (
        "Identifiant créancier (ICS) {creditor} refusé : {reason}. Il figure sur la lettre de votre banque.",
        "Creditor identifier {creditor} refused: {reason}. It stands in your bank's letter.",
    ),
    "invalid_payment_text": (
        "Texte de paiement refusé ({field}) : {reason}.",
        "Payment text refused ({field}): {reason}.",
    ),
    "invalid_receipt": (
        "Reçu fiscal refusé, mention {field} : {reason}. Aucun numéro n'a été pris.",
        "Tax receipt refused, mention {field}: {reason}. No number was taken.",
    ),
    "invalid_receipt_number": (
        "Numéro de reçu {number} refusé : {reason}.",
        "Receipt number {number} refused: {reason}.",
    ),
    "invalid_receipt_proof": (
        "Ce code n'est pas celui d'un reçu : {reason}. Recopiez l'adresse imprimée à côté du code.",
        "This is not the code of a receipt: {reason}. Copy the address printed beside the code.",
    ),
    "invalid_declaration": ("Déclaration refusée, {field} : {reason}.", "Declaration refused, {field}: {reason}."),
    "endowment_closed": (
        "Ce territoire a un fonds de dotation : un lot naît d'un versement que le fonds a signé, et de rien d'autre.",
        "This territory has an endowment fund: a lot is issued by a deposit that the fund signed, and by nothing else.",
    ),
    "donor_refused": (
        "Donateur refusé, {field} : {reason}. Corrigez sa fiche : un reçu doit pouvoir le nommer.",
        "Donor refused, {field}: {reason}. Correct its sheet: a receipt must be able to name it.",
    ),
    "nothing_waits": (
        "Le mouvement {movement} n'attend plus personne : il est déjà affecté ou décidé.",
        "Movement {movement} waits for nobody: it is used or decided already.",
    ),
    "decision_refused": ("Décision refusée : {reason}.", "Decision refused: {reason}."),
    "bearer_not_eligible": (
        "Le fonds ne peut pas payer {bearer} : {reason}. Enregistrez une preuve en cours de validité.",
        "The fund may not pay {bearer}: {reason}. Register a proof that is in force.",
    ),
    "officer_refused": (
        "Signature refusée ({officer}) : {reason}.",
        "Signature refused ({officer}): {reason}.",
    ),
    "payment_step_refused": (
        "Le paiement {payment} est dans l'état {state} : {event} n'est plus possible.",
        "Payment {payment} is {state}: {event} is not possible any more.",
    ),
    "nothing_to_order": (
        "Aucun paiement signé par deux personnes n'attend d'ordre pour le {day}.",
        "No payment signed by two people waits for the order of {day}.",
    ),
    "nothing_to_receipt": (
        "Aucun versement ouvrant droit à reçu n'attend pour le donateur {donor} sur cette période.",
        "No payment of donor {donor} in this period waits for a receipt.",
    ),
    "debits_not_final": (
        "Un prélèvement de cette période peut encore être repris par la banque : pas de reçu pour {donor} avant le {until}.",
        "A direct debit of this period may still be taken back: no receipt for {donor} before {until}.",
    ),
    "appeal_not_authorised": (
        "Le fonds n'a pas l'autorisation préfectorale d'appel public à la générosité : il ne sollicite pas de dons de "
        "particuliers. Une fois obtenue, mettez takes_from_public = true dans fund.toml.",
        "The prefect has not authorised the fund to appeal to public generosity: it asks no gifts of citizens. "
        "Once authorised, set takes_from_public = true in fund.toml.",
    ),
    "mandate_refused": (
        "Don mensuel refusé : {reason}.",
        "Monthly gift refused: {reason}.",
    ),
    "mandate_step_refused": (
        "Le mandat {mandate} est dans l'état {state} : il ne peut passer à {wished}.",
        "Mandate {mandate} is {state}: it cannot become {wished}.",
    ),
    "nothing_to_collect": (
        "Aucun prélèvement n'est à remettre à la banque au {day}.",
        "No direct debit is to be given to the bank on {day}.",
    ),
    "refund_refused": (
        "Remboursement refusé : {reason}.",
        "Refund refused: {reason}.",
    ),
    "lot_not_ours": (
        "Le fonds n'a reçu ni euros ni promesse pour le lot {lot} : rien n'est dû sur lui.",
        "The fund has no euros and no pledge for lot {lot}: nothing is owed of it.",
    ),
    "lot_spent": (
        "Il ne reste que {left} centimes du lot {lot}, et {asked} sont demandés.",
        "Only {left} cents of lot {lot} are left, and {asked} are asked.",
    ),
    "dues_changed": (
        "Ce que le paiement {payment} doit régler n'est plus ouvert ainsi. Listez de nouveau les propositions.",
        "What payment {payment} was to pay is not open like that any more. List the proposals again.",
    ),
    "year_closed": (
        "L'exercice clos le {day} ne peut pas être arrêté : {reason}.",
        "The fiscal year that ends on {day} cannot be closed: {reason}.",
    ),
    "netting_refused": (
        "Compensation refusée : {reason}.",
        "Netting refused: {reason}.",
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
    "pledge_refused": (
        "Promesse refusée : {reason}.",
        "Pledge refused: {reason}.",
    ),
    "reminder_refused": (
        "Pas de relance pour le versement {payment} : {reason}.",
        "No reminder for payment {payment}: {reason}.",
    ),
    "receipt_cancelled": (
        "Le reçu {number} est annulé et le reste. Délivrez-en un nouveau qui le cite.",
        "Receipt {number} is cancelled and stays so. Issue a new one that names it.",
    ),
    "invalid_entry": (
        "Écriture refusée ({field}) : {reason}. Rien n'a été écrit dans les livres.",
        "Entry refused ({field}): {reason}. Nothing was written in the books.",
    ),
    "invalid_fund_year": (
        "Exercice du fonds refusé ({field}) : {reason}.",
        "Fiscal year of the fund refused ({field}): {reason}.",
    ),
    "fec_unreadable": (
        "Fichier des écritures comptables illisible : {reason}.",
        "Unreadable file of entries (FEC): {reason}.",
    ),
    "nothing_dedicated": (
        "{asked} centimes demandés à un fonds dédié qui n'en garde que {kept}.",
        "{asked} cents asked of an earmark that keeps only {kept}.",
    ),
    "bank_file_refused": ("Fichier de la banque refusé.", "The bank's file was refused."),
    "bank_file_too_large": (
        "Fichier de {bytes} octets, {bytes_max} au plus. Demandez à la banque un relevé par jour.",
        "A file of {bytes} bytes, {bytes_max} at most. Ask the bank for one statement a day.",
    ),
    "bank_file_unsafe": (
        "Fichier refusé sans être lu : {reason}. Une banque n'en envoie pas de tel ; vérifiez d'où il vient.",
        "File refused unread: {reason}. No bank sends such a file; check where it comes from.",
    ),
    "bank_file_unreadable": (
        "Fichier illisible : {reason}. Téléchargez-le de nouveau ; rien n'a été pris.",
        "Unreadable file: {reason}. Download it again; nothing was taken.",
    ),
    "bank_file_version": (
        "Ce message est {met} ; sont lus : {known}. Demandez une de ces versions à la banque.",
        "This message is {met}; read are: {known}. Ask the bank for one of these versions.",
    ),
    "bank_field_wrong": (
        "Fichier refusé : {field} à {place} : {reason}. Rien n'a été pris.",
        "File refused: {field} at {place}: {reason}. Nothing was taken.",
    ),
    "currency_refused": (
        "Seuls des euros sont pris ; {currency} à {place}.",
        "Only euros are taken; {currency} at {place}.",
    ),
    "too_many_decimals": (
        "Montant {amount} à {place} : deux décimales au plus.",
        "Amount {amount} at {place}: two decimals at most.",
    ),
    "batch_mismatch": (
        "À {place}, le total dit {told} et le détail donne {summed} (écart {difference}). Demandez un fichier corrigé.",
        "At {place} the total says {told} and the details give {summed} ({difference} apart). Ask for a corrected file.",
    ),
    "statement_rows_refused": (
        "{rows} lignes fausses ; la première est la ligne {row}, colonne {column} : {reason}. Rien n'a été pris.",
        "{rows} wrong rows; the first is row {row}, column {column}: {reason}. Nothing was taken.",
    ),
    "statement_refused": ("Relevé refusé.", "The statement was refused."),
    "statement_unbalanced": (
        "Relevé {statement} : ouverture {opening} et mouvements {movements} ne font pas la clôture {closing} "
        "(écart {difference} centimes). Demandez-le de nouveau à la banque.",
        "Statement {statement}: opening {opening} and movements {movements} do not make the closing {closing} "
        "({difference} cents apart). Ask the bank for it again.",
    ),
    "statement_of_another_account": (
        "Ce relevé est du compte {iban}, et non de {expected}.",
        "This statement is of account {iban}, not of {expected}.",
    ),
    "statement_gap": (
        "Il manque des relevés avant {statement} : numéro {sequence}, attendu {expected}. Importez-les d'abord.",
        "Statements are missing before {statement}: number {sequence}, expected {expected}. Import them first.",
    ),
    "statement_overlap": (
        "Le relevé {statement} revient en arrière : {sequence}, attendu {expected}. Il est sans doute déjà importé.",
        "Statement {statement} goes back: {sequence}, expected {expected}. It has probably been imported.",
    ),
    "opening_balance_wrong": (
        "Le relevé {statement} ouvre à {opening} ; {previous} fermait à {closing} (écart {difference} centimes).",
        "Statement {statement} opens at {opening}; {previous} closed at {closing} ({difference} cents apart).",
    ),
    "order_refused": (
        "Ordre de conversion refusé : {reason}.",
        "Conversion order refused: {reason}.",
    ),
    "payment_order_refused": ("Ordre de paiement refusé : {reason}.", "Payment order refused: {reason}."),
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
    # the federation
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
    # the hub's verdicts
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
    # companies
    "invalid_siren": (
        "SIREN {siren} refusé : {reason}. Relisez-le sur un extrait Kbis ou sur la situation au répertoire Sirene.",
        "SIREN {siren} refused: {reason}. Read it again on the company's register extract.",
    ),
    "invalid_company": ("Entreprise refusée ({field}) : {reason}.", "Company refused ({field}): {reason}."),
    "invalid_campaign": ("Opération refusée ({field}) : {reason}.", "Campaign refused ({field}): {reason}."),
    "invalid_purchase": ("Achat refusé ({field}) : {reason}.", "Purchase refused ({field}): {reason}."),
    "invalid_till": ("Caisse {till} refusée : {reason}.", "Till {till} refused: {reason}."),
    "invalid_fiscal_year": ("Exercice refusé ({field}) : {reason}.", "Fiscal year refused ({field}): {reason}."),
    "invalid_counterpart": ("Contrepartie refusée ({field}) : {reason}.", "Counterpart refused ({field}): {reason}."),
    "invalid_coupon": ("Bon refusé ({field}) : {reason}.", "Coupon refused ({field}): {reason}."),
    "invalid_ticket": (
        "Ticket illisible : {reason}. Relisez-le groupe par groupe.",
        "Unreadable ticket: {reason}. Read it again, group by group.",
    ),
    "partners_refused": ("Refusé par une règle des entreprises.", "Refused by a rule for companies."),
    "own_group": (
        "L'entreprise {company} ne peut pas donner à elle-même ni à son groupe ({other}).",
        "Company {company} cannot give to itself or its group ({other}).",
    ),
    "campaign_step_refused": (
        "Une opération à l'état {state} ne peut pas passer par {event}.",
        "A campaign that is {state} cannot be {event}.",
    ),
    "coupon_step_refused": (
        "Un bon à l'état {state} ne peut pas passer par {event}.",
        "A coupon that is {state} cannot be {event}.",
    ),
    "grant_refused": ("Cet achat ne donne pas de miles.", "This purchase gives no miles."),
    "campaign_not_running": (
        "Au moment de l'achat, l'opération n'était pas en cours ({state}).",
        "When this was bought, the campaign was not running ({state}).",
    ),
    "campaign_not_open": (
        "L'opération va du {opens_on} au {closes_on} ; l'achat est du {day}.",
        "The campaign goes from {opens_on} to {closes_on}; the purchase is of {day}.",
    ),
    "sale_below_threshold": (
        "Achat de {sale} centimes, sous le seuil de {threshold}.",
        "A sale of {sale} cents is below the threshold of {threshold}.",
    ),
    "nothing_to_grant": (
        "Un achat de {sale} centimes donne moins d'un centime.",
        "A sale of {sale} cents gives less than a cent.",
    ),
    "day_ceiling_reached": (
        "Ce titulaire a reçu {spent} centimes ce jour-là ; le plafond est de {ceiling}.",
        "This holder received {spent} cents that day; the ceiling is {ceiling}.",
    ),
    "budget_too_small": (
        "Il reste {available} centimes dans le budget, {asked} sont demandés : il en manque {missing}. "
        "L'entreprise peut verser au fonds ou relever son plafond.",
        "{available} cents are left in the budget and {asked} are asked: {missing} are missing. "
        "The company can pay the fund or raise its ceiling.",
    ),
    "refund_too_large": (
        "Remboursement de {asked} centimes refusé : il n'en reste que {left} à rembourser sur cet achat.",
        "A refund of {asked} cents is refused: only {left} of this purchase are not yet refunded.",
    ),
    "arrival_refused": ("Achat transmis trop tard ou mal daté.", "Purchase told too late, or of a wrong time."),
    "till_clock_wrong": (
        "L'horloge de la caisse s'écarte de {off_ms} ms (au plus {off_max_ms}). Rien n'est pris : réglez-la, "
        "puis faites examiner ces achats par une personne.",
        "The till's clock is off by {off_ms} ms (at most {off_max_ms}). Nothing is taken: set it right, "
        "then let a person look at these purchases.",
    ),
    "purchase_ahead": (
        "Achat daté dans l'avenir ({at}, reçu à {received_at}, avance admise {ahead_max_ms} ms). Réglez l'horloge.",
        "Purchase dated ahead of our time ({at}, received at {received_at}, {ahead_max_ms} ms allowed). Set the clock.",
    ),
    "purchase_too_old": (
        "Achat trop ancien ({at}, reçu à {received_at}, au plus {age_max_ms} ms). Faites-le examiner par une personne.",
        "Purchase too old ({at}, received at {received_at}, at most {age_max_ms} ms). Let a person look at it.",
    ),
    "credential_not_yet_issued": (
        "Achat ({at}) antérieur à la clé de cette caisse ({issued_at}).",
        "Purchase ({at}) made before this till's credential was issued ({issued_at}).",
    ),
    "credential_revoked": (
        "La clé de cette caisse a été retirée ({revoked_at}) ; achat de {at}, reçu à {received_at}. "
        "Demandez-en une autre à l'entreprise.",
        "This till's credential was revoked ({revoked_at}); purchase of {at}, received at {received_at}. "
        "Ask the company for another.",
    ),
    "credential_compromised": (
        "La clé de cette caisse a été déclarée perdue ou volée ({revoked_at}) : plus rien n'est pris d'elle, même "
        "daté d'avant ({at}). Faites examiner ces achats par une personne.",
        "This till's credential was reported lost or stolen ({revoked_at}): nothing more is taken from it, even of an "
        "earlier time ({at}). Let a person look at these purchases.",
    ),
    "arrived_after_campaign": (
        "L'opération est finie ({ended_at}) et l'achat arrive trop tard ({received_at}, délai {late_max_ms} ms).",
        "The campaign has ended ({ended_at}) and the purchase comes too late ({received_at}, {late_max_ms} ms allowed).",
    ),
    "ticket_forged": (
        "Ce ticket n'est pas authentique : {reason}. Gardez-le et montrez-le au commerçant.",
        "This ticket is not genuine: {reason}. Keep it and show it to the merchant.",
    ),
    "ticket_expired": (
        "Ce ticket était valable jusqu'au {expires_on} ; nous sommes le {day}.",
        "This ticket was valid until {expires_on}; today is {day}.",
    ),
    "operations_file_refused": (
        "Fichier refusé : {reason}. Rien n'en est pris.",
        "File refused: {reason}. Nothing of it is taken.",
    ),
    "operation_row_refused": ("Ligne refusée.", "Row refused."),
    "row_unreadable": ("Ligne illisible : {reason}. Corrigez-la.", "Unreadable row: {reason}. Correct it."),
    "operation_field_wrong": (
        "Colonne {column}, valeur {value} : {reason}. Corrigez-la.",
        "Column {column}, value {value}: {reason}. Correct it.",
    ),
    "operation_duplicate": (
        "L'identifiant {id} est déjà à la ligne {row}. Retirez l'une des deux, ou donnez un autre identifiant.",
        "Id {id} stands already in row {row}. Take one of the two away, or give another id.",
    ),
    "counterpart_too_large": (
        "Contreparties de {value} centimes pour {allowed} admis : {over} de trop. Au-delà, ce n'est plus un don.",
        "Counterparts of {value} cents where {allowed} are allowed: {over} too many. Beyond, it is no gift.",
    ),
    "coupon_rewards_gift": (
        "Un bon ne récompense pas un don : inscrivez-le comme contrepartie.",
        "A coupon does not reward a gift: enter it as a counterpart.",
    ),
    "coupon_not_valid": (
        "Ce bon vaut du {valid_from} au {valid_to} ; nous sommes le {day}.",
        "This coupon is valid from {valid_from} to {valid_to}; the day is {day}.",
    ),
    "company_unknown": (
        "Aucune entreprise n'a le SIREN {siren} ici : inscrivez-la d'abord.",
        "No company has SIREN {siren} here: enter it first.",
    ),
    "campaign_unknown": ("L'opération {campaign} n'existe pas.", "There is no campaign {campaign}."),
    "till_unknown": ("La caisse {till} n'existe pas.", "There is no till {till}."),
    "sale_unknown": (
        "Aucun achat {id} de cette caisse : transmettez l'achat d'abord.",
        "No purchase {id} of this till: tell the purchase first.",
    ),
    "run_unknown": ("Aucun traitement {id}.", "There is no run {id}."),
    "coupon_unknown": ("Aucun bon {id}.", "There is no coupon {id}."),
    "company_not_complete": (
        "L'entreprise ne peut pas encore donner ({field}) : {reason}. Complétez sa fiche.",
        "The company cannot give yet ({field}): {reason}. Complete its entry.",
    ),
    "campaign_opening": (
        "L'ouverture de l'opération {campaign} est déjà demandée : ses conditions ne changent plus.",
        "The opening of campaign {campaign} is already asked: its terms change no more.",
    ),
    "till_number_taken": (
        "L'entreprise a déjà une caisse {till} : prenez un autre numéro.",
        "The company has a till {till} already: take another number.",
    ),
    "not_in_force": (
        "Aucun paramètre « {what} » n'est en vigueur au {day}.",
        "No parameter “{what}” is in force on {day}.",
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
    "till_not_known": (
        "Clé de caisse absente ou inconnue : demandez-la à l'entreprise.",
        "No till's credential, or none that is known: ask the company for one.",
    ),
    "till_not_allowed": (
        "Cette clé ne suffit pas ; il faut : {needs}.",
        "This credential does not do; needed: {needs}.",
    ),
    "ticket_unknown": (
        "Ce ticket est authentique, mais le commerçant n'a pas encore transmis l'achat : réessayez demain.",
        "This ticket is genuine, but the shop has not told of the purchase yet: try again tomorrow.",
    ),
    "ticket_claimed": (
        "Ce ticket a déjà servi le {claimed_on}.",
        "This ticket was claimed already, on {claimed_on}.",
    ),
    "ticket_void": ("Ce ticket ne vaut plus rien : {reason}.", "This ticket is worth nothing any more: {reason}."),
    "ticket_not_claimable": (
        "Ce ticket ne peut pas être crédité : inconnu, périmé ou annulé. Vérifiez la date imprimée ; si la caisse était"
        " hors ligne, réessayez demain ; sinon, demandez au commerçant.",
        "This ticket cannot be claimed: unknown, over or void. Look at the date printed on it; if the till was offline,"
        " try again tomorrow; otherwise ask the shop.",
    ),
    "too_many_guesses": (
        "Trop de tickets refusés : attendez {retry_after_seconds} secondes.",
        "Too many tickets refused: wait {retry_after_seconds} seconds.",
    ),
    "operation_known": (
        "L'identifiant {id} a déjà été pris dans un fichier précédent. Retirez la ligne, ou donnez un autre identifiant.",
        "Id {id} was taken from an earlier file already. Take the row away, or give another id.",
    ),
    "run_mismatch": (
        "Ce n'est pas le fichier de ce traitement : {reason}. Rien n'a été fait.",
        "This is not the file of that run: {reason}. Nothing was done.",
    ),
    "projects_refused": ("La base des projets refuse cela.", "The projects' base refuses this."),
    "invalid_bearer": ("Porteur refusé ({field}) : {reason}.", "Bearer refused ({field}): {reason}."),
    "invalid_proof": ("Justificatif refusé ({field}) : {reason}.", "Proof refused ({field}): {reason}."),
    "invalid_sheet": ("Fiche refusée ({field}) : {reason}.", "Sheet refused ({field}): {reason}."),
    "invalid_member": ("Membre refusé ({field}) : {reason}.", "Member refused ({field}): {reason}."),
    "invalid_ballot": ("Bulletin ou vote refusé : {reason}.", "Ballot or vote refused: {reason}."),
    "invalid_draw": ("Tirage refusé ({field}) : {reason}.", "Drawing refused ({field}): {reason}."),
    "invalid_comment": ("Commentaire refusé : {reason}.", "Comment refused: {reason}."),
    "bearer_refused": (
        "Le fonds ne peut pas payer {bearer} : {reason}.",
        "The fund may not pay {bearer}: {reason}.",
    ),
    "bearer_is_company": (
        "{bearer} est une entreprise (catégorie {category}) : un fonds ne paie jamais une entreprise. "
        "Cherchez une association ou un organisme public qui porte le projet.",
        "{bearer} is a company (category {category}): a fund never pays a company. "
        "Find an association or a public body that carries the project.",
    ),
    "bearer_is_person": (
        "{bearer} est une personne (catégorie {category}) : un fonds ne paie jamais une personne. "
        "Cherchez une association ou un organisme public qui porte le projet.",
        "{bearer} is a person (category {category}): a fund never pays a person. "
        "Find an association or a public body that carries the project.",
    ),
    "category_not_eligible": (
        "La catégorie juridique {category} de {bearer} ne peut pas être payée : {reason}.",
        "The legal category {category} of {bearer} may not be paid: {reason}.",
    ),
    "eligibility_not_proven": (
        "L'éligibilité de {bearer} n'est pas prouvée : {reason}. Joignez un justificatif en cours de validité.",
        "The eligibility of {bearer} is not proven: {reason}. Add a proof that holds.",
    ),
    "project_step_refused": (
        "Un projet dans l'état {state} ne peut pas passer par là : {event}.",
        "A project in state {state} cannot go that way: {event}.",
    ),
    "edit_refused": (
        "Dans l'état {state}, la fiche ne se change plus ici : {field}.",
        "In state {state} the sheet is no longer changed here: {field}.",
    ),
    "reason_missing": (
        "Dites pourquoi, en quelques mots que chacun lira ({what}).",
        "Say why, in a few words that everybody will read ({what}).",
    ),
    "appeal_refused": ("Recours refusé : {reason}.", "Appeal refused: {reason}."),
    "committee_too_small": (
        "Le collège {college} compte {members} membres, il en faut {least} : complétez-le avant de voter.",
        "College {college} has {members} members and needs {least}: complete it before a vote.",
    ),
    "too_many_waiting": (
        "{most} {what} de ce compte attendent déjà d'être lus : patientez.",
        "{most} {what} of this account wait to be read already: have patience.",
    ),
    "vote_running": (
        "Un vote est déjà ouvert sur ce projet : {session}. Attendez qu'il soit clos.",
        "A vote on this project is open already: {session}. Wait until it is closed.",
    ),
    "vote_not_open": (
        "Ce vote n'est pas encore ouvert ({opens_at} ms).",
        "This vote is not open yet ({opens_at} ms).",
    ),
    "vote_closed": (
        "Ce vote est clos ({closed_at} ms) : votre bulletin n'est pas pris.",
        "This vote is closed ({closed_at} ms): your ballot is not taken.",
    ),
    "vote_still_open": (
        "Ce vote court encore ({closes_at} ms) : on ne compte qu'après.",
        "This vote still runs ({closes_at} ms): it is counted afterwards.",
    ),
    "already_voted": (
        "{member} a déjà voté : un bulletin remis ne se change pas.",
        "{member} has voted already: a ballot that was handed in does not change.",
    ),
    "has_conflict": (
        "{member} s'abstient sur ce projet : {reason}.",
        "{member} must abstain on this project: {reason}.",
    ),
    "not_seated": ("{member} ne siège pas : {reason}.", "{member} does not sit: {reason}."),
    "signature_refused": ("Signature de {signer} refusée : {reason}.", "Signature of {signer} refused: {reason}."),
    "invalid_attestation": (
        "Cette attestation ne peut pas être reçue ({field}) : {reason}.",
        "This attestation cannot be taken ({field}): {reason}.",
    ),
    "draw_step_refused": ("Tirage impossible : {reason}.", "Drawing not possible: {reason}."),
    "round_refused": ("Pas de conversion à présent : {reason}.", "No conversion now: {reason}."),
    "audit_not_ended": (
        "Un audit demandé n'est pas terminé (tranche {instalment}, 0 : l'ensemble ; état : {state} ; attendu le {due_on}) :"
        " la suite attend. S'il n'a plus d'auditeur, abandonnez-le et demandez un autre tirage.",
        "An audit that was asked for has not ended (instalment {instalment}, 0: the whole; state: {state}; due on {due_on}):"
        " what follows waits. If it has no auditor left, drop it and ask for another drawing.",
    ),
    "audit_required": (
        "Un audit par {auditors} auditeurs tirés au sort est exigé (tranche {instalment}, 0 : l'ensemble) : demandez-le.",
        "An audit by {auditors} drawn auditors is required (instalment {instalment}, 0: the whole): ask for it.",
    ),
    "not_funded_yet": ("Pas de fonds à qui l'adresser : {reason}.", "No fund to address it to: {reason}."),
    "due_not_paid": (
        "Rien à confirmer : ce paiement est dans l'état {state}.",
        "Nothing to confirm: this payment is in state {state}.",
    ),
    "invalid_audit": ("Audit refusé ({field}) : {reason}.", "Audit refused ({field}): {reason}."),
    "mission_step_refused": (
        "Une mission ou un audit dans l'état {state} ne peut pas passer par là : {event}.",
        "A mission or an audit in state {state} cannot go that way: {event}.",
    ),
    "not_enough_auditors": (
        "{found} auditeurs sans conflit sont disponibles, il en faut {needed} : attendez, ou inscrivez-en d'autres.",
        "{found} auditors without a conflict are there, {needed} are needed: wait, or let others join.",
    ),
    "auditor_unknown": ("Aucun auditeur {auditor} ici.", "No auditor {auditor} here."),
    "audit_unknown": ("Aucun audit {audit} ici.", "No audit {audit} here."),
    "mission_unknown": ("Aucune mission {mission} ici.", "No mission {mission} here."),
    "report_unknown": ("Aucun constat {report} ici.", "No report {report} here."),
    "project_unknown": ("Aucun projet {project} ici.", "No project {project} here."),
    "bearer_unknown": ("Aucun porteur {bearer} ici.", "No bearer {bearer} here."),
    "signer_unknown": ("Aucune clé {signer} en cours ici.", "No key {signer} in force here."),
    "session_unknown": ("Aucun vote {session} ici.", "No vote {session} here."),
    "draw_unknown": ("Aucun tirage {draw} ici.", "No drawing {draw} here."),
    "comment_unknown": ("Aucun commentaire {comment} ici.", "No comment {comment} here."),
    "file_unknown": ("Aucun fichier {digest} ici.", "No file {digest} here."),
    "proof_unknown": ("Aucun justificatif {proof} ici.", "No proof {proof} here."),
    "card_refused": (
        "Carte du territoire {territory} refusée : {reason}.",
        "Card of territory {territory} refused: {reason}.",
    ),
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
    "round_unknown": ("Aucune tranche {round} ici.", "No round {round} here."),
    "invalid_programme": ("Programme Sud refusé ({field}) : {reason}.", "South programme refused ({field}): {reason}."),
    "invalid_guide": ("Accompagnateur refusé ({field}) : {reason}.", "Guide refused ({field}): {reason}."),
    "south_refused": ("Refusé par une règle des programmes Sud.", "Refused by a rule of South programmes."),
    "programme_blocked": (
        "Ce programme Sud est bloqué : {reasons}. Rien n'est converti tant que cela manque.",
        "This South programme is blocked: {reasons}. Nothing is converted while that is missing.",
    ),
    "programme_stands": (
        "Cela ne change plus ({field}) : {reason}.",
        "That does not change any more ({field}): {reason}.",
    ),
    "report_refused": ("Compte rendu de terrain refusé : {reason}.", "Field report refused: {reason}."),
    "guide_step_refused": (
        "L'accréditation {guide} ne peut pas passer par là : {reason}.",
        "Accreditation {guide} cannot go that way: {reason}.",
    ),
    "programme_unknown": (
        "{project} n'est pas déclaré comme programme Sud.",
        "{project} is not declared a South programme.",
    ),
    "programme_partner_unknown": ("Aucun partenaire {partner} ici.", "No partner {partner} here."),
    "agreement_unknown": ("Aucune convention {agreement} ici.", "No agreement {agreement} here."),
    "guide_unknown": ("Aucun accompagnateur {guide} ici.", "No guide {guide} here."),
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
    "south_not_declared": (
        "Le projet est à l'étranger ({commune}) et n'est pas déclaré comme programme.",
        "The project is abroad ({commune}) and not declared a programme.",
    ),
    "south_purpose_not_eligible": (
        "Hors d'Europe, une action « {purpose} » n'ouvre pas droit à financement.",
        "Outside Europe an action of the kind “{purpose}” may not be paid for.",
    ),
    "south_bearer_missing": ("Il manque le porteur français.", "The French bearer is missing."),
    "south_bearer_not_eligible": (
        "Le porteur {bearer} ne peut pas être payé aujourd'hui : {reason}.",
        "The bearer {bearer} may not be paid today: {reason}.",
    ),
    "south_account_abroad": (
        "Le compte de {bearer} est hors de l'Espace économique européen ({country}).",
        "The account of {bearer} is outside the European Economic Area ({country}).",
    ),
    "south_partner_missing": ("Il manque un partenaire sur place.", "A partner there is missing."),
    "south_partner_proof_missing": (
        "Rien ne prouve ce qu'est le partenaire {partner}.",
        "Nothing shows what the partner {partner} is.",
    ),
    "south_partner_proof_over": (
        "Le justificatif de {partner} ne vaut plus depuis le {day}.",
        "The proof of {partner} has not held since {day}.",
    ),
    "south_agreement_missing": (
        "Il manque la convention de contrôle avec {partner}.",
        "The control agreement with {partner} is missing.",
    ),
    "south_agreement_not_begun": (
        "La convention de contrôle avec {partner} ne commence que le {day}.",
        "The control agreement with {partner} begins on {day} only.",
    ),
    "south_agreement_over": (
        "La convention de contrôle avec {partner} a pris fin le {day}.",
        "The control agreement with {partner} ended on {day}.",
    ),
    "south_clause_missing": (
        "La convention avec {partner} n'a pas toutes ses clauses : {clauses}.",
        "The agreement with {partner} lacks clauses: {clauses}.",
    ),
    "south_budget_missing": ("Il manque le budget, ligne par ligne.", "The budget, line by line, is missing."),
    "south_budget_differs": (
        "Le budget fait {planned} centimes, l'objectif {target}.",
        "The budget comes to {planned} cents, the target is {target}.",
    ),
    "south_clearance_missing": (
        "Deux personnes doivent déclarer avoir consulté les listes de sanctions pour {partner} ({signatures} signature).",
        "Two people must state that they looked at the sanctions lists for {partner} ({signatures} signature).",
    ),
    "south_clearance_hit": (
        "{partner} a été trouvé sur une liste de sanctions le {day}.",
        "{partner} was found on a sanctions list on {day}.",
    ),
    "south_clearance_old": (
        "Les listes de sanctions ont été consultées pour {partner} le {day} : c'est trop ancien.",
        "The sanctions lists were looked at for {partner} on {day}: that is too long ago.",
    ),
    "south_report_late": (
        "Aucun compte rendu de terrain depuis le {since} : il était dû le {day}.",
        "No field report since {since}: it was due on {day}.",
    ),
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
