"""What belongs to one process: to pickle or to copy it is refused, saying what to do instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NoReturn

if TYPE_CHECKING:
    from typing import SupportsIndex


class Bound:
    """The base of what has files open, a model loaded, or a lock.

    Attributes:
        instead: what to do instead of giving it to another process, in a clause.
    """

    instead: ClassVar[str]

    def __reduce_ex__(self, _protocol: SupportsIndex) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} belongs to its process and cannot be pickled or copied: {self.instead}"
        )
