"""A password as PostgreSQL keeps it (RFC 5802, RFC 7677), so that the server, and its log, never see the password."""

import base64
import hashlib
import hmac

ITERATIONS = 4096  # as the server's own; the passwords are long and random


def verifier(password: str, salt: bytes, *, iterations: int = ITERATIONS) -> str:
    """``SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`` of an ASCII password."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)
    stored = hashlib.sha256(_keyed(salted, b"Client Key")).digest()
    server = _keyed(salted, b"Server Key")
    return f"SCRAM-SHA-256${iterations}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _keyed(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
