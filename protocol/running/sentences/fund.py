"""What a refusal of the fund and of its bank means, in French and in English. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FUND: Final[Mapping[str, tuple[str, str]]] = {
    # code: (French, English)
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
    "payment_order_refused": ("Ordre de paiement refusé : {reason}.", "Payment order refused: {reason}."),
}
