/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the external Flash, which has no addresses, while the program goes on.
 *
 * copy.c is where a driver of your board belongs: of its QSPI, OCTOSPI or SPI peripheral with DMA. The one here has the
 * emulated board's DDR memory in place of a Flash, and in place of DMA an interrupt that copies a few bytes each time.
 */
#ifndef COPY_H
#define COPY_H

#include <stdbool.h>
#include <stdint.h>

/* How many bytes the Flash holds of the file that was programmed into it. */
uint32_t copy_flash_size(void);

/* Start to copy n bytes from that place of the Flash to dst. No other copy may be under way. Returns false where that
 * is not possible. */
bool copy_start(void *dst, uint32_t offset, uint32_t n);

/* Bytes that are still to come. With DMA this is a register of its channel. */
uint32_t copy_left(void);

/* Wait for the end of the copy. dst may be read then, and not before. */
bool copy_wait(void);

#endif
