"""What an account's log is told when it begins and when it ends, not with every sweep."""

import logging

logger = logging.getLogger(__name__)


class Notices:
    def __init__(self, days_at_most: int) -> None:
        self._days_at_most = days_at_most
        self._is_cut_short = False

    def reach(self, *, is_cut_short: bool) -> None:
        """Whether the vendor refused to list devices that have not changed for long."""
        if is_cut_short and not self._is_cut_short:
            logger.warning(
                "Control Center refuses the date list_since: only devices changed in the last %d days are listed",
                self._days_at_most,
                extra={"action": "list_cut_short"},
            )
        elif self._is_cut_short and not is_cut_short:
            logger.info("Control Center lists all devices again", extra={"action": "list_whole"})
        self._is_cut_short = is_cut_short
