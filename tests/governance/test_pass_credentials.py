"""Credentials and pictures: what is genuine is taken, and nothing else; what they tell of the holder, and what not."""

from __future__ import annotations

import base64
import dataclasses
import json
import zlib
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.governance.passes.canonical_json import decode_json, encode_json
from node.governance.passes.credentials import PNG, SVG, write_duration, write_hours
from node.governance.passes.data_integrity import add_proof
from node.governance.passes.errors import (
    CredentialForged,
    InvalidBadge,
    InvalidCredential,
    IssuerUnknown,
    PictureAltered,
)
from node.governance.passes.holders import Holder
from node.governance.passes.issuers import (
    Issuer,
    place_of_document,
    read_method,
    require_node,
    write_did_document,
    write_did_web,
)
from node.governance.passes.multibase import decode_base58, decode_base64url, encode_base58, encode_base64url
from node.governance.passes.pass_proofs import is_pass_proven, make_pass_proof, parse_pass_proof
from node.governance.passes.png_baking import SIGNATURE, bake_png, unbake_png
from node.governance.passes.status_lists import (
    BITS,
    StatusPurpose,
    decode_list,
    draw_index,
    encode_list,
    is_set,
    write_list,
)
from node.governance.passes.svg_baking import bake_svg, extract_svg, unbake_svg
from node.governance.passes.verification import (
    Standing,
    judge,
    verify_credential,
    verify_list,
    verify_picture,
)
from node.governance.passes.web_tokens import write_token
from protocol.errors import Malformed, Refusal
from protocol.identifiers import Id16
from protocol.keys import sign_plain
from protocol.times import DAY_MS, Instant
from tests.governance.pass_makers import (
    ACCOUNT,
    AT,
    INDEX,
    ISSUER,
    KEY,
    KNOWN,
    NAMELESS,
    NODE,
    OTHER_KEY,
    SECRET,
    make_document,
    make_issued,
    make_pass,
)

SMALL_PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SMALL_SVG: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>é</title><circle r="4"/></svg>'.encode()
)
DOCUMENT: Final = make_document(pictures={PNG: SMALL_PNG, SVG: SMALL_SVG})
JSON: Final = encode_json(add_proof(DOCUMENT, ISSUER, at=AT)).decode()
TOKEN: Final = write_token(DOCUMENT, ISSUER)
STRIDE: Final = 29  # every byte of both forms, tried once, took half a minute
LATER: Final = Instant(AT + 30 * DAY_MS)
UNTIL: Final = Instant(AT + 40 * DAY_MS)


def test_both_forms_are_taken_and_say_the_same() -> None:
    told = [verify_credential(form, KNOWN) for form in (JSON, TOKEN, f"\n{JSON}\n")]
    assert {one.id for one in told} == {f"{NODE}/passes/0192aabb-ccdd-7eff-8011-223344556677"}
    assert all(one.document == DOCUMENT for one in told)
    assert [place.index for place in told[0].places] == [INDEX, INDEX]


def test_the_same_pass_gives_the_same_bytes() -> None:
    again = make_document(make_issued(), pictures={PNG: SMALL_PNG, SVG: SMALL_SVG})
    assert encode_json(add_proof(again, ISSUER, at=AT)).decode() == JSON
    assert write_token(again, ISSUER) == TOKEN


@pytest.mark.parametrize("form", [JSON, TOKEN], ids=["JSON", "token"])
def test_any_byte_changed_in_a_credential_is_found(form: str) -> None:
    shown = form.encode()
    for place in range(0, len(shown), STRIDE):
        altered = shown[:place] + bytes([shown[place] ^ 1]) + shown[place + 1 :]
        with pytest.raises(Refusal):
            verify_credential(altered.decode(errors="surrogateescape"), KNOWN)


def test_a_proof_is_not_moved_to_another_document_and_options_cannot_change() -> None:
    secured = json.loads(JSON)
    for name, value in {
        "created": "2026-11-21T08:15:01Z",
        "proofPurpose": "authentication",
        "cryptosuite": "eddsa-rdfc-2022",
        "verificationMethod": f"{ISSUER.did}#{OTHER_KEY.multikey}",
    }.items():
        with pytest.raises((CredentialForged, InvalidCredential)):
            verify_credential(json.dumps({**secured, "proof": {**secured["proof"], name: value}}), KNOWN)
    with pytest.raises(CredentialForged):
        verify_credential(json.dumps({**secured, "name": "Another"}), KNOWN)
    with pytest.raises(InvalidCredential):
        verify_credential(json.dumps({**secured, "proof": [secured["proof"]]}), KNOWN)
    with pytest.raises(InvalidCredential):
        verify_credential(json.dumps(DOCUMENT), KNOWN)


def test_a_genuine_credential_of_somebody_else_is_refused_as_such() -> None:
    for issuer in (
        Issuer(key=OTHER_KEY, name="x", node=NODE),  # our name, a key that we do not list
        Issuer(key=KEY, name="x", node="https://elsewhere.example"),
        NAMELESS,
    ):
        document = make_document(issuer=issuer)
        for form in (encode_json(add_proof(document, issuer, at=AT)).decode(), write_token(document, issuer)):
            with pytest.raises(IssuerUnknown):
                verify_credential(form, KNOWN)
    # Signed by itself, and told to be by us.
    borrowed = make_document(issuer=ISSUER)
    for form in (encode_json(add_proof(borrowed, NAMELESS, at=AT)).decode(), write_token(borrowed, NAMELESS)):
        with pytest.raises(IssuerUnknown):
            verify_credential(form, {**KNOWN, NAMELESS.did: [KEY.public]})


def test_a_token_says_nothing_beside_its_credential() -> None:
    header, payload, _ = TOKEN.split(".")
    for claims in ({"exp": 4_000_000_000}, {"sub": "did:key:z6Mk"}, {"iss": "did:web:elsewhere.example"}, {"nbf": 1}):
        said = {**decode_json(decode_base64url(payload)), **claims}
        forged = f"{header}.{encode_base64url(encode_json(said))}"
        with pytest.raises(InvalidCredential):
            verify_credential(f"{forged}.{encode_base64url(sign_plain(KEY.seed, forged.encode()))}", KNOWN)
    for other in ({"alg": "none"}, {"alg": "EdDSA", "kid": ISSUER.method, "typ": "JWT", "jwk": {}}):
        forged = f"{encode_base64url(encode_json(other))}.{payload}."
        with pytest.raises(InvalidCredential):
            verify_credential(forged, KNOWN)


def test_nobody_is_named_and_two_passes_of_one_account_have_no_word_in_common() -> None:
    def subject_of(issued: Any) -> dict[str, Any]:
        return dict(make_document(issued)["credentialSubject"])

    first = subject_of(make_issued())
    second = subject_of(make_issued(id=Id16(b"another request.")))
    assert ACCOUNT not in JSON
    assert first["identifier"][0]["identityHash"] != second["identifier"][0]["identityHash"]
    assert first["identifier"][0]["salt"] != second["identifier"][0]["salt"]
    own = subject_of(make_issued(holder=Holder(account=ACCOUNT, did="did:key:z6MkholdersOwn")))
    assert own["id"] == "did:key:z6MkholdersOwn"
    assert "identifier" not in own


def test_a_groups_pass_tells_how_many_and_no_name_of_theirs() -> None:
    group = make_document(make_issued(holder=Holder(account=ACCOUNT, people=24, label="CM2 de Kerinou")))
    results = {
        one["resultDescription"].rpartition("#")[2]: one["value"] for one in group["credentialSubject"]["result"]
    }
    assert results == {"hours-2025": "PT95H30M", "hours-2026": "PT210H", "people": "24"}
    assert "24 personnes" in group["description"]


def test_what_was_not_issued_has_no_credential() -> None:
    with pytest.raises(ValueError, match="not issued"):
        make_document(make_pass())


@pytest.mark.parametrize(
    ("minutes", "iso", "told"), [(1, "PT1M", "0 h 01"), (60, "PT1H", "1 h"), (750, "PT12H30M", "12 h 30")]
)
def test_hours_are_written_exactly(minutes: int, iso: str, told: str) -> None:
    assert write_duration(minutes) == iso
    assert write_hours(minutes).replace("\u00a0", " ") == told


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("form", [JSON, TOKEN], ids=["JSON", "token"])
def test_a_baked_picture_is_taken_and_gives_back_both(form: str) -> None:
    for bake, unbake, plain in ((bake_png, unbake_png, SMALL_PNG), (bake_svg, unbake_svg, SMALL_SVG)):
        baked = bake(plain, form)
        assert unbake(baked) == (plain, form)
        assert verify_picture(baked, KNOWN).document == DOCUMENT
        with pytest.raises(InvalidBadge):
            bake(baked, form)


@pytest.mark.parametrize("bake", [bake_png, bake_svg])
@pytest.mark.parametrize("form", [JSON, TOKEN], ids=["JSON", "token"])
def test_any_byte_changed_in_a_baked_picture_is_found(bake: Any, form: str) -> None:
    baked = bake(SMALL_PNG if bake is bake_png else SMALL_SVG, form)
    for place in range(0, len(baked), 1 if bake is bake_png else STRIDE):
        altered = baked[:place] + bytes([baked[place] ^ (1, 32)[place % 2]]) + baked[place + 1 :]
        with pytest.raises(Refusal):
            verify_picture(altered, KNOWN)


def mend_checks(png: bytes) -> bytes:
    """The same chunks, each with the check that fits it."""
    at, mended = 8, SIGNATURE
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        said = png[at + 4 : at + 8 + length]
        mended += png[at : at + 4] + said + zlib.crc32(said).to_bytes(4, "big")
        at += 12 + length
    return mended


def test_another_picture_around_a_genuine_credential_is_found_though_its_checks_fit() -> None:
    baked = bake_png(SMALL_PNG, TOKEN)
    data_at = baked.index(b"IDAT") + 6
    altered = mend_checks(baked[:data_at] + bytes([baked[data_at] ^ 1]) + baked[data_at + 1 :])
    assert unbake_png(altered)[1] == TOKEN
    with pytest.raises(PictureAltered):
        verify_picture(altered, KNOWN)
    with pytest.raises(PictureAltered):
        verify_picture(bake_svg(SMALL_SVG.replace(b'"4"', b'"3"'), JSON), KNOWN)


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


@st.composite
def pngs(draw: st.DrawFn) -> bytes:
    middle = st.lists(
        st.tuples(st.sampled_from([b"IDAT", b"tEXt", b"iTXt", b"zzZz"]), st.binary(max_size=40)), max_size=6
    )
    # Hypothesis draws the words of our own sources too: a picture that carries one already is another test.
    kept = [chunk(*one) for one in draw(middle) if one[1].partition(b"\0")[0] != b"openbadgecredential"]
    return SIGNATURE + chunk(b"IHDR", bytes(13)) + b"".join(kept) + chunk(b"IEND", b"")


@settings(max_examples=60, deadline=None)
@given(pngs(), texts)
def test_unbaking_a_png_gives_back_what_was_baked(picture: bytes, credential: str) -> None:
    assert unbake_png(bake_png(picture, credential)) == (picture, credential)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["", "<?xml version='1.0'?>\n", "<!-- <svg> -->"]), texts, st.sampled_from(["]]>", "<x>&", ""]))
def test_unbaking_an_svg_gives_back_what_was_baked(before: str, words: str, hard: str) -> None:
    title = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("openbadges:", "")
    picture = f'{before}<svg xmlns="http://www.w3.org/2000/svg"\n width="9"><desc>{title}</desc></svg>'.encode()
    for credential in (encode_json({"a": words + hard}).decode(), "aa.bb-_.cc"):
        try:
            baked = bake_svg(picture, credential)
        except InvalidBadge:  # no XML has these two, and a root that is only a comment is none
            assert "<!--" in before or {"\ufffe", "\uffff"} & set(words)
            continue
        assert unbake_svg(baked) == (picture, credential)
        assert extract_svg(baked) == credential


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"GIF89a",
        SIGNATURE,
        SMALL_PNG,
        SMALL_PNG[:-1],
        SMALL_PNG + b"x",
        bake_png(SMALL_PNG, TOKEN)[:-12],
        # Two credentials, one compressed, one in a language.
        SIGNATURE
        + chunk(b"IHDR", bytes(13))
        + chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0a") * 2
        + chunk(b"IEND", b""),
        SIGNATURE + chunk(b"IHDR", bytes(13)) + chunk(b"iTXt", b"openbadgecredential\0\1\0\0\0a") + chunk(b"IEND", b""),
        SIGNATURE
        + chunk(b"IHDR", bytes(13))
        + chunk(b"iTXt", b"openbadgecredential\0\0\0fr\0\0a")
        + chunk(b"IEND", b""),
        SIGNATURE
        + chunk(b"IHDR", bytes(13)) * 2
        + chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0a")
        + chunk(b"IEND", b""),
        SMALL_SVG,
        b"<svg/>",
        b"<!DOCTYPE svg [<!ENTITY a 'b'>]>" + bake_svg(SMALL_SVG, TOKEN),
        bake_svg(SMALL_SVG, TOKEN).decode().replace("é", "e").encode("utf-16"),
        bake_svg(SMALL_SVG, TOKEN).replace(b"</svg>", b'<openbadges:credential verify="a"/></svg>'),
        bake_svg(SMALL_SVG, TOKEN)
        .replace(b"<title>", b"<g>" * 80 + b"<title>")
        .replace(b"</title>", b"</title>" + b"</g>" * 80),
    ],
)
def test_a_picture_that_carries_no_credential_as_the_standard_says_is_refused(picture: bytes) -> None:
    with pytest.raises(InvalidBadge):
        verify_picture(picture, KNOWN)


def test_what_is_too_long_is_not_read() -> None:
    for big in (SMALL_PNG + bytes(2_000_000), SMALL_SVG + b" " * 2_000_000):
        with pytest.raises(InvalidBadge):
            verify_picture(big, KNOWN)
    for text in ("{" + " " * 70_000 + "}", "a" * 140_000, "[" * 60_000, '{"a":' * 5_000 + "1" + "}" * 5_000):
        with pytest.raises(InvalidCredential):
            verify_credential(text, KNOWN)


# ---------------------------------------------------------------- status


def lists_of(*, at: Instant = AT, until: Instant = UNTIL, **bits: tuple[int, ...]) -> dict[str, Any]:
    told = {}
    for purpose in StatusPurpose:
        document = write_list(ISSUER, purpose, 1, bits.get(purpose, ()), at=at, until=until)
        genuine = verify_list(encode_json(add_proof(document, ISSUER, at=at)).decode(), KNOWN)
        assert verify_list(write_token(document, ISSUER), KNOWN) == genuine
        told[genuine.id] = genuine
    return told


def test_where_a_pass_stands() -> None:
    genuine = verify_credential(JSON, KNOWN)
    for bits, standing in (
        ({}, Standing.GOOD),
        ({"revocation": (INDEX - 1, INDEX + 1)}, Standing.GOOD),
        ({"suspension": (INDEX,)}, Standing.SUSPENDED),
        ({"revocation": (INDEX,)}, Standing.REVOKED),
        ({"revocation": (INDEX,), "suspension": (INDEX,)}, Standing.REVOKED),
    ):
        assert judge(genuine, lists_of(**bits), now=LATER) is standing
    assert judge(genuine, {}, now=LATER) is Standing.UNKNOWN
    assert judge(genuine, lists_of(until=Instant(LATER - 1)), now=LATER) is Standing.UNKNOWN
    assert judge(genuine, lists_of(at=Instant(LATER + 1_000)), now=LATER) is Standing.UNKNOWN
    assert judge(genuine, lists_of(), now=Instant(genuine.valid_from - 1)) is Standing.NOT_YET
    assert genuine.valid_until is not None
    forever = lists_of(until=Instant(253_402_300_799_000))
    assert judge(genuine, forever, now=genuine.valid_until) is Standing.GOOD
    assert judge(genuine, forever, now=Instant(genuine.valid_until + 1)) is Standing.EXPIRED


def test_a_list_of_another_issuer_or_purpose_says_nothing() -> None:
    genuine = verify_credential(JSON, KNOWN)
    told = lists_of()
    revocation, suspension = told.values()
    swapped = {revocation.id: dataclasses.replace(suspension, id=revocation.id), suspension.id: suspension}
    assert judge(genuine, swapped, now=LATER) is Standing.UNKNOWN
    other = {name: dataclasses.replace(one, issuer="did:web:elsewhere.example") for name, one in told.items()}
    assert judge(genuine, other, now=LATER) is Standing.UNKNOWN


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(0, BITS - 1), max_size=40))
def test_a_list_tells_of_each_index_what_was_set(indices: set[int]) -> None:
    bits = decode_list(encode_list(indices))
    around = {index + step for index in indices for step in (-1, 0, 1)} & set(range(BITS))
    assert {index for index in around if is_set(bits, index)} == indices
    assert sum(byte.bit_count() for byte in bits) == len(indices)


def test_the_first_bit_is_the_highest_of_the_first_byte() -> None:
    assert decode_list(encode_list([0]))[0] == 0x80
    assert decode_list(encode_list([7]))[0] == 0x01
    assert decode_list(encode_list([8]))[1] == 0x80
    assert decode_list(encode_list([BITS - 1]))[-1] == 0x01
    for index in (-1, BITS):
        with pytest.raises(ValueError, match="no place"):
            encode_list([index])
        with pytest.raises(InvalidCredential):
            is_set(bytes(BITS // 8), index)


def test_a_place_is_found_again_and_is_never_one_that_is_taken() -> None:
    first = draw_index(SECRET, Id16(b"one request, 16."), 1, set())
    assert draw_index(SECRET, Id16(b"one request, 16."), 1, set()) == first
    assert draw_index(SECRET, Id16(b"one request, 16."), 1, {first}) != first
    drawn: set[int] = set()
    for number in range(500):
        drawn.add(draw_index(SECRET, Id16(number.to_bytes(16, "big")), 1, drawn))
    assert len(drawn) == 500
    assert max(drawn) > BITS // 2 > min(drawn)


# ---------------------------------------------------------------- names, keys, texts


def test_an_address_is_a_did_and_its_document_lists_the_keys() -> None:
    assert write_did_web("https://a.example:8443/miles/brest") == "did:web:a.example%3A8443:miles:brest"
    assert place_of_document("https://a.example/miles") == "https://a.example/miles/did.json"
    assert place_of_document("https://a.example") == "https://a.example/.well-known/did.json"
    document = write_did_document(NODE, [OTHER_KEY.public, KEY.public])
    keys = {read_method(one["id"])[1]: one["publicKeyMultibase"] for one in document["verificationMethod"]}
    assert keys == {OTHER_KEY.public: OTHER_KEY.multikey, KEY.public: KEY.multikey}
    assert document["assertionMethod"] == [one["id"] for one in document["verificationMethod"]]


@pytest.mark.parametrize(
    "node",
    [
        "http://a.example",
        "https://A.example",
        "https://a.example/",
        "https://a.example?x",
        "https://",
        1,
        "https://a.example#x",
    ],
)
def test_a_node_is_named_by_https_in_one_writing(node: Any) -> None:
    with pytest.raises(Malformed):
        require_node(node)


def test_a_key_that_anybody_can_sign_for_is_refused() -> None:
    for weak in (bytes(32), b"\1" + bytes(31), bytes.fromhex("ec" + "ff" * 30 + "7f")):
        method = "did:key:" + encode_base58(b"\xed\x01" + weak)
        issuer_of = make_document(issuer=NAMELESS)
        said = {**issuer_of, "issuer": {"id": method}}
        proof = {**json.loads(JSON)["proof"], "verificationMethod": f"{method}#{method.removeprefix('did:key:')}"}
        proof["proofValue"] = encode_base58(weak + bytes(32))
        with pytest.raises(Refusal):
            verify_credential(json.dumps({**said, "proof": proof}), {method: [weak]})


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=64))
def test_bytes_have_one_writing_in_each_base(data: bytes) -> None:
    assert decode_base58(encode_base58(data)) == data
    assert decode_base64url(encode_base64url(data)) == data


@pytest.mark.parametrize("text", ["", "a", "z0", "zI", 7, "z" + "1" * 300])
def test_what_is_no_base58_is_refused(text: Any) -> None:
    with pytest.raises(InvalidCredential):
        decode_base58(text)


@pytest.mark.parametrize("text", ["a", "ab=", "aB+_", "ab cd", "aR", 7, "é"])
def test_what_is_no_base64url_in_its_one_writing_is_refused(text: Any) -> None:
    with pytest.raises(InvalidCredential):
        decode_base64url(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "[]",
            "1",
            '{"a":1.5}',
            '{"a":1e3}',
            '{"a":NaN}',
            '{"a":-0}',
            '{"a":1,"a":1}',
            '{"a":"\\ud800"}',
            "{'a':1}",
        ),
        *('{"a":9007199254740992}', '{"a":' + "1" * 5_000 + "}", '{"a":1}}', b"\xff{}"),
    ],
)
def test_json_that_two_readers_could_read_otherwise_is_refused(text: Any) -> None:
    with pytest.raises(InvalidCredential):
        decode_json(text)


def test_names_are_in_the_order_of_utf_16() -> None:
    told = encode_json({"\ufb33": 1, "\U0001f600": 2, "é": 3, "a": 4, "A": 5}).decode()
    assert told == '{"A":5,"a":4,"é":3,"\U0001f600":2,"\ufb33":1}'  # RFC 8785, 3.2.3
    assert encode_json({"a": '\x00\x1f\b\t\n\f\r"\\/\x7f'}) == b'{"a":"\\u0000\\u001f\\b\\t\\n\\f\\r\\"\\\\/\x7f"}'


# ---------------------------------------------------------------- the QR


@pytest.mark.parametrize("node", [NODE, "", "https://a.example:8443/miles"])
def test_the_qr_names_the_pass_and_proves_its_paper(node: str) -> None:
    issued = make_issued()
    proof = make_pass_proof(node, issued.id, JSON.encode())
    assert parse_pass_proof(str(proof)) == proof
    assert is_pass_proven(proof, issued.id, JSON.encode())
    assert not is_pass_proven(proof, issued.id, TOKEN.encode())
    assert not is_pass_proven(proof, Id16(b"another request."), JSON.encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://a.example/passes/",
        "CMP1:x:y",
        "https://a.example/x",
        7,
        "CMP1:" + "a" * 300,
        f"{NODE}/passes/0192aabb-ccdd-7eff-8011-223344556677/AAAAAAAAAAAAAAAAAAAAAAAAAB",
    ],
)
def test_what_is_no_qr_of_a_pass_is_refused(text: Any) -> None:
    with pytest.raises(Malformed):
        parse_pass_proof(text)
