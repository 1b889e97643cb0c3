"""What a refusal of the companies' base means, in French and in English. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PARTNERS: Final[Mapping[str, tuple[str, str]]] = {
    # code: (French, English)
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
}
