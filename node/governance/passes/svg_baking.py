"""A credential inside an SVG: the element `openbadges:credential`, first in the root. Pure.

    <svg xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0" …>
    <openbadges:credential verify="header.payload.signature"></openbadges:credential>      a VC-JWT
    <openbadges:credential><![CDATA[{"@context":…}]]></openbadges:credential>              JSON with its proof

What is put in stands in two places of the text; taking it out gives back the very bytes that were there before. What
another program baked is read as well (`extract_svg`), but its picture cannot be given back as it was.
Source: Open Badges 3.0, 5.3.2.
"""

from __future__ import annotations

import re
from typing import Any, Final

from lxml import etree

from node.governance.passes.errors import InvalidBadge
from node.governance.passes.png_baking import PICTURE_BYTES_MAX
from node.governance.passes.web_tokens import TOKEN_MAX

NAMESPACE: Final = "https://purl.imsglobal.org/ob/v3p0"
DEPTH_MAX: Final = 64
_SVG: Final = "http://www.w3.org/2000/svg"
_DECLARED: Final = f' xmlns:openbadges="{NAMESPACE}"'
_ROOT: Final = re.compile(r"<svg(?=[\s>])[^<>]*>", re.ASCII)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)


def bake_svg(picture: bytes, credential: str) -> bytes:
    """Return the picture with the credential in it; only where both can be taken out again. Raises InvalidBadge."""
    _require_none(picture)
    baked = _put(_read(picture), credential).encode()
    # What looks like the root may stand in a comment: what counts is what a reader finds.
    if unbake_svg(baked) != (picture, credential):
        raise InvalidBadge(reason="what is put in cannot be taken out again")
    return baked


def unbake_svg(baked: bytes) -> tuple[bytes, str]:
    """Return the picture as it was before, and the credential. Raises InvalidBadge, also where others baked it."""
    credential = extract_svg(baked)
    text = _read(baked).replace(_DECLARED, "", 1).replace(_write_element(credential), "", 1)
    picture = text.encode()
    _require_none(picture)
    if _put(text, credential).encode() != baked:
        raise InvalidBadge(reason="baked in another way than ours: its picture cannot be given back")
    return picture, credential


def extract_svg(baked: bytes) -> str:
    """Return the credential that an SVG carries, whoever baked it. Raises InvalidBadge."""
    found = _find(baked)
    if len(found) != 1:
        raise InvalidBadge(reason="it carries no credential, or more than one")
    credential: str = found[0].get("verify") or (found[0].text or "").strip()
    if not credential or len(credential) > TOKEN_MAX:
        raise InvalidBadge(reason=f"a credential of 1 to {TOKEN_MAX} symbols")
    return credential


def _require_none(picture: bytes) -> None:
    if _find(picture) or "openbadges:" in _read(picture):
        raise InvalidBadge(reason="it carries a credential already")


def _put(text: str, credential: str) -> str:
    root = _ROOT.search(text)
    if root is None:
        raise InvalidBadge(reason="its root is not a plain svg element")
    start, end = root.start() + len("<svg"), root.end()
    return text[:start] + _DECLARED + text[start:end] + _write_element(credential) + text[end:]


def _write_element(credential: str) -> str:
    if _TOKEN.fullmatch(credential):
        return f'<openbadges:credential verify="{credential}"></openbadges:credential>'
    # What would end the CDATA section is parted between two of them.
    body = credential.replace("]]>", "]]]]><![CDATA[>")
    return f"<openbadges:credential><![CDATA[{body}]]></openbadges:credential>"


def _read(data: bytes) -> str:
    if len(data) > PICTURE_BYTES_MAX:
        raise InvalidBadge(reason=f"more than {PICTURE_BYTES_MAX} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise InvalidBadge(reason="not UTF-8") from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InvalidBadge(reason="it has a document type or entities")
    return text


def _find(data: bytes) -> list[Any]:
    _read(data)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise InvalidBadge(reason="not readable as XML") from None
    if root.getroottree().docinfo.internalDTD is not None or root.getroottree().docinfo.encoding not in {None, "UTF-8"}:
        raise InvalidBadge(reason="it has a document type, or is not UTF-8")
    if root.tag != f"{{{_SVG}}}svg":
        raise InvalidBadge(reason="its root is not svg")
    found, depth = [], 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > DEPTH_MAX:
            raise InvalidBadge(reason=f"more than {DEPTH_MAX} elements inside each other")
        if event == "start" and element.tag == f"{{{NAMESPACE}}}credential":
            found.append(element)
    return found
