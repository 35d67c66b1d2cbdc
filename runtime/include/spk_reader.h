/* SPDX-License-Identifier: Apache-2.0 */
/* Read blobs and bundles from a memory that has no addresses: an SPI NOR Flash that is not mapped, an eMMC, a file.
 *
 * You give a function that reads bytes, and a window: a piece of RAM that the reader loads what it needs into. It loads
 * one tile at a time, and decodes it from there. docs/external-memory.md in the project's repository says more.
 *
 *   static uint8_t window[4096];
 *   spk_reader reader;
 *   spk_status status = spk_reader_init(&reader, read_flash, NULL, file_size, window, sizeof window);
 *   if (status == SPK_OK) status = spk_reader_open_bundle(&reader);
 *   if (status == SPK_OK) status = spk_reader_validate_bundle(&reader);
 *
 *   if (status == SPK_OK) status = spk_reader_find(&reader, "conv1");
 *   for (uint32_t i = 0; status == SPK_OK && i < reader.view.n_tiles; i++) {
 *     status = spk_reader_decode_tile_s8(&reader, i, buffer, sizeof buffer);
 *     if (status == SPK_OK) use(buffer, spk_tile_elements(&reader.view, i));
 *   }
 *
 * The window holds the header of a blob with the bitmaps of its transforms, and after them one tile. This is so in
 * every format. Where it is too small, the status is SPK_ERROR_WINDOW, and reader.window_needed says how many bytes the
 * tile would have needed, or the bitmaps. spk_reader_window says what all tiles of a blob need. A tensor in the format
 * dense needs room for its header only, if it has no transforms. The window should lie at a multiple of 4 bytes, as
 * blobs should.
 *
 * Stack: at most 200 bytes more than spk.h says of the formats, and what your function needs.
 *
 * Whatever the bytes are that your function gives, and whether or not they change between two calls: no function reads
 * or writes outside the window and the destination, and none asks your function for bytes at or after `size`.
 */
#ifndef SPK_READER_H
#define SPK_READER_H

#include "spk.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The least size of a window, in bytes. */
#define SPK_READER_MIN_WINDOW 100u

/* Copies n bytes from offset on to dst. Returns 0, or anything else where that failed: SPK_ERROR_READ follows. */
typedef int spk_read(void *context, uint32_t offset, void *dst, uint32_t n);

/* Change no member. view is that of the open blob, for spk_tile_elements and spk_dim: no other function may have it. */
typedef struct spk_reader {
  spk_read *read;
  void *context;
  uint8_t *window;
  uint32_t size; /* bytes that can be read */
  uint32_t window_size;
  uint32_t window_needed; /* by the call that gave SPK_ERROR_WINDOW */
  uint32_t n_tensors;     /* of the open bundle */
  uint32_t names_size;
  uint8_t has_names, is_bundle;
  uint32_t payload_begin; /* of the open blob: where its tiles begin */
  uint32_t n_resident;    /* bytes of the window that its header and bitmaps take */
  spk_view view;
} spk_reader;

/* Fill in a reader. `read` is called with `context`, and with offsets from 0 to below size. */
spk_status spk_reader_init(spk_reader *reader, spk_read *read, void *context, uint32_t size, void *window,
                           size_t window_size);

/* Open the blob of blob_size bytes at that offset, as spk_open does, or leave none open. */
spk_status spk_reader_open(spk_reader *reader, uint32_t offset, uint32_t blob_size);

/* Check the CRC-32, every stream and every position of the open blob, as spk_validate does. It is read twice,
 * or once in the format dense. */
spk_status spk_reader_validate(spk_reader *reader);

/* The least window that all tiles of the open blob fit into. The tile index is read for that. */
spk_status spk_reader_window(spk_reader *reader, uint32_t *window_size);

/* Decode the whole tensor, or one tile of it, as spk_decode_s8 and spk_decode_tile_s8 do. */
spk_status spk_reader_decode_s8(spk_reader *reader, int8_t *dst, size_t dst_size);
spk_status spk_reader_decode_tile_s8(spk_reader *reader, uint32_t tile, int8_t *dst, size_t dst_size);

/* For those who load tiles themselves, such as by DMA while another one is decoded: where a tile lies, and what to do
 * with its bytes once they are at data. They are in the format that spk_reader_place has found, and must not change
 * meanwhile. Neither function touches the window after the header and bitmaps, of reader.n_resident bytes. */
spk_status spk_reader_place(spk_reader *reader, uint32_t tile, uint32_t *offset, uint32_t *n);
spk_status spk_reader_decode_loaded_s8(spk_reader *reader, uint32_t tile, const void *data, uint32_t n, int8_t *dst,
                                       size_t dst_size);

/* Open the bundle that all of the `size` bytes are, as spk_bundle_open does. No blob is open afterwards. */
spk_status spk_reader_open_bundle(spk_reader *reader);

/* Open tensor number i of the bundle, or the one of that name, as spk_bundle_get and spk_bundle_find do. */
spk_status spk_reader_get(spk_reader *reader, uint32_t i);
spk_status spk_reader_find(spk_reader *reader, const char *name);

/* Check the bundle's checksum, its table, and every blob, as spk_bundle_validate does. No blob is open afterwards. */
spk_status spk_reader_validate_bundle(spk_reader *reader);

#ifdef __cplusplus
}
#endif
#endif
