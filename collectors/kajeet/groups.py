"""The order in which device groups are read."""

from collections.abc import Iterable, Sequence

from collectors import readings


def leaves_first(groups: Iterable[readings.Group], corp_ids: Sequence[str]) -> list[str]:
    """Order groups by depth, the deepest first, then the configured ones that were not listed.

    A parent lists its children's lines too, and the first sighting of a line is the one that counts.
    """
    parents = {group.group_key: group.parent_key for group in groups}
    parents |= {corp_id: None for corp_id in corp_ids if corp_id not in parents}
    return sorted(parents, key=lambda key: (-_depth(key, parents), key))


def _depth(key: str, parents: dict[str, str | None]) -> int:
    """Count the steps up to a group without a known parent. A ring of groups ends where it began."""
    seen = {key}
    parent = parents.get(key)
    while parent is not None and parent not in seen:
        seen.add(parent)
        parent = parents.get(parent)
    return len(seen)
