/* SPDX-License-Identifier: Apache-2.0 */
/* stridepack runtime: unpack int8 weights on the device. This header is the whole interface.
 *
 * To compile it: README.md beside this folder says how, with CMake or without. All sources are C99 and need no flags.
 * Nothing here allocates, prints, or keeps state; of the C library only <string.h> is used.
 *
 * To use it: open every blob once, and check it once, for example at boot. Look at every status.
 *
 *   spk_view view;
 *   spk_status status = spk_open(&view, blob, blob_size);
 *   if (status == SPK_OK) status = spk_validate(&view);
 *
 * Then decode the whole tensor:
 *
 *   if (status == SPK_OK) status = spk_decode_s8(&view, weights, sizeof weights);
 *
 * Or decode one tile after the other, into a buffer for one tile. A tensor that was not cut has one tile.
 *
 *   for (uint32_t i = 0; status == SPK_OK && i < view.n_tiles; i++) {
 *     status = spk_decode_tile_s8(&view, i, buffer, sizeof buffer);
 *     if (status == SPK_OK) use(buffer, spk_tile_elements(&view, i));
 *   }
 *   if (status != SPK_OK) report(spk_status_name(status));
 *
 * A bundle (a .spk file) holds many blobs by name:
 *
 *   spk_bundle bundle;
 *   status = spk_bundle_open(&bundle, file, file_size);
 *   if (status == SPK_OK) status = spk_bundle_validate(&bundle);
 *   if (status == SPK_OK) status = spk_bundle_find(&bundle, "conv1", &view);
 *
 * Where spk_open fails, it clears the view, and no function takes a cleared view: each gives SPK_ERROR_ARGUMENT, or
 * null or 0 where it has no status.
 *
 * Safety: no function reads outside [blob, blob + blob_size) or writes outside [dst, dst + dst_size), whatever the
 * bytes are, whether or not the blob was validated. spk_validate says whether the bytes are those that were packed.
 *
 * Source and destination: SPK_ERROR_ARGUMENT says that the destination and the blob have a byte in common. Only
 * spk_decode_in_place_s8 unpacks a tensor to where its blob lies. The blob must not change while a function reads it:
 * wait for the end of a DMA transfer, and then invalidate the cache. Where it does change, dst holds garbage, and
 * nothing of what is said here is promised.
 *
 * Alignment: none is required. In blobs at multiples of 4 bytes all streams are aligned, which some cores read faster.
 * No decoder needs more. On Arm cores that have unaligned access, compilers use it, in decoders of aligned blobs too.
 * It faults where the program sets UNALIGN_TRP in the register CCR, and in memory of the type Device. Compile the
 * runtime with -mno-unaligned-access then, with Helium too.
 *
 * Stack: an optimised build needs at most 600 bytes; rans 2600, huffman 6400, or 8500 with Helium. A blob with
 * transforms needs up to 300 bytes more. huffman takes 3000 bytes less where it codes no gaps. Without optimisation, it
 * is up to 1000 bytes more without vectors, and much more with them: rans takes 15300 with Helium. On RISC-V, rans
 * takes 200 bytes more where vectors have 1024 bits.
 *
 * Checksum: spk_validate takes a CRC-32 with a table of 64 bytes. SPK_CRC32_TABLE=256 has 1 KiB and is faster,
 * SPK_CRC32_TABLE=0 has none and is slower. SPK_CRC32=my_crc32 calls a function of yours, for example for a CRC unit:
 * uint32_t my_crc32(uint32_t crc, const uint8_t *data, size_t size), in C. It goes on from crc, the result of an
 * earlier call or 0, as crc32 of zlib does. The data may lie at any address, and size may be 0 or 1.
 *
 * Size: define SPK_WITHOUT_<FORMAT> (SPK_WITHOUT_RLE, ...) to leave a decoder out; its blobs then give
 * SPK_ERROR_UNSUPPORTED. SPK_WITHOUT_TRANSFORMS leaves out what stands between some blobs and their format; pack with
 * --no-transforms then. SPK_WITHOUT_TFLM_PRUNE leaves out spk_tflm_prune_s8, SPK_WITHOUT_READER what spk_reader.h
 * has, and SPK_WITHOUT_IN_PLACE spk_decode_in_place_s8 and spk_in_place_margin. The decoder of dcsr stays until hybrid
 * is left out as well. Define SPK_NO_HELIUM to leave the Helium decoders out, and SPK_NO_RVV those for RISC-V's
 * vectors.
 *
 * Version: SPK_LIBRARY_VERSION is that of this library, as text, and SPK_LIBRARY_VERSION_MAJOR, _MINOR and _PATCH are
 * its numbers. SPK_VERSION is that of the format of the blobs, which docs/format.md in the project's repository
 * specifies. For C++17 and later, stridepack.hpp beside this file has the same functions with classes and spans.
 */
#ifndef SPK_H
#define SPK_H

#include <stddef.h>
#include <stdint.h>

#include "spk_spec.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A blob that was opened: pointers into it and its header in host order. Copyable; the blob must outlive it. */
typedef struct spk_view {
  const uint8_t *blob;
  const uint8_t *payload; /* its tiles, after the bitmaps of transforms if there are some */
  uint32_t payload_size;  /* bytes from there */
  uint32_t n_elements;
  uint32_t tile_size; /* elements in every tile but, perhaps, the last */
  uint32_t n_tiles;
  uint8_t format; /* wire id */
  uint8_t n_dims;
  uint8_t flags;
} spk_view;

/* Check the header, in O(1), and fill in the view, or clear it. blob_size must be the exact size of the blob. */
spk_status spk_open(spk_view *view, const void *blob, size_t blob_size);

/* Check the CRC-32, every stream and every position, once. SPK_OK: every decode of this blob will succeed. */
spk_status spk_validate(const spk_view *view);

/* Decode the whole tensor: n_elements bytes at dst, none of which is in the blob. On an error dst holds garbage. */
spk_status spk_decode_s8(const spk_view *view, int8_t *dst, size_t dst_size);

/* Decode one tile: elements [tile * tile_size, + spk_tile_elements(view, tile)) of the tensor, to the start of dst. */
spk_status spk_decode_tile_s8(const spk_view *view, uint32_t tile, int8_t *dst, size_t dst_size);

/* The weights of a tile where they lie in the blob, or null where they must be decoded: in all formats but dense, with
 * transforms, and in damaged blobs. A tensor that was not cut is tile 0. Nothing is copied, so a layer can read them
 * there. */
const int8_t *spk_dense_tile_s8(const spk_view *view, uint32_t tile);

/* Decode the whole tensor over its own blob, which is lost then, with the view. dst begins a margin or more after the
 * blob does. So a buffer that the blob was loaded to the start of suffices if it has room for the blob and for margin +
 * n_elements bytes. The tile that is decoded last is the first one, and the margin is a little more than its bytes
 * where the blob has many tiles. It is the whole blob where it has one. Less than the margin gives SPK_ERROR_ARGUMENT,
 * and nothing is written then. Validate the blob before. */
spk_status spk_in_place_margin(const spk_view *view, size_t *margin);
spk_status spk_decode_in_place_s8(const spk_view *view, int8_t *dst, size_t dst_size);

/* Elements in a tile; 0 when there is no such tile. */
uint32_t spk_tile_elements(const spk_view *view, uint32_t tile);

/* Extent of the tensor along an axis, outermost first; 0 when there is no such axis. */
uint32_t spk_dim(const spk_view *view, uint32_t axis);

/* Expand a weight tensor of TensorFlow Lite Micro's PRUNE decode type as it lies in a .tflite: n elements, 1 bit for
 * each, most significant first, and a value for each bit that is set; the others become 0. The bitmap has at least
 * ceil(n / 8) bytes. SPK_ERROR_STREAM when bitmap or values do not suffice, or when there are bits of 1 after those of
 * all elements. For int8 and zero point 0. */
spk_status spk_tflm_prune_s8(int8_t *dst, size_t n, const uint8_t *bitmap, size_t bitmap_size, const int8_t *values,
                             size_t n_values);

/* "ok", "truncated", ...: the names of spec/spec.toml. Never null. */
const char *spk_status_name(spk_status status);

/* SPK_LIBRARY_VERSION of the library that the program is linked with. */
const char *spk_version(void);

/* A bundle (.spk file): many tensors, by name or by number, read where it lies. */
typedef struct spk_bundle {
  const uint8_t *data;
  uint32_t size;
  uint32_t n_tensors;
} spk_bundle;

/* Check the file's header in O(1), and fill in the bundle, or clear it. size must be the exact size of the file. */
spk_status spk_bundle_open(spk_bundle *bundle, const void *data, size_t size);

/* Check the file's checksum, its table, and every blob as spk_validate does. */
spk_status spk_bundle_validate(const spk_bundle *bundle);

/* Open tensor number i. name (may be null) receives its zero-terminated name, inside the bundle, which is UTF-8
 * unless it is damaged; null where the names are not stored, and on an error, which also clears the view. It is looked
 * for from the first name on, so ask for it only where it is needed. */
spk_status spk_bundle_get(const spk_bundle *bundle, uint32_t i, const char **name, spk_view *view);

/* Open the tensor of that name. Its CRC-32 is compared with that of each tensor in turn, and where it is equal the
 * name, too, if the names are stored. If they are not, another name may have the same CRC-32: once in 2^32. */
spk_status spk_bundle_find(const spk_bundle *bundle, const char *name, spk_view *view);

/* What `stridepack pack -o weights.c` writes is a table of these. The header of each model has the same lines, so that
 * the type is the same in all of them, and a function can take the tensors of any model. */
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

#ifdef __cplusplus
}
#endif
#endif
