# SPDX-License-Identifier: Apache-2.0
"""Packed: one tensor as one self-describing blob (docs/format.md, section 2)."""

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack import _core, _spec
from stridepack._header import build_blob, header_nbytes, read_parameters
from stridepack._numbers import is_integer
from stridepack.errors import InputError, raise_for_status
from stridepack.formats import check_options, get_format
from stridepack.groups import check_element_count
from stridepack.transforms import Transforms
from stridepack.transforms.payload import read_transforms, split_tiles, write_payload


def dense_nbytes(shape: tuple[int, ...], tile: int | None = None) -> int:
    """Bytes of the blob of a tensor in the format dense, which nobody has to encode to know.

    >>> import numpy as np
    >>> dense_nbytes((3, 7), 5) == Packed.encode(np.zeros((3, 7), np.int8), "dense", 5).nbytes
    True
    """
    n = math.prod(shape)
    tile_size = _tile_size(n, tile)
    n_tiles = -(-n // tile_size)
    values = n // tile_size * _align4(tile_size) + _align4(n % tile_size)
    if n_tiles <= 1:
        return header_nbytes(shape) + values
    return header_nbytes(shape, tile_size) + 4 * n_tiles + values


def _tile_size(n: int, tile: int | None) -> int:
    """Elements in a tile of a tensor of n elements."""
    if tile is not None and not is_integer(tile, 1):
        raise InputError(
            f"`tile={tile}` is not possible. A tile has at least 1 element.", tile=tile
        )
    return max(1, n if tile is None else min(int(tile), n))


def _align4(size: int) -> int:
    return -(-size // 4) * 4


_LEAST_WINDOW = 100  # SPK_READER_MIN_WINDOW in runtime/include/spk_reader.h


class Packed:
    """A packed tensor. Immutable; made by `stridepack.pack` or `Packed.from_bytes`.

    Examples
    --------
    >>> import numpy as np, stridepack as sp
    >>> p = sp.pack(np.array([[0, 7, 0, 0], [0, 0, -128, 0]], np.int8), format="rle")
    >>> p
    <Packed rle int8[2, 4], 2 non-zeros: 28 bytes>
    >>> p.streams
    {'header': 4, 'distances': 1, 'values': 2, 'alignment': 5}
    >>> p.unpack()
    array([[   0,    7,    0,    0],
           [   0,    0, -128,    0]], dtype=int8)
    """

    def __init__(self, blob: bytes) -> None:
        self._blob = blob
        self._view = np.frombuffer(blob, np.uint8)
        status, wire_id, shape, n, tile_size, n_tiles, tiles = _core.open(self._view)
        raise_for_status(status, "not a valid blob")
        self._payload_offset = 4 * blob[3]
        self._tiles_offset = tiles  # after the bitmaps of transforms
        self.format: str = next(name for name, i in _spec.FORMATS.items() if i == wire_id)
        self.shape: tuple[int, ...] = shape
        self.n_elements: int = n
        self.tile_size: int = tile_size
        self.n_tiles: int = n_tiles

    @classmethod
    def encode(
        cls,
        values: npt.ArrayLike,
        format: str,
        tile: int | None = None,
        *,
        transforms: Transforms | None = None,
        **options: Any,
    ) -> "Packed":
        """Encode with one given format; see `stridepack.pack`, which also chooses."""
        array = np.asarray(values)
        if array.dtype != np.int8:
            raise InputError(
                f"The values are {array.dtype}. They must be int8: quantise them first."
            )
        if array.ndim > _spec.MAX_DIMS:
            raise InputError(
                f"The array has {array.ndim} dimensions. At most {_spec.MAX_DIMS} are possible."
            )
        check_element_count(array.size)
        if max(array.shape, default=0) >= 1 << 32:
            raise InputError(
                f"The array has a dimension of {max(array.shape):,}. At most {(1 << 32) - 1:,} is "
                "possible."
            )
        tile_size = _tile_size(array.size, tile)
        codec = get_format(format)
        check_options([format], options)
        flat = np.ascontiguousarray(array).reshape(-1)
        encoder_options = codec.encoder_options(options)

        def encode(part: npt.NDArray[np.int8], tile_size: int) -> memoryview:
            return _core.encode(codec.name, part, tile_size, encoder_options).data

        flags, parameters = 0, list[int]()
        if transforms:
            payload = write_payload(transforms, flat, tile_size, lambda x: encode(x, x.size))
            flags, parameters = transforms.header()
        else:
            payload = encode(flat, tile_size)
        return cls(
            build_blob(
                codec.wire_id,
                array.shape,
                tile_size if tile_size < flat.size else None,
                payload,
                flags=flags,
                parameters=parameters,
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> "Packed":
        """Read a blob.

        Raises
        ------
        CorruptDataError
            For anything but a complete, valid blob: header, CRC-32, every stream, every position.
        """
        packed = cls(bytes(data))
        raise_for_status(_core.validate(packed._view), "not a valid blob")
        return packed

    def to_bytes(self) -> bytes:
        """The blob."""
        return self._blob

    @property
    def nbytes(self) -> int:
        """Bytes of the whole blob, header included."""
        return len(self._blob)

    @property
    def payload_nbytes(self) -> int:
        """Bytes without the header: what the paper counts as memory footprint."""
        return len(self._blob) - self._payload_offset

    @cached_property
    def n_non_zero(self) -> int:
        """Elements that are not 0. The blob does not say; it is decoded to count them."""
        return int(np.count_nonzero(self.unpack()))

    @property
    def sparsity(self) -> float:
        """Share of elements that are 0, from 0 to 1."""
        return 1 - self.n_non_zero / self.n_elements if self.n_elements else 0.0

    @cached_property
    def streams(self) -> dict[str, int]:
        """Bytes of every stream, summed over all tiles; their sum is `payload_nbytes`."""
        codec = get_format(self.format)
        sizes: dict[str, int] = {}
        if self.n_tiles > 1:
            sizes["tile_index"] = 4 * self.n_tiles
        if self.transforms.live is not None:
            sizes["bitmaps"] = len(self.transforms.live.bitmaps())
        if part_sizes := sum(4 for tile, _ in self.tiles() if self.transforms.classes and tile):
            sizes["part_sizes"] = part_sizes
        for tile, n in self.parts():
            for name, size in codec.streams(tile, n):
                sizes[name] = sizes.get(name, 0) + size
        if gap := self.payload_nbytes - sum(sizes.values()):
            sizes["alignment"] = gap
        return sizes

    def tiles(self) -> Iterator[tuple[memoryview, int]]:
        """Bytes and number of elements of each tile."""
        payload = memoryview(self._blob)[self._tiles_offset :]
        if self.n_tiles == 1:
            yield payload, self.n_elements
            return
        begin = 4 * self.n_tiles
        for t, end in enumerate(np.frombuffer(payload, "<u4", self.n_tiles).tolist()):
            yield payload[begin:end], self.tile_elements(t)
            begin = end

    @cached_property
    def transforms(self) -> Transforms:
        """What stands between the tensor and its format; false where nothing does."""
        flags = self._blob[2]
        if not flags & (_spec.FLAGS["live"] | _spec.FLAGS["predicted"]):
            return Transforms()
        payload = memoryview(self._blob)[self._payload_offset :]
        parameters = read_parameters(self._blob, len(self.shape))
        return read_transforms(flags, parameters, self.n_elements, payload)

    @property
    def reader_window(self) -> int:
        """Bytes of the least window that `spk_reader` of the C library reads this blob with."""
        is_plain = self.format == "dense" and not self.transforms
        largest = 0 if is_plain else max((len(tile) for tile, _ in self.tiles()), default=0)
        return max(_LEAST_WINDOW, self._tiles_offset + largest)

    @property
    def in_place_margin(self) -> int:
        """Bytes that `spk_decode_in_place_s8` needs in front of the elements, for their own blob.

        It unpacks the last tile first. The blob begins so many bytes before the elements, in a
        buffer of ``in_place_margin + n_elements`` bytes.

        >>> import numpy as np, stridepack as sp
        >>> values = (np.arange(60_000) % 5 == 0).astype(np.int8)
        >>> whole, cut = (sp.pack(values, "rle", tile=tile) for tile in (None, 2000))
        >>> whole.nbytes, whole.in_place_margin
        (18020, 18020)
        >>> cut.nbytes, cut.in_place_margin
        (18260, 744)
        """
        margin, end = 0, self._tiles_offset + 4 * self.n_tiles * (self.n_tiles > 1)
        for t, (tile, _) in enumerate(self.tiles()):
            end += len(tile)
            margin = max(margin, end - t * self.tile_size)
        return margin

    def parts(self) -> Iterator[tuple[memoryview, int]]:
        """Bytes and elements of all that its format has encoded: tiles, or classes of them."""
        return split_tiles(self.transforms, self.tiles()) if self.transforms else self.tiles()

    def tile_elements(self, tile: int) -> int:
        """Number of elements in a tile."""
        return min(self.tile_size, self.n_elements - tile * self.tile_size)

    def unpack(self) -> npt.NDArray[np.int8]:
        """Decode with the C runtime that devices run. Equal to what was packed, in shape and value.

        Raises
        ------
        CorruptDataError
            Only for a blob that was not validated: one that `from_bytes` accepted always decodes.
        """
        values = np.empty(self.n_elements, np.int8)
        raise_for_status(_core.decode(self._view, values), "cannot decode")
        return values.reshape(self.shape)

    def unpack_tile(self, tile: int) -> npt.NDArray[np.int8]:
        """Decode one tile: a flat array of its elements.

        Raises
        ------
        InputError
            When there is no such tile.
        """
        if not 0 <= tile < self.n_tiles:
            raise InputError(
                f"There is no tile {tile}. This blob has tiles 0 to {self.n_tiles - 1}."
            )
        values = np.empty(self.tile_elements(tile), np.int8)
        raise_for_status(_core.decode_tile(self._view, tile, values), "cannot decode")
        return values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Packed) and self._blob == other._blob

    def __hash__(self) -> int:
        return hash(self._blob)

    def __repr__(self) -> str:
        shape = ", ".join(map(str, self.shape))
        more = f", {self.n_tiles} tiles" if self.n_tiles > 1 else ""
        more += "".join(f", {word}" for word in self.transforms.words())
        return (
            f"<Packed {self.format} int8[{shape}], {self.n_non_zero} non-zeros{more}: "
            f"{self.nbytes} bytes>"
        )
