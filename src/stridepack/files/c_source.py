# SPDX-License-Identifier: Apache-2.0
"""C sources out: aligned constant arrays and a table of tensors. C99 and C++17."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from stridepack.files.c_names import GENERATED, GENERATED_BLOBS
from stridepack.files.job import Chosen
from stridepack.files.needs import needed_decoders, sentence
from stridepack.packed import Packed

# A runtime of `stridepack runtime --model` says in this header what was left out of it
_RUNTIME_IF_THERE = """
#ifdef __has_include
#if __has_include("spk.h")
#include "spk.h"
#endif
#endif
"""

# The same lines as in spk.h, so that a program may have the headers of several models
SHARED_TYPES = """\
#ifndef STRIDEPACK_TENSOR
#define STRIDEPACK_TENSOR
typedef struct stridepack_tensor {
  const char *name;
  const uint8_t *blob; /* at a multiple of 4 bytes */
  size_t blob_size;    /* bytes */
  size_t n_elements;
  uint32_t n_dims;
  uint32_t shape[8];
} stridepack_tensor;

/* All tensors of a model. Its header has an initializer: stridepack_model model = WEIGHTS_MODEL; */
typedef struct stridepack_model {
  const stridepack_tensor *tensors;
  size_t n_tensors;
  size_t largest_tensor; /* elements = bytes when unpacked */
  size_t largest_tile;
} stridepack_model;
#endif
"""

# A row of the table: five words and a shape of eight
_ROW_SIZE = 4 * (5 + 8)


def write_c(output: Path, chosen: Chosen) -> dict[Path, bytes]:
    """The contents of a .c file and of the header beside it."""
    source, header = c_sources(output.stem, chosen.blobs)
    return {output: source.encode(), output.with_suffix(".h"): header.encode()}


def c_sources(stem: str, tensors: Mapping[str, Packed]) -> tuple[str, str]:
    """Text of `stem`.c and of `stem`.h.

    Parameters
    ----------
    stem : str
        Name of the files without suffix; identifiers start with it.
    tensors : mapping of str to Packed
        By name, in order.
    """
    prefix = identifier(stem)
    macro = prefix.upper()
    tags = distinct(identifier(name) for name in tensors)
    n_elements = [packed.n_elements for packed in tensors.values()]
    largest_tile = max((min(p.tile_size, p.n_elements) for p in tensors.values()), default=0)
    decoders = needed_decoders(tensors.values())

    numbered = [f"  {macro}_{tag.upper()} = {i}" for i, tag in enumerate(tags)]
    constants = ",\n".join(numbered or [f"  {macro}_NONE = 0"])
    own_name = "" if prefix == "stridepack" else f"typedef stridepack_tensor {prefix}_tensor;\n"

    header = f"""\
/* {stem}: {len(tensors)} weight tensors {GENERATED}
 *
 * To unpack tensor i with the stridepack runtime (`stridepack runtime DIR` writes it):
 *
 *   spk_view view;
 *   spk_status status = spk_open(&view, {prefix}_tensors[i].blob, {prefix}_tensors[i].blob_size);
 *   if (status == SPK_OK) status = spk_decode_s8(&view, dst, dst_size);
 *   if (status != SPK_OK) report(spk_status_name(status));
 *
{sentence(decoders)}
 */
#ifndef {macro}_H
#define {macro}_H

#include <stddef.h>
#include <stdint.h>
{_checks_of_build(decoders)}
#ifdef __cplusplus
extern "C" {{
#endif

#define {macro}_N_TENSORS {len(tensors)}
#define {macro}_LARGEST_TENSOR {max(n_elements, default=0)} /* elements = bytes when unpacked */
#define {macro}_LARGEST_TILE {largest_tile} /* elements; a buffer of this size unpacks any tile */
#define {macro}_PACKED_SIZE {sum(p.nbytes for p in tensors.values())} /* bytes of all blobs */

/* These types are the same for every model: a function can take the tensors of any of them. */
{SHARED_TYPES}{own_name}
/* Indices into {prefix}_tensors. */
enum {{
{constants}
}};

extern const stridepack_tensor {prefix}_tensors[{max(1, len(tensors))}];

#define {macro}_MODEL \\
  {{{prefix}_tensors, {macro}_N_TENSORS, {macro}_LARGEST_TENSOR, {macro}_LARGEST_TILE}}

#ifdef __cplusplus
}}
#endif
#endif
"""
    arrays = _lines(
        f"/* {comment(name)}: {packed.format}, {packed.n_elements} elements, "
        f"{packed.n_non_zero} non-zeros */\n"
        "STRIDEPACK_ALIGNED STRIDEPACK_PLACE static const uint8_t "
        f"blob_{tag}[{packed.nbytes}] = {{\n"
        f"{hex_lines(packed.to_bytes())}\n}};\n"
        for tag, (name, packed) in zip(tags, tensors.items(), strict=True)
    )
    rows = _lines(
        f"    {{{_string(name)}, blob_{tag}, sizeof blob_{tag}, {packed.n_elements}u, "
        f"{len(packed.shape)}u, {{{', '.join(f'{d}u' for d in (*packed.shape, 0)[:8])}}}}},"
        for tag, (name, packed) in zip(tags, tensors.items(), strict=True)
    )
    source = f"""\
/* {stem}: {GENERATED_BLOBS} */
#include "{stem}.h"

#ifdef STRIDEPACK_ALIGNED /* your own; it must align to 4 bytes */
#elif (defined(__cplusplus) && __cplusplus >= 201103L) || defined(_MSC_VER)
#define STRIDEPACK_ALIGNED alignas(4)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define STRIDEPACK_ALIGNED _Alignas(4)
#elif defined(__GNUC__)
#define STRIDEPACK_ALIGNED __attribute__((aligned(4)))
#else
#define STRIDEPACK_ALIGNED
#endif

/* Your own, to place the blobs: -D'STRIDEPACK_PLACE=__attribute__((section(".weights")))' */
#ifndef STRIDEPACK_PLACE
#define STRIDEPACK_PLACE
#endif

{arrays}
const stridepack_tensor {prefix}_tensors[{max(1, len(tensors))}] = {{
{rows or "    {NULL, NULL, 0, 0, 0, {0}},"}
}};
"""
    return source, header


def _checks_of_build(decoders: Iterable[str]) -> str:
    """Lines that stop the compilation where the runtime cannot decode the blobs."""
    checks = _lines(
        f"#ifdef SPK_WITHOUT_{name.upper()}\n"
        f'#error "These weights need {name}, which SPK_WITHOUT_{name.upper()} leaves out."\n#endif'
        for name in decoders
    )
    return f"{_RUNTIME_IF_THERE}{checks}\n" if checks else ""


def c_overhead(names: Iterable[str]) -> int:
    """Bytes of Flash that the sources take beside the blobs, on a target with pointers of 32 bits.

    The table and the names. Like the blobs, they are at multiples of 4 bytes, unless the compiler
    is asked for small code: then names follow each other without gaps.
    """
    strings = [len(name.encode()) // 4 * 4 + 4 for name in names]
    return _ROW_SIZE * max(1, len(strings)) + sum(strings)


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def hex_lines(data: bytes) -> str:
    """Bytes as C writes them between the braces of an array."""
    return _lines(
        "  " + ",".join(f"0x{byte:02x}" for byte in data[i : i + 24]) + ","
        for i in range(0, len(data), 24)
    )


def identifier(text: str) -> str:
    """ASCII letters, digits and underscores, not starting with a digit."""
    name = re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_")
    return f"t_{name}" if not name or name[0].isdigit() else name


# Of the constants that a header has beside those of its tensors
_TAKEN = {"h", "n_tensors", "largest_tensor", "largest_tile", "packed_size", "model", "none"}


def distinct(names: Iterable[str]) -> list[str]:
    """Names that also differ when case is ignored: a number is appended where they would not.

    >>> distinct(["conv", "Conv", "model"])
    ['conv', 'Conv_2', 'model_2']
    """
    seen = set(_TAKEN)
    result = []
    for name in names:
        candidate, n = name, 1
        while candidate.lower() in seen:
            n += 1
            candidate = f"{name}_{n}"
        seen.add(candidate.lower())
        result.append(candidate)
    return result


def comment(text: str) -> str:
    """Text that cannot end a comment or continue a line."""
    return re.sub(r"[^ -~]", "?", text).replace("*/", "* /").replace("\\", "/").replace("??", "?")


def _string(text: str) -> str:
    """A C string literal: UTF-8, in octal escapes where it is not plain."""
    plain = set(map(ord, " !#$%&'()*+,-./:;<=>@[]^_`{|}~")) | {
        c for c in range(128) if chr(c).isalnum()
    }
    return '"' + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in text.encode()) + '"'
