"""The key file of a district's pseudonyms, and the promise that it is always the same key."""

from pathlib import Path

from service import errors
from service.model import pseudonyms
from service.store import imports as store
from service.store import pool as pools


def load(path: Path) -> pseudonyms.Pseudonymizer:
    """Raises ConfigError where the file cannot be read or its key could be guessed."""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise errors.ConfigError(
            f"cannot read the pseudonym key {path}: {error.strerror or error}. "
            "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
        ) from error
    try:
        return pseudonyms.Pseudonymizer(key)
    except pseudonyms.WeakKey as error:
        raise errors.ConfigError(
            f"{path}: {error}. Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
        ) from error


async def check(
    connection: pools.Connection,
    district_id: int,
    district: store.District,
    pseudonymizer: pseudonyms.Pseudonymizer,
) -> None:
    """Raise ConfigError where the district's pseudonyms were made under another key."""
    known = district.pseudonym_fingerprint
    if known is None:
        await store.keep_fingerprint(connection, district_id, pseudonymizer.fingerprint)
    elif known != pseudonymizer.fingerprint:
        raise errors.ConfigError(
            f"the pseudonym key is not the one that district {district_id} has used until now: the same "
            "borrower would count as another. Put back the old key file (pseudonym_key_file; look in the "
            "backup that belongs to this database). Nothing was changed."
        )
