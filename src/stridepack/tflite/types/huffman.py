# SPDX-License-Identifier: Apache-2.0
"""DECODE type 1, Huffman: a prefix code with its own look-up tables for each tensor.

    encoded     the codewords of all elements, most significant bit first, in words of 32 bits
    ancillary   header, then the tables, 2 or 4 bytes an entry, little-endian
                byte 5 of the header: bit 0: entries have 4 bytes; bits 4-7: bits that index the
                root table, less 1

The decoder takes as many bits of the stream as index the root table. The entry it finds there is

    1cccc sssssssssss   a symbol, and that c of the bits just taken belong to its codeword; the
                        decoder puts back the others
    0cccc ooooooooooo   c + 1 more bits index a table that begins o entries behind this one

with 16 more bits for s and o in entries of 4 bytes. Only these decode int16. A table is no wider
than 15 bits, since c of a symbol has to count all of them.

The kernel loads whole words, and looks as far ahead as its tables are wide: the stream ends with
the last word that it looks at. Source: TensorFlow Lite Micro, kernels/decode_state_huffman.{h,cc}.

What is free is the code, and how its tree is cut into tables. Both are chosen for the fewest bytes:
every length that codewords may be limited to is tried, with the optimal code for it (package-merge:
Larmore and Hirschberg, "A fast algorithm for optimal length-limited Huffman codes", 1990) and the
optimal tables for that code.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack import _core
from stridepack.tensor import byte_counts
from stridepack.tflite.model import Bytes, Tensor
from stridepack.tflite.types.base import HEADER_NBYTES, DecodeType, Payload, UndecodableError

# Longer codewords would save nothing that counts: they are for values rarer than one in a million.
MAX_LENGTH = 24
MAX_TABLE_BITS = 15

_IS_SYMBOL = 0x8000
_COUNT_SHIFT = 11

Int64 = npt.NDArray[np.int64]


class Huffman(DecodeType):
    """A prefix code: the more frequent a value, the fewer bits it takes."""

    name = "tflm_huffman"
    number = 1
    since = "2025-10-31"
    elements = {"int8": "i1", "int16": "<i2"}  # noqa: RUF012 (nothing writes to it)

    def encode(self, values: npt.NDArray[np.int8], tensor: Tensor) -> Payload:
        flat = np.ascontiguousarray(values).reshape(-1)
        code = best_code(byte_counts(flat))
        stream = _core.tflm_huffman_encode(flat, code.codewords, code.lengths, code.looked_at)
        header = self.header((code.root_bits - 1) << 4)
        return Payload(
            self.name, stream.tobytes(), header + np.array(code.entries, "<u2").tobytes()
        )

    def _decode(self, tensor: Tensor, n: int, encoded: Bytes, ancillary: Bytes) -> npt.NDArray[Any]:
        dtype = self.element(tensor)
        entry_size = 4 if ancillary[5] & 1 else 2
        if dtype.itemsize == 2 and entry_size == 2:
            raise UndecodableError("tflm_huffman decodes int16 only with entries of 4 bytes")
        root_bits = (int(ancillary[5]) >> 4) + 1
        symbols = np.empty(n, dtype)
        status = _core.tflm_huffman_decode(
            encoded, ancillary[HEADER_NBYTES:], entry_size, root_bits, symbols
        )
        if status == 1:
            raise UndecodableError(f"its {encoded.size} bytes end before element {n} is decoded")
        if status == 2:
            n_entries = (ancillary.size - HEADER_NBYTES) // entry_size
            raise UndecodableError(
                f"a codeword points outside its tables, which have {n_entries} entries"
            )
        return symbols


@dataclass
class Code:
    """A prefix code for bytes, and the tables that decode it.

    Attributes
    ----------
    root_bits : int
        Bits that index the root table.
    entries : list of int
        Of all tables, the root first.
    lengths : ndarray of uint8
        For each byte, the bits of its codeword; 0: it has none.
    codewords : ndarray of uint32
    looked_at : ndarray of uint8
        Bits that the decoder has taken when it finds a byte.
    """

    root_bits: int
    entries: list[int]
    lengths: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros(256, np.uint8))
    codewords: npt.NDArray[np.uint32] = field(default_factory=lambda: np.zeros(256, np.uint32))
    looked_at: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros(256, np.uint8))


def best_code(counts: npt.NDArray[np.integer[Any]]) -> Code:
    """The code with the fewest bytes for stream and tables together.

    Parameters
    ----------
    counts : ndarray of int
        How often each of the 256 bytes occurs; at least one does.

    Returns
    -------
    Code
        The same for the same counts.
    """
    present = np.flatnonzero(counts)
    if present.size == 1:  # another one completes the code
        present = np.append(present, present[0] ^ 1)
    order = present[np.argsort(counts[present], kind="stable")]  # the rarest first
    weights = [int(count) for count in counts[order]]
    best: tuple[int, Tree] | None = None
    for lengths in limited_lengths(weights):
        tree = Tree(lengths, weights, order.tolist())
        n_bits = sum(w * length for w, length in zip(weights, lengths, strict=True))
        nbytes = -(-n_bits // 32) * 4 + 2 * tree.n_entries
        if best is None or nbytes < best[0]:
            best = nbytes, tree
    assert best is not None  # there is always a limit
    return best[1].code()


def limited_lengths(weights: list[int]) -> Iterator[list[int]]:
    """Lengths of optimal codewords, for every limit that makes a difference, longest first.

    Package-merge. The first list is of the leaves; each further one merges the leaves with the
    pairs of the list before. The 2m - 2 lightest items of list L say how often each of the m leaves
    counts within L bits.

    Parameters
    ----------
    weights : list of int
        Of two symbols or more, in ascending order.
    """
    m = len(weights)
    leaves = [(weight, False) for weight in weights]
    lists = [leaves]
    for _ in range(1, MAX_LENGTH):
        last = lists[-1]
        pairs = [(a[0] + b[0], True) for a, b in zip(last[::2], last[1::2], strict=False)]
        lists.append(sorted(leaves + pairs, key=lambda item: item[0]))  # of equals leaves first
    limit = MAX_LENGTH
    while 1 << limit >= m:
        lengths = [0] * m
        taken = 2 * m - 2
        for items in reversed(lists[:limit]):
            n_pairs = sum(is_pair for _, is_pair in items[:taken])
            for i in range(taken - n_pairs):
                lengths[i] += 1
            taken = 2 * n_pairs
        yield lengths
        limit = min(limit, lengths[0]) - 1


class Tree:
    """The tree of a canonical code, cut into the tables with the fewest entries.

    Nodes of a depth are numbered by the bits that lead to them. Codewords ascend with their
    lengths, then with their symbols, so of the nodes of a depth the leaves come first, then the
    inner nodes up to the last number.

    Parameters
    ----------
    lengths, weights, symbols : list of int
        Of the codewords, in any order.
    """

    def __init__(self, lengths: list[int], weights: list[int], symbols: list[int]) -> None:
        order = sorted(range(len(symbols)), key=lambda i: (lengths[i], symbols[i]))
        self.symbols = [symbols[i] for i in order]
        self._weights = [weights[i] for i in order]
        self._depth = max(lengths)
        self._n_shorter = [0]  # leaves above and at each depth
        self._first_inner = [0]
        for depth in range(1, self._depth + 1):
            n_leaves = lengths.count(depth)
            self._n_shorter.append(self._n_shorter[-1] + n_leaves)
            self._first_inner.append(2 * self._first_inner[-1] + n_leaves)
        self._table_bits, self.n_entries, self.n_lookups = self._cut()

    def _cut(self) -> tuple[list[Int64], int, int]:
        """For each inner node, by depth, the bits of the table that it is the root of, if it is.

        From the deepest upwards: a table of b bits has 2^b entries, and below it are the tables of
        all inner nodes b levels deeper. Of equal sizes the one that is looked at less often wins.
        """
        cost_unit = 1 << 40  # an entry; the look-ups, fewer than that, count below it
        table_bits: list[Int64] = [np.zeros(0, np.int64)] * self._depth
        cost_sums: list[Int64] = [np.zeros(1, np.int64)] * (self._depth + 1)
        weights: list[Int64] = [np.zeros(0, np.int64)] * (self._depth + 1)
        for depth in range(self._depth, -1, -1):
            leaves = slice(self._n_shorter[depth - 1] if depth else 0, self._n_shorter[depth])
            inner = np.zeros(0, np.int64)
            if depth < self._depth:
                inner = weights[depth + 1].reshape(-1, 2).sum(axis=1)
                nodes = np.arange(inner.size) + self._first_inner[depth]
                costs = []
                for bits in range(1, min(MAX_TABLE_BITS, self._depth - depth) + 1):
                    first = self._first_inner[depth + bits]
                    begin, end = (np.maximum((nodes + i << bits) - first, 0) for i in (0, 1))
                    below = cost_sums[depth + bits]
                    costs.append((cost_unit << bits) + inner + below[end] - below[begin])
                table_bits[depth] = 1 + np.argmin(costs, axis=0)
                cost_sums[depth] = np.concatenate(([0], np.cumsum(np.min(costs, axis=0))))
            weights[depth] = np.concatenate((np.array(self._weights[leaves], np.int64), inner))
        return table_bits, *divmod(int(cost_sums[0][-1]), cost_unit)

    def code(self) -> Code:
        """The codewords and the tables. A table comes before those that it leads to."""
        code = Code(int(self._table_bits[0][0]), [0] * self.n_entries)
        tables = [(0, 0, code.root_bits, 0)]  # depth, node, bits, first entry
        n_used = 1 << code.root_bits
        for depth, node, bits, begin in tables:  # grows meanwhile
            for index in range(1 << bits):
                at = begin + index
                for used in range(1, bits + 1):
                    below = node << used | index >> (bits - used)
                    after = below - self._first_inner[depth + used]
                    if after < 0:  # a leaf
                        symbol = self.symbols[self._n_shorter[depth + used] + after]
                        code.entries[at] = _IS_SYMBOL | used << _COUNT_SHIFT | symbol
                        code.lengths[symbol] = depth + used
                        code.codewords[symbol] = below
                        code.looked_at[symbol] = depth + bits
                        break
                else:
                    more = int(self._table_bits[depth + bits][after])
                    code.entries[at] = (more - 1) << _COUNT_SHIFT | (n_used - at)
                    tables.append((depth + bits, below, more, n_used))
                    n_used += 1 << more
        return code
