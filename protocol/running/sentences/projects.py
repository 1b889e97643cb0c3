"""What a refusal of the projects' base means, in French and in English. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PROJECTS: Final[Mapping[str, tuple[str, str]]] = {
    # code: (French, English)
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
    "withdrawn": ("Le projet a été retiré par son porteur.", "The project was withdrawn by its bearer."),
    "minimum_missed": ("Le projet n'a pas atteint son minimum.", "The project missed its minimum."),
    "audit_failed": ("L'audit du projet n'a pas été concluant.", "The audit of the project failed."),
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
