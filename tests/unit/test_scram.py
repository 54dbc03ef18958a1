"""A password's verifier is that of the standard."""

import base64
import hashlib
import hmac

from service.model import scram


def test_the_example_of_the_standard_is_reproduced() -> None:
    """RFC 7677, section 3: the keys must explain the proof and the signature that it prints."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    message = (
        f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}".encode()
    )
    kind, kept, keys = scram.verifier("pencil", salt).split("$")
    stored, server = map(base64.b64decode, keys.split(":"))
    assert (kind, kept) == ("SCRAM-SHA-256", "4096:W22ZaJ0SNY7soEsUEjb6gQ==")
    assert (
        base64.b64encode(hmac.digest(server, message, "sha256"))
        == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    )
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    signature = hmac.digest(stored, message, "sha256")
    client = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    assert hashlib.sha256(client).digest() == stored


def test_another_salt_makes_another_verifier() -> None:
    assert scram.verifier("pencil", b"a" * 16) != scram.verifier("pencil", b"b" * 16)
