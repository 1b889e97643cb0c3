"""What the projects' room refuses, as one tree. Pure.

Malformed
├── InvalidBearer            registry number, legal category, name, account
├── InvalidProof             a proof of eligibility or of an expense: day, kind, digest
├── InvalidSheet             a project's sheet: text, place, theme, sums, links
├── InvalidPicture           not a picture that is taken here, too large, or one that says where it was made
├── InvalidMember            college, title, term, key
├── InvalidBallot            unreadable, another grid, a refusal without its reason
├── InvalidDraw              list of candidates, seats, day, public number
├── InvalidAudit             what an auditor signs, or what is asked of auditors
└── InvalidComment           text
Refusal
└── ProjectsRefusal
    ├── BearerRefused        the law does not let a fund pay this body; one of:
    │   ├── BearerIsCompany, BearerIsPerson
    │   ├── CategoryNotEligible
    │   └── EligibilityNotProven     a proof is missing, or holds no more
    ├── ProjectStepRefused   not from this state
    ├── EditRefused          after validation: money, bearer and account stand; while a vote runs, all of it does
    ├── ReasonMissing        nobody is refused, withdrawn or hidden without a reason
    ├── AppealRefused        one appeal, in its time
    ├── VoteRunning, VoteNotOpen, VoteClosed, VoteStillOpen
    ├── CommitteeTooSmall    a college has fewer members than its minimum
    ├── TooManyWaiting       so much of one account waits to be looked at already
    ├── AlreadyVoted         another ballot of the same member
    ├── HasConflict, NotSeated       a member who must abstain, or whose term does not hold
    ├── SignatureRefused     not that person's, revoked, or of other words
    ├── InvalidAttestation     signed words of a bearer or a member that say too little or too much
    ├── DrawStepRefused      the number before the list, or twice
    ├── RoundRefused         nothing to convert yet, and why
    │   ├── AuditNotEnded        an audit that was asked for
    │   └── AuditRequired        one that nobody asked for yet
    ├── NotFundedYet         the accounts have not answered, or no fund's key is known
    ├── DueNotPaid           nothing to confirm
    ├── MissionStepRefused   an auditor's mission, or an audit, does not go that way
    ├── NotEnoughAuditors    too few in the register without a conflict
    └── ProjectUnknown, BearerUnknown, SignerUnknown, SessionUnknown, DrawUnknown, CommentUnknown, FileUnknown,
        ProofUnknown, RoundUnknown, AuditorUnknown, AuditUnknown, MissionUnknown, ReportUnknown

Facts are whole numbers and text: amounts in cents, days as yyyy-mm-dd, ids as they are written.
"""

from __future__ import annotations

from protocol.errors import Malformed, Refusal


class InvalidBearer(Malformed):
    """Facts: field, reason."""

    code = "invalid_bearer"


class InvalidProof(Malformed):
    """Facts: field, reason."""

    code = "invalid_proof"


class InvalidSheet(Malformed):
    """Facts: field, reason."""

    code = "invalid_sheet"


class InvalidPicture(Malformed):
    """Facts: reason."""

    code = "invalid_picture"


class InvalidMember(Malformed):
    """Facts: field, reason."""

    code = "invalid_member"


class InvalidBallot(Malformed):
    """Facts: reason."""

    code = "invalid_ballot"


class InvalidDraw(Malformed):
    """Facts: field, reason."""

    code = "invalid_draw"


class InvalidAudit(Malformed):
    """Facts: field, reason."""

    code = "invalid_audit"


class InvalidComment(Malformed):
    """Facts: reason."""

    code = "invalid_comment"


class ProjectsRefusal(Refusal):
    """Refused by a rule of the projects' room."""

    code = "projects_refused"


class BearerRefused(ProjectsRefusal):
    """Facts: bearer, reason."""

    code = "bearer_refused"


class BearerIsCompany(BearerRefused):
    """Facts: bearer, category."""

    code = "bearer_is_company"


class BearerIsPerson(BearerRefused):
    """Facts: bearer, category."""

    code = "bearer_is_person"


class CategoryNotEligible(BearerRefused):
    """Facts: bearer, category, reason."""

    code = "category_not_eligible"


class EligibilityNotProven(BearerRefused):
    """Facts: bearer, reason."""

    code = "eligibility_not_proven"


class ProjectStepRefused(ProjectsRefusal):
    """Facts: state, event."""

    code = "project_step_refused"


class EditRefused(ProjectsRefusal):
    """Facts: state, field."""

    code = "edit_refused"


class ReasonMissing(ProjectsRefusal):
    """Facts: what."""

    code = "reason_missing"


class AppealRefused(ProjectsRefusal):
    """Facts: reason."""

    code = "appeal_refused"


class CommitteeTooSmall(ProjectsRefusal):
    """Facts: college, members, least."""

    code = "committee_too_small"


class TooManyWaiting(ProjectsRefusal):
    """Facts: what, most."""

    code = "too_many_waiting"


class VoteRunning(ProjectsRefusal):
    """Facts: session."""

    code = "vote_running"


class VoteNotOpen(ProjectsRefusal):
    """Facts: opens_at (milliseconds)."""

    code = "vote_not_open"


class VoteClosed(ProjectsRefusal):
    """Facts: closed_at (milliseconds)."""

    code = "vote_closed"


class VoteStillOpen(ProjectsRefusal):
    """Facts: closes_at (milliseconds)."""

    code = "vote_still_open"


class AlreadyVoted(ProjectsRefusal):
    """Facts: member."""

    code = "already_voted"


class HasConflict(ProjectsRefusal):
    """Facts: member, reason."""

    code = "has_conflict"


class NotSeated(ProjectsRefusal):
    """Facts: member, reason."""

    code = "not_seated"


class SignatureRefused(ProjectsRefusal):
    """Facts: signer, reason."""

    code = "signature_refused"


class InvalidAttestation(ProjectsRefusal):
    """Facts: field, reason."""

    code = "invalid_attestation"


class DrawStepRefused(ProjectsRefusal):
    """Facts: reason."""

    code = "draw_step_refused"


class RoundRefused(ProjectsRefusal):
    """Facts: reason."""

    code = "round_refused"


class AuditNotEnded(RoundRefused):
    """Facts: reason, instalment (0: the whole), state (listed, called or exhausted), due_on."""

    code = "audit_not_ended"


class AuditRequired(RoundRefused):
    """Facts: reason, instalment (0: the whole), auditors."""

    code = "audit_required"


class NotFundedYet(ProjectsRefusal):
    """Facts: reason."""

    code = "not_funded_yet"


class DueNotPaid(ProjectsRefusal):
    """Facts: state."""

    code = "due_not_paid"


class ProjectUnknown(ProjectsRefusal):
    """Facts: project."""

    code = "project_unknown"


class BearerUnknown(ProjectsRefusal):
    """Facts: bearer."""

    code = "bearer_unknown"


class SignerUnknown(ProjectsRefusal):
    """Facts: signer."""

    code = "signer_unknown"


class SessionUnknown(ProjectsRefusal):
    """Facts: session."""

    code = "session_unknown"


class DrawUnknown(ProjectsRefusal):
    """Facts: draw."""

    code = "draw_unknown"


class CommentUnknown(ProjectsRefusal):
    """Facts: comment."""

    code = "comment_unknown"


class FileUnknown(ProjectsRefusal):
    """Facts: digest."""

    code = "file_unknown"


class ProofUnknown(ProjectsRefusal):
    """Facts: proof."""

    code = "proof_unknown"


class RoundUnknown(ProjectsRefusal):
    """Facts: round."""

    code = "round_unknown"


class MissionStepRefused(ProjectsRefusal):
    """Facts: state, event."""

    code = "mission_step_refused"


class NotEnoughAuditors(ProjectsRefusal):
    """Facts: found, needed."""

    code = "not_enough_auditors"


class AuditorUnknown(ProjectsRefusal):
    """Facts: auditor."""

    code = "auditor_unknown"


class AuditUnknown(ProjectsRefusal):
    """Facts: audit."""

    code = "audit_unknown"


class MissionUnknown(ProjectsRefusal):
    """Facts: mission."""

    code = "mission_unknown"


class ReportUnknown(ProjectsRefusal):
    """Facts: report."""

    code = "report_unknown"
