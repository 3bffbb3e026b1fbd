"""What the parts of an unfinished dataset will hold when it is put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from irsmith.places import Place, parquet

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a part delivers once it is assembled.

    Attributes:
        path: The part's file.
        first: Its first index.
        bytes: Of the file as it stands.
        held: The rows in the file.
        indices: The indices of the rows that stay, in order.
    """

    path: Place
    first: int
    bytes: int
    held: int
    indices: tuple[int, ...]

    def rows(self) -> pa.Table:
        """The rows that stay."""
        import pyarrow.compute as pc

        table = parquet(self.path).read()
        return table if len(self.indices) == self.held else table.filter(pc.field("index").isin(self.indices))
