"""Passes judged by programs that are not ours: OpenVC, OpenBadgesLib, awr, and a JSON-LD processor.

- `openvc` (Luis González Fernández, LGPL): eddsa-jcs-2022, did:web, did:key, status lists, in one verifier. It takes VC-JWT
  in its older form only, with a `vc` claim, which Open Badges 3.0 has left;
- `openbadgeslib` (the same author, with Jesús Cea Avión, LGPL): Open Badges 3.0 as a VC-JWT, its structure, and baking;
- `awr` (others, MIT): eddsa-jcs-2022 again, from another hand;
- `pyld` with the public contexts that OpenBadgesLib carries: every name that we sign means something there.

1EdTech's own validator and its JSON schemas are not to be had as a package; the structure is what OpenBadgesLib reads.
Nothing is fetched: what would be is handed over by the tests.
"""

from __future__ import annotations

import base64
import copy
import datetime
import hashlib
import json
import zlib
from collections.abc import Iterator
from typing import Any, Final

import pytest
from awr import jcs as awr_jcs
from awr.didkey import parse_did_key
from awr.proof import verify_document_signature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from openbadgeslib import baking
from openbadgeslib.ob3.contexts import document_loader
from openbadgeslib.ob3.verifier import OB3VerificationError, OB3Verifier
from openvc.did.base import DidResolverRegistry
from openvc.did.did_key import DidKeyResolver
from openvc.did.did_web import DidWebResolver
from openvc.errors import OpenvcError
from openvc.status import CredentialRevoked, CredentialSuspended
from openvc.status.bitstring import decode_bitstring, get_status_bit
from openvc.verify import VerificationPolicy, verify_credential
from pyld import jsonld

from node.governance.passes.canonical_json import encode_json
from node.governance.passes.data_integrity import add_proof
from node.governance.passes.issuers import Issuer, place_of_document, write_did_document
from node.governance.passes.pass_pages import draw_pictures
from node.governance.passes.png_baking import bake_png, unbake_png
from node.governance.passes.status_lists import BITS, StatusPurpose, encode_list, place_of_list, write_list
from node.governance.passes.svg_baking import bake_svg, extract_svg
from node.governance.passes.web_tokens import write_token
from protocol.times import Instant
from tests.governance.pass_makers import AT, INDEX, ISSUER, KEY, NAMELESS, NODE, OTHER_KEY, make_document, make_issued

FOR_EVER: Final = Instant(253_402_300_799_000)
A_DAY_LATER: Final = Instant(AT + 86_400_000)  # over by now
LAST_DAY: Final = datetime.date(2026, 11, 25)
NOW: Final = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
TYPES: Final = ["VerifiableCredential", "AchievementCredential"]
PEM: Final = Ed25519PublicKey.from_public_bytes(KEY.public).public_bytes(
    Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
)
PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG: Final = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle r="4"/></svg>'
DIDS: Final = [place_of_document(NODE), write_did_document(NODE, [OTHER_KEY.public, KEY.public])]
TODAY: Final = Issuer(key=OTHER_KEY, name=ISSUER.name, node=NODE)

document: Final = make_document(make_issued(valid_until=None))
secured: Final = add_proof(document, ISSUER, at=AT)
token: Final = write_token(document, ISSUER)


def resolver() -> Any:
    def fetch(url: str) -> dict[str, Any]:
        assert url == DIDS[0]
        return copy.deepcopy(DIDS[1])

    return DidResolverRegistry([DidWebResolver(fetch), DidKeyResolver()])


def lists(
    issuer: Issuer = ISSUER, *, until: Instant = FOR_EVER, **set_bits: tuple[int, ...]
) -> dict[str, dict[str, Any]]:
    """Both lists by their address, without proof."""
    return {
        place_of_list(issuer, purpose, 1): write_list(issuer, purpose, 1, set_bits.get(purpose, ()), at=AT, until=until)
        for purpose in StatusPurpose
    }


def openvc_takes(
    credential: Any, *, issuer: Issuer = ISSUER, now: datetime.datetime = NOW, bent: Any = None, **set_bits: Any
) -> Any:
    """Let OpenVC verify it; `bent` changes each list after it was signed."""
    signed = {place: add_proof(one, issuer, at=AT) for place, one in lists(issuer, **set_bits).items()}

    def resolve(place: str) -> Any:
        shown = bent(copy.deepcopy(signed[place])) if bent else signed[place]
        return verify_credential(shown, resolver=resolver(), policy=VerificationPolicy(now=now)).credential

    return verify_credential(
        credential,
        resolver=resolver(),
        resolve_status_list=resolve,
        policy=VerificationPolicy(now=now, expected_types=TYPES),
    )


# ---------------------------------------------------------------- OpenVC: proof, DID, status


def test_openvc_verifies_a_pass_with_its_did_web_and_its_status_lists() -> None:
    told = openvc_takes(secured)
    assert told.issuer == "did:web:miles.brest.example"
    assert told.subject == document["credentialSubject"]["id"]


def test_openvc_verifies_a_pass_of_a_node_without_an_address_by_its_key_alone() -> None:
    own = add_proof(make_document(make_issued(valid_until=None), issuer=NAMELESS), NAMELESS, at=AT)
    assert openvc_takes(own, issuer=NAMELESS).issuer == f"did:key:{KEY.multikey}"


@pytest.mark.parametrize("purpose", list(StatusPurpose))
def test_openvc_sees_a_pass_revoked_or_suspended_and_not_its_neighbours(purpose: StatusPurpose) -> None:
    openvc_takes(secured, **{purpose: (INDEX - 1, INDEX + 1)})
    with pytest.raises(CredentialRevoked if purpose is StatusPurpose.REVOCATION else CredentialSuspended):
        openvc_takes(secured, **{purpose: (INDEX,)})


def leaves(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        for name, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(one, (*way, name))
    else:
        yield way


def test_openvc_refuses_a_pass_of_which_any_value_was_changed() -> None:
    for way in leaves(secured):
        altered = copy.deepcopy(secured)
        place = altered
        for name in way[:-1]:
            place = place[name]
        place[way[-1]] = "another" if place[way[-1]] != "another" else "other"
        with pytest.raises(OpenvcError):
            openvc_takes(altered)


def test_openvc_refuses_a_pass_signed_by_a_key_that_the_document_does_not_list() -> None:
    forged = add_proof(document, Issuer(key=type(KEY)(b"nobody's seed, of 32 bytes long."), name="x", node=NODE), at=AT)
    with pytest.raises(OpenvcError):
        openvc_takes(forged)


def test_openvc_refuses_a_pass_after_its_last_day_and_before_its_first() -> None:
    ends = add_proof(make_document(make_issued(valid_until=LAST_DAY)), ISSUER, at=AT)
    assert openvc_takes(ends).subject == document["credentialSubject"]["id"]
    openvc_takes(ends, now=datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.UTC))
    for day in (
        datetime.datetime(2026, 11, 27, tzinfo=datetime.UTC),
        datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC),
    ):
        with pytest.raises(OpenvcError, match=r"(?i)valid|expire"):
            openvc_takes(ends, now=day)


def bare(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name != "proof"}


def bend_bit(shown: dict[str, Any]) -> dict[str, Any]:
    """Somebody who serves the list takes a revocation out of it."""
    shown["credentialSubject"]["encodedList"] = encode_list(())
    return shown


@pytest.mark.parametrize(
    "bent",
    [
        bend_bit,
        lambda shown: {**shown, "validUntil": "2036-01-01T00:00:00Z"},
        lambda shown: bare(shown),
        lambda shown: {**shown, "proof": {**shown["proof"], "proofValue": secured["proof"]["proofValue"]}},
        lambda shown: add_proof({**bare(shown), "issuer": "did:web:else.example"}, ISSUER, at=AT),
    ],
    ids=["a bit", "its last day", "no proof", "another's proof", "another's list"],
)
def test_openvc_believes_no_list_that_was_altered(bent: Any) -> None:
    with pytest.raises(Exception) as refusal:
        openvc_takes(secured, bent=bent, revocation=(INDEX,))
    assert not isinstance(refusal.value, KeyError | AttributeError | TypeError)


# ---------------------------------------------------------------- awr: the same proof from another hand


def test_awr_verifies_the_proof_and_reads_the_key_of_the_did() -> None:
    assert verify_document_signature(secured, secured["proof"], KEY.public)
    assert not verify_document_signature(secured, secured["proof"], OTHER_KEY.public)
    assert not verify_document_signature({**secured, "name": "x"}, secured["proof"], KEY.public)
    assert parse_did_key(NAMELESS.did) == KEY.public


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=30, deadline=None)
@given(values)
def test_our_canonical_json_is_that_of_awr(value: Any) -> None:
    assert encode_json(value) == awr_jcs.canonicalize(value)


# ---------------------------------------------------------------- OpenBadgesLib: an Open Badge 3.0, baked


def badges_verifier() -> OB3Verifier:
    return OB3Verifier.for_issuer_did(ISSUER.did, download=lambda url: json.dumps(dict([DIDS])[url]).encode())


def lists_as_tokens(*, issuer: Issuer = TODAY, until: Instant = FOR_EVER, **set_bits: tuple[int, ...]) -> Any:
    """Signed by today's key, the first of the document: the pass was signed by an older one."""
    told = lists(until=until, **set_bits)
    signed = {place: write_token(one, issuer).encode() for place, one in told.items()}
    return signed.__getitem__


def test_openbadgeslib_takes_it_as_an_open_badge_with_its_status() -> None:
    badge = badges_verifier().verify(token, check_status=True, download=lists_as_tokens())
    assert badge.achievement.achievement_type == "CommunityService"
    assert [one.target_framework for one in badge.achievement.alignments] == ["ESCO 1.1", "ROME 4.0"]
    assert [one.value for one in badge.results] == ["PT95H30M", "PT210H"]
    assert badge.recipient_id == document["credentialSubject"]["id"]


@pytest.mark.parametrize("purpose", list(StatusPurpose))
def test_openbadgeslib_sees_it_revoked_or_suspended(purpose: StatusPurpose) -> None:
    with pytest.raises(OB3VerificationError, match=purpose):
        badges_verifier().verify(token, check_status=True, download=lists_as_tokens(**{purpose: (INDEX,)}))


def test_openbadgeslib_refuses_an_altered_token_and_another_key() -> None:
    header, payload, signature = token.split(".")
    other = write_token({**document, "name": "x"}, ISSUER).split(".")
    for shown in (f"{header}.{other[1]}.{signature}", f"{header}.{payload}.{other[2]}", f"{header}.{payload}."):
        with pytest.raises(OB3VerificationError):
            badges_verifier().verify(shown)
    with pytest.raises(OB3VerificationError):
        badges_verifier().verify(write_token(document, Issuer(key=OTHER_KEY, name="x")))
    OB3Verifier(PEM).verify(token)


def test_openbadgeslib_refuses_a_pass_after_its_last_day() -> None:
    ends = write_token(make_document(make_issued(valid_until=LAST_DAY)), ISSUER)
    with pytest.raises(OB3VerificationError, match="expired"):
        badges_verifier().verify(ends)


def test_openbadgeslib_believes_no_list_that_is_old_altered_or_another_s() -> None:
    good = lists_as_tokens(revocation=(INDEX,))

    def bent(place: str) -> bytes:
        header, _, signature = good(place).decode().split(".")
        return f"{header}.{lists_as_tokens()(place).decode().split('.')[1]}.{signature}".encode()

    stranger = Issuer(key=type(KEY)(b"nobody's seed, of 32 bytes long."), name="x", node=NODE)
    for download in (lists_as_tokens(until=A_DAY_LATER), bent, lists_as_tokens(issuer=stranger)):
        with pytest.raises(OB3VerificationError):
            badges_verifier().verify(token, check_status=True, download=download)


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Return the chunks of a PNG, their sums looked at: read by hand, with nothing of ours."""
    at, found = 8, []
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        body = png[at + 4 : at + 8 + size]
        assert zlib.crc32(body) == int.from_bytes(png[at + 8 + size : at + 12 + size], "big")
        found.append((body[:4], body[4:]))
        at += 12 + size
    return found


def test_what_is_in_the_picture_that_we_draw_is_read_by_others() -> None:
    """OpenBadgesLib takes the pass out of the PNG and believes it, OpenVC believes that in the SVG."""
    issued = make_issued(valid_until=None)
    pictures = draw_pictures(issued, issuer=ISSUER)
    told = make_document(issued, pictures=pictures)
    shown = write_token(told, ISSUER)
    baked = bake_png(pictures["image/png"], shown)
    seen = [one for one in chunks(baked) if one[0] != b"iTXt"]
    assert seen == chunks(pictures["image/png"]), "nothing that is seen has changed"
    taken = baking.extract_png(baked, keyword=baking.ITXT_KEYWORD_OB3)
    badge = badges_verifier().verify(taken, check_status=True, download=lists_as_tokens())
    assert badge.recipient_id == told["credentialSubject"]["id"]
    digests = {one["mediaType"]: one["digestSRI"] for one in told["relatedResource"]}
    of_png = base64.b64encode(hashlib.sha256(pictures["image/png"]).digest()).decode()
    assert digests["image/png"] == f"sha256-{of_png}", "the pass says which picture is its own"
    secured_too = add_proof(told, ISSUER, at=AT)
    in_svg = baking.extract_svg(
        bake_svg(pictures["image/svg+xml"], encode_json(secured_too).decode()),
        element=baking.SVG_ELEMENT_OB3,
        text_fallback=True,
    )
    assert openvc_takes(json.loads(in_svg)).subject == told["credentialSubject"]["id"]


@pytest.mark.parametrize("credential", [token, encode_json(secured).decode()], ids=["token", "JSON"])
def test_openbadgeslib_takes_out_what_we_bake_and_we_what_it_bakes(credential: str) -> None:
    assert baking.extract_png(bake_png(PNG, credential), keyword=baking.ITXT_KEYWORD_OB3) == credential
    theirs = baking.bake_png(PNG, credential, keyword=baking.ITXT_KEYWORD_OB3)
    assert unbake_png(theirs) == (PNG, credential)
    names = {"element": baking.SVG_ELEMENT_OB3, "namespace": baking.SVG_NS_OB3}
    assert (
        baking.extract_svg(bake_svg(SVG, credential), element=baking.SVG_ELEMENT_OB3, text_fallback=True) == credential
    )
    assert extract_svg(baking.bake_svg(SVG, credential, as_text=credential.startswith("{"), **names)) == credential


# ---------------------------------------------------------------- JSON-LD: every name means something


def expand(shown: Any) -> Any:
    return jsonld.expand(shown, {"documentLoader": document_loader()})


def names_in(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from names_in(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if not name.startswith("@"):
                yield name
            yield from names_in(one)


def count_names(value: Any) -> int:
    """All names in a document but @context, id and type."""
    if isinstance(value, list):
        return sum(count_names(one) for one in value)
    if not isinstance(value, dict):
        return 0
    return sum((name not in {"id", "type"}) + count_names(one) for name, one in value.items() if name != "@context")


@pytest.mark.parametrize("shown", [document, lists()[place_of_list(ISSUER, StatusPurpose.REVOCATION, 1)]])
def test_every_name_that_we_sign_is_defined_by_the_public_contexts(shown: dict[str, Any]) -> None:
    expanded = list(names_in(expand(shown)))
    assert all(name.startswith("https://") for name in expanded)
    assert len(expanded) == count_names(shown)


def test_a_name_that_no_context_defines_is_seen() -> None:
    unknown = {**document, "hoursOfWork": 12}
    assert len(list(names_in(expand(unknown)))) == count_names(unknown) - 1


# ---------------------------------------------------------------- status lists, bit by bit


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, BITS - 1), max_size=60))
def test_a_list_says_of_each_index_what_was_set(indices: set[int]) -> None:
    bits = decode_bitstring(encode_list(indices))
    assert {index for index in indices if get_status_bit(bits, index)} == indices
    assert sum(byte.bit_count() for byte in bits) == len(indices)
    assert len(bits) * 8 == BITS
