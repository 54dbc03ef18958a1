"""What can go wrong in the service: one root, one class per thing a caller may do differently."""


class AfterbellError(Exception):
    """Something went wrong that a person can act on: the message says what, where and what to do."""

    exit_code = 1


class ConfigError(AfterbellError):
    """The configuration, or a file that it names, is wrong."""

    exit_code = 2


class DatabaseUnavailable(AfterbellError):
    """The database cannot be reached, started or written to."""

    exit_code = 3


class SchemaMismatch(DatabaseUnavailable):
    """The database's schema is not one that this version can work with."""


class ImportRejected(AfterbellError):
    """An import file cannot be read as what it claims to be; nothing was changed."""

    exit_code = 4


class ExportRefused(AfterbellError):
    """A package cannot be made: the month is not over, or another export is being made. Nothing was changed."""

    exit_code = 5
