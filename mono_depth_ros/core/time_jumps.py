"""The one rule by which time that jumps is noticed, for images and what belongs to them."""


class TimeJumpDetector:
    """Follows the stamps of a stream; a stamp before the latest one means that time jumped back.

    That is how a bag that starts again, or a simulation that is reset, shows itself.
    """

    def __init__(self) -> None:
        self._latest_ns: int | None = None

    def jumped_back(self, stamp_ns: int) -> bool:
        """Take the next stamp [ns]; say whether time has jumped back to it."""
        jumped = self._latest_ns is not None and stamp_ns < self._latest_ns
        self._latest_ns = stamp_ns
        return jumped
