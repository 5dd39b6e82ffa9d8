"""Values between samples: linear reading at fractional indices. Imports torch."""

from __future__ import annotations

from torch import Tensor, lerp


def at_places(x: Tensor, positions: Tensor, dim: int) -> Tensor:
    """`x` at fractional indices `positions` (P,) along `dim`, which becomes P long: linear in between, the
    ends hold."""
    last = x.shape[dim] - 1
    positions = positions.clamp(0, last)
    low = positions.floor().long()
    high = (low + 1).clamp(max=last)
    part = (positions - low).to(x.dtype).reshape((-1,) + (1,) * (x.ndim - 1 - dim % x.ndim))
    return lerp(x.index_select(dim, low), x.index_select(dim, high), part)
