/* SPDX-License-Identifier: Apache-2.0 */
/* spk_reader: a blob whose bytes come from a function, a tile at a time. docs/format.md, section 2. */
#include "spk_fetch.h"

#ifndef SPK_WITHOUT_READER

spk_status spk_reader_init(spk_reader *reader, spk_read *read, void *context, uint32_t size, void *window,
                           size_t window_size) {
  if (!reader) return SPK_ERROR_ARGUMENT;
  memset(reader, 0, sizeof *reader);
  if (!read || !window) return SPK_ERROR_ARGUMENT;
  reader->window_needed = SPK_READER_MIN_WINDOW;
  if (window_size < SPK_READER_MIN_WINDOW) return SPK_ERROR_WINDOW;
  reader->read = read;
  reader->context = context;
  reader->size = size;
  reader->window = (uint8_t *)window;
  reader->window_size = (uint32_t)window_size;
  if (reader->window_size != window_size) reader->window_size = UINT32_MAX;
  return SPK_OK;
}

spk_status spk_fetch(const spk_reader *reader, uint32_t offset, void *dst, uint32_t n) {
  if (offset > reader->size || n > reader->size - offset) return SPK_ERROR_TRUNCATED;
  if (n == 0) return SPK_OK;
  return reader->read(reader->context, offset, dst, n) == 0 ? SPK_OK : SPK_ERROR_READ;
}

/* Whether the window has n bytes after those that are resident. */
static bool has_room(spk_reader *reader, uint32_t n) {
  reader->window_needed = n > UINT32_MAX - reader->n_resident ? UINT32_MAX : reader->n_resident + n;
  return n <= reader->window_size - reader->n_resident;
}

spk_status spk_reader_open(spk_reader *reader, uint32_t offset, uint32_t blob_size) {
  if (!reader || !reader->read) return SPK_ERROR_ARGUMENT;
  spk_view *const view = &reader->view;
  uint8_t *const window = reader->window;
  spk_clear_view(view);
  reader->n_resident = 0;
  if (offset > reader->size || blob_size > reader->size - offset) return SPK_ERROR_TRUNCATED;
  uint32_t n = spk_min_u32(SPK_HEADER_SIZE, blob_size);
  spk_status status = spk_fetch(reader, offset, window, n);
  if (status != SPK_OK) return status;
  if (n == SPK_HEADER_SIZE && 4u * window[3] > n) {
    /* Of a longer header than all varints take nothing is read. */
    const uint32_t more = spk_min_u32(spk_min_u32(4u * window[3], SPK_READER_MIN_WINDOW), blob_size) - n;
    status = spk_fetch(reader, offset + n, window + n, more);
    if (status != SPK_OK) return status;
    n += more;
  }
  spk_view opened;
  status = spk_open_header(&opened, window, blob_size, 0);
  if (status != SPK_OK) return status;
  reader->n_resident = n;
  const uint32_t n_bitmaps = spk_load_u32(window + 4) - opened.payload_size;
  if (!has_room(reader, n_bitmaps)) return SPK_ERROR_WINDOW;
  status = spk_fetch(reader, offset + n, window + n, n_bitmaps);
  if (status != SPK_OK) return status;
  reader->n_resident = n + n_bitmaps;
  reader->payload_begin = offset + reader->n_resident;
  opened.payload = window + reader->n_resident;
  *view = opened;
  return SPK_OK;
}

/* Where a tile lies, from where the tiles begin. */
static spk_status find_tile(const spk_reader *reader, uint32_t i, uint32_t *begin, uint32_t *end) {
  const spk_view *const view = &reader->view;
#ifdef SPK_WITHOUT_TRANSFORMS
  if (view->flags & SPK_TRANSFORMED) return SPK_ERROR_UNSUPPORTED; /* the index is not where it looks to be */
#endif
  if (i >= view->n_tiles) return SPK_ERROR_TILE;
  *begin = 0;
  *end = view->payload_size;
  if (view->n_tiles > 1) {
    uint8_t index[8];
    const uint32_t skipped = i == 0 ? 4 : 0; /* the first tile begins after the index */
    const uint32_t at = reader->payload_begin + 4u * i + skipped - 4u;
    const spk_status status = spk_fetch(reader, at, index + skipped, 8u - skipped);
    if (status != SPK_OK) return status;
    *begin = i == 0 ? 4u * view->n_tiles : spk_load_u32(index);
    *end = spk_load_u32(index + 4);
  }
  return spk_is_tile(view, *begin, *end) ? SPK_OK : SPK_ERROR_STREAM;
}

/* The values as they are: nothing has to be loaded to decode or validate them. */
static bool is_plain(const spk_view *view) {
#ifdef SPK_WITHOUT_DENSE
  (void)view;
  return false;
#else
  return view->format == SPK_FORMAT_DENSE && !(view->flags & SPK_TRANSFORMED);
#endif
}

/* Load tile i into the window, if its bytes are needed there. end receives where it ends. */
static spk_status load(spk_reader *reader, uint32_t i, spk_tile *tile, uint32_t *end) {
  uint32_t begin;
  const spk_status status = find_tile(reader, i, &begin, end);
  if (status != SPK_OK) return status;
  uint8_t *const to = reader->window + reader->n_resident;
  const spk_tile found = {to, *end - begin, spk_tile_elements(&reader->view, i)};
  *tile = found;
  if (is_plain(&reader->view)) return SPK_OK;
  if (!has_room(reader, tile->size)) return SPK_ERROR_WINDOW;
  return spk_fetch(reader, reader->payload_begin + begin, to, tile->size);
}

/* What all functions ask of a reader with an open blob. */
static bool is_open(const spk_reader *reader) { return reader && reader->view.blob; }

/* Whether the whole window and n bytes at dst have no byte in common. */
static bool is_apart(const spk_reader *reader, const int8_t *dst, uint32_t n) {
  return !spk_overlaps(reader->window, reader->window + reader->window_size, dst, n);
}

static spk_status decode_tile(spk_reader *reader, uint32_t i, spk_pass *pass, int8_t *dst) {
  spk_tile tile;
  uint32_t begin, end;
  if (is_plain(&reader->view)) {
    const uint32_t n = spk_tile_elements(&reader->view, i);
    const spk_status status = find_tile(reader, i, &begin, &end);
    if (status != SPK_OK) return status;
    if (end - begin < n) return SPK_ERROR_STREAM;
    return spk_fetch(reader, reader->payload_begin + begin, dst, n);
  }
  const spk_status status = load(reader, i, &tile, &end);
  return status == SPK_OK ? spk_decode_found(&reader->view, i, &tile, pass, dst) : status;
}

spk_status spk_reader_decode_s8(spk_reader *reader, int8_t *dst, size_t dst_size) {
  if (!is_open(reader) || (!dst && reader->view.n_elements != 0)) return SPK_ERROR_ARGUMENT;
  if (dst_size < reader->view.n_elements) return SPK_ERROR_DESTINATION;
  if (!is_apart(reader, dst, reader->view.n_elements)) return SPK_ERROR_ARGUMENT;
  spk_pass pass = SPK_NO_TILE_YET;
  for (uint32_t i = 0; i < reader->view.n_tiles; i++) {
    const spk_status status = decode_tile(reader, i, &pass, dst + (size_t)i * reader->view.tile_size);
    if (status != SPK_OK) return status;
  }
  return SPK_OK;
}

spk_status spk_reader_decode_tile_s8(spk_reader *reader, uint32_t tile, int8_t *dst, size_t dst_size) {
  if (!is_open(reader) || !dst) return SPK_ERROR_ARGUMENT;
  if (tile >= reader->view.n_tiles) return SPK_ERROR_TILE;
  const uint32_t n = spk_tile_elements(&reader->view, tile);
  if (dst_size < n) return SPK_ERROR_DESTINATION;
  if (!is_apart(reader, dst, n)) return SPK_ERROR_ARGUMENT;
  spk_pass pass = SPK_NO_TILE_YET;
  return decode_tile(reader, tile, &pass, dst);
}

spk_status spk_reader_place(spk_reader *reader, uint32_t tile, uint32_t *offset, uint32_t *n) {
  uint32_t begin, end;
  if (!is_open(reader) || !offset || !n) return SPK_ERROR_ARGUMENT;
  const spk_status status = find_tile(reader, tile, &begin, &end);
  if (status != SPK_OK) return status;
  *offset = reader->payload_begin + begin;
  *n = end - begin;
  return SPK_OK;
}

spk_status spk_reader_decode_loaded_s8(spk_reader *reader, uint32_t tile, const void *data, uint32_t n, int8_t *dst,
                                       size_t dst_size) {
  if (!is_open(reader) || !data || !dst) return SPK_ERROR_ARGUMENT;
  if (tile >= reader->view.n_tiles) return SPK_ERROR_TILE;
  if (n % 4u != 0) return SPK_ERROR_STREAM; /* no tile */
  const spk_tile loaded = {(const uint8_t *)data, n, spk_tile_elements(&reader->view, tile)};
  if (dst_size < loaded.n) return SPK_ERROR_DESTINATION;
  if (spk_overlaps(reader->window, reader->window + reader->n_resident, dst, loaded.n) ||
      spk_overlaps(loaded.data, loaded.data + n, dst, loaded.n)) {
    return SPK_ERROR_ARGUMENT;
  }
  spk_pass pass = SPK_NO_TILE_YET;
  return spk_decode_found(&reader->view, tile, &loaded, &pass, dst);
}

spk_status spk_reader_window(spk_reader *reader, uint32_t *window_size) {
  if (!is_open(reader) || !window_size) return SPK_ERROR_ARGUMENT;
  uint32_t largest = 0;
  for (uint32_t i = 0; i < reader->view.n_tiles && !is_plain(&reader->view); i++) {
    uint32_t begin, end;
    const spk_status status = find_tile(reader, i, &begin, &end);
    if (status != SPK_OK) return status;
    if (end - begin > largest) largest = end - begin;
  }
  (void)has_room(reader, largest);
  *window_size = reader->window_needed > SPK_READER_MIN_WINDOW ? reader->window_needed : SPK_READER_MIN_WINDOW;
  return SPK_OK;
}

/* Go on with a CRC-32 over bytes [at, end) of the memory, through the window. */
static spk_status add_crc(spk_reader *reader, uint32_t at, uint32_t end, uint32_t *crc) {
  uint8_t *const to = reader->window + reader->n_resident;
  const uint32_t room = reader->window_size - reader->n_resident;
  if (at != end && room == 0) return has_room(reader, 1) ? SPK_OK : SPK_ERROR_WINDOW;
  while (at != end) {
    const uint32_t n = spk_min_u32(end - at, room);
    const spk_status status = spk_fetch(reader, at, to, n);
    if (status != SPK_OK) return status;
    *crc = spk_crc32(*crc, to, n);
    at += n;
  }
  return SPK_OK;
}

spk_status spk_reader_validate(spk_reader *reader) {
  if (!is_open(reader)) return SPK_ERROR_ARGUMENT;
  const spk_view *const view = &reader->view;
  const uint8_t *const window = reader->window;
  uint32_t crc = spk_crc32(0, window, SPK_HEADER_CRC), last_end = 0;
  crc = spk_crc32(crc, window + SPK_HEADER_SIZE, reader->n_resident - SPK_HEADER_SIZE);
  spk_status status = add_crc(reader, reader->payload_begin, reader->payload_begin + view->payload_size, &crc);
  if (status != SPK_OK) return status;
  if (crc != spk_load_u32(window + SPK_HEADER_CRC)) return SPK_ERROR_CHECKSUM;
  spk_pass pass = SPK_NO_TILE_YET;
  for (uint32_t i = 0; i < view->n_tiles; i++) {
    spk_tile tile;
    status = load(reader, i, &tile, &last_end);
    if (status == SPK_OK) status = spk_validate_found(view, i, &tile, &pass);
    if (status != SPK_OK) return status;
  }
  return view->n_tiles != 0 && last_end != view->payload_size ? SPK_ERROR_STREAM : SPK_OK;
}

#endif
