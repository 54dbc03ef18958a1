"""What ThingSpace's words for a line's state mean, and which counts where a line has several carriers."""

from collections.abc import Mapping, Sequence

from collectors import readings, vocabulary

STATUS = readings.LineStatus
# Whole words first: "activation ready" begins like "active" and is not.
WORDS: Mapping[str, readings.LineStatus] = {
    "activation ready": STATUS.PRE_ACTIVE,
    "test ready": STATUS.PRE_ACTIVE,
    "inventory": STATUS.PRE_ACTIVE,
    "pending activation": STATUS.PENDING,
    "pending deactivation": STATUS.PENDING,
    "purged": STATUS.DEACTIVATED,
    "replaced": STATUS.DEACTIVATED,
    "retired": STATUS.DEACTIVATED,
}
PREFIXES: Mapping[str, readings.LineStatus] = {
    "activ": STATUS.ACTIVE,
    "suspend": STATUS.SUSPENDED,
    "deactiv": STATUS.DEACTIVATED,
    "pre": STATUS.PRE_ACTIVE,
}
# A line that one carrier serves is served; a word that is not known may mean anything below that.
ORDER = (
    STATUS.ACTIVE,
    STATUS.UNKNOWN,
    STATUS.SUSPENDED,
    STATUS.PENDING,
    STATUS.PRE_ACTIVE,
    STATUS.DEACTIVATED,
    None,
)
RANKS = {status: rank for rank, status in enumerate(ORDER)}


def meaning(further: Mapping[str, readings.LineStatus]) -> vocabulary.Meaning:
    known = {vocabulary.fold(word): status for given in (WORDS, further) for word, status in given.items()}

    def read(raw: str) -> readings.LineStatus:
        word = vocabulary.fold(raw)
        return known.get(word) or _by_prefix(word)

    return read


def foremost(told: Sequence[readings.State]) -> readings.State:
    """The state that stands for a line of which several carriers tell."""
    return min(told, key=lambda state: RANKS[state.status])


def _by_prefix(word: str) -> readings.LineStatus:
    return next((status for start, status in PREFIXES.items() if word.startswith(start)), STATUS.UNKNOWN)
