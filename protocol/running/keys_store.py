"""Key files: one per set of keys, PKCS#8 PEM, readable by their owner alone or encrypted with a passphrase.

keys/<key id>.key     two PEM blocks: Ed25519, then X25519
keys/current          the id of the keys that sign
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from protocol.errors import Refusal

if TYPE_CHECKING:  # the libraries are loaded where a key is: command lines come here for `write_private` alone
    from cryptography.hazmat.primitives.serialization import KeySerializationEncryption

    from protocol.keys import Keyring, SecretKeys

PASSPHRASE_VARIABLE: Final = "CITIZEN_MILES_PASSPHRASE"  # noqa: S105 - the name of a variable, not its value
_CURRENT: Final = "current"
_END: Final = b"-----END"


class KeysUnusable(Refusal):
    """Key files that are missing, readable by others, or locked. Facts: file, reason."""

    code = "keys_unusable"


def find_passphrase(passphrase_file: str) -> bytes | None:
    """Return the passphrase from the file that the configuration names, or from the environment, or None."""
    if passphrase_file:
        try:
            return Path(passphrase_file).read_bytes().rstrip(b"\r\n") or None
        except OSError as error:
            raise KeysUnusable(file=passphrase_file, reason=os.strerror(error.errno or 0)) from None
    value = os.environ.get(PASSPHRASE_VARIABLE, "")
    return value.encode() or None


def create_keys(folder: Path, passphrase: bytes | None, entropy: bytes) -> SecretKeys:
    """Write new keys grown from 64 random bytes; they are not the current ones yet unless they are the first."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    from protocol.keys import make_keys

    secret = make_keys(entropy)
    lock: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    pem = b"".join(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
        for key in (
            Ed25519PrivateKey.from_private_bytes(secret.signing_seed),
            X25519PrivateKey.from_private_bytes(secret.sealing_seed),
        )
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    write_private(folder / f"{secret.public.id.hex()}.key", pem)
    if not (folder / _CURRENT).exists():
        set_current(folder, secret)
    return secret


def set_current(folder: Path, secret: SecretKeys) -> None:
    """From now on these keys sign."""
    write_private(folder / _CURRENT, secret.public.id.hex().encode() + b"\n")


def load_keyring(folder: Path, passphrase: bytes | None) -> Keyring:
    """Return all keys of the folder, the current ones first. Raises KeysUnusable."""
    from protocol.keys import Keyring

    try:
        current = (folder / _CURRENT).read_bytes().decode(errors="backslashreplace").strip()
    except OSError:
        raise KeysUnusable(file=str(folder.name), reason="no keys here: run init first") from None
    files = sorted(folder.glob("*.key"), key=lambda file: (file.stat().st_mtime_ns, file.name), reverse=True)
    found = {file.stem: _load_file(file, passphrase) for file in files}
    if current not in found:
        raise KeysUnusable(file=f"{current}.key", reason="the current keys are missing")
    older = tuple(secret for name, secret in found.items() if name != current)
    return Keyring(found[current], older)


def _load_file(file: Path, passphrase: bytes | None) -> SecretKeys:
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from protocol.keys import SecretKeys

    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise KeysUnusable(file=file.name, reason="others can read it: chmod 600")
    pem = file.read_bytes()
    first_end = pem.find(b"\n", pem.find(_END)) + 1
    try:
        signing = load_pem_private_key(pem[:first_end], passphrase)
        sealing = load_pem_private_key(pem[first_end:], passphrase)
    except TypeError:
        reason = (
            "it is locked: a passphrase is needed" if passphrase is None else "it is not locked: give no passphrase"
        )
        raise KeysUnusable(file=file.name, reason=reason) from None
    except (ValueError, UnsupportedAlgorithm, InternalError):
        raise KeysUnusable(file=file.name, reason="wrong passphrase, or not a key file") from None
    if not isinstance(signing, Ed25519PrivateKey) or not isinstance(sealing, X25519PrivateKey):
        raise KeysUnusable(file=file.name, reason="not an Ed25519 and an X25519 key")
    secret = SecretKeys(signing.private_bytes_raw(), sealing.private_bytes_raw())
    if secret.public.id.hex() != file.stem:
        raise KeysUnusable(file=file.name, reason="holds other keys than its name says")
    return secret


def write_private(path: Path, data: bytes) -> None:
    """Write a file that its owner alone can read: whole and durable, or not at all."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)  # left behind by a process that was killed
    # Made new and no link followed: the folder may be one that others write too.
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
