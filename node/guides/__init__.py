"""Groups with a guide: somebody whom the committee accredited acts for a group's account, as long as its members consent.

Who is a guide? The projects' base says it, by key and term alone (`GuideAccredited`, `GuideEnded`), and hears nothing of
what the guide does. Who is in a group? Account numbers of this territory, entered by the office; no name, and no other
base knows them. Who consents? Each member by a key that is bound to his own account, or all together on paper that the
office keeps, with its digest here. A consent is dated, to one accreditation, and withdrawn at any time.

How does a guide act? By words signed with his own key (`acts`): direct rights, take back, cede, recall. The accounts verify
the signature, the term and the consent in the page that does it, so a withdrawal holds from the next act on. From the
moment a group has been declared, no other door moves its rights on, but the office's that takes back or recalls.

What stays when a guide goes? What was directed stays directed, until somebody takes it back; a cession on its way stays so
until it is recalled; nothing new is done. Another guide begins with new consent.

    values and rules   consents, acts
    refusals           errors
    service            service: GuideDesk; reading_service
    private            tables, store, parameters_store
    checks             every act again: signature, term, consent of that moment, and its effect; and the log of the projects' base
"""
