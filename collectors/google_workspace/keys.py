"""The service account's key file, and what is signed with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import jwt
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from collectors import errors
from collectors.google_workspace import options as workspace_options

KIND = "service_account"
SECONDS = 3600  # that an assertion is good; Google takes no longer one
AGAIN = "give the whole file that Google Cloud let you download when the key was made"


class _File(msgspec.Struct, frozen=True):
    kind: str = msgspec.field(name="type")
    client_email: str
    private_key_id: str
    private_key: str


@dataclass(frozen=True)
class ServiceAccount:
    """Who signs, and with what."""

    email: str = field(repr=False)
    key_id: str = field(repr=False)
    key: rsa.RSAPrivateKey = field(repr=False)

    def assertion(self, scopes: Sequence[str], *, subject: str, audience: str, now: int) -> str:
        """A signed request for a token in the name of ``subject``. ``now``: seconds since 1970 by Google's clock."""
        claims = {
            "iss": self.email,
            "sub": subject,
            "scope": " ".join(scopes),
            "aud": audience,
            "iat": now,
            "exp": now + SECONDS,
        }
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.key_id})


def read(text: str) -> ServiceAccount:
    """Read the key file's text. Raises OptionsInvalid, and shows nothing of it."""
    file = _decoded(text)
    if file.kind != KIND:
        raise _unfit("is of another kind of account: make a key for a service account")
    return ServiceAccount(file.client_email, file.private_key_id, _private(file.private_key))


def _decoded(text: str) -> _File:
    try:
        return msgspec.json.decode(text, type=_File)
    except msgspec.ValidationError as error:
        missing = [name for name in msgspec.structs.fields(_File) if f"`{name.encode_name}`" in str(error)]
        lacks = missing[0].encode_name if missing else "what a key file holds"
        raise _unfit(f"lacks {lacks}: {AGAIN}") from None
    except msgspec.MsgspecError:
        raise _unfit(f"is not JSON: {AGAIN}") from None


def _private(text: str) -> rsa.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
    except Exception:  # noqa: BLE001 - a parser of secrets may say anything
        raise _unfit(f"holds a private key that cannot be read: {AGAIN}") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _unfit(f"holds a private key of another kind than RSA: {AGAIN}")
    return key


def _unfit(why: str) -> errors.OptionsInvalid:
    return errors.OptionsInvalid(
        f"collector google_workspace: the credential {workspace_options.SERVICE_ACCOUNT_KEY} {why}"
    )
