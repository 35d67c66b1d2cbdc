/* SPDX-License-Identifier: Apache-2.0 */
/* Generated from spec/spec.toml by spec/generate.py. Do not edit. */
/* clang-format off */
#ifndef SPK_SPEC_H
#define SPK_SPEC_H

#define SPK_LIBRARY_VERSION "0.1.0" /* of stridepack, from pyproject.toml */
#define SPK_LIBRARY_VERSION_MAJOR 0
#define SPK_LIBRARY_VERSION_MINOR 1
#define SPK_LIBRARY_VERSION_PATCH 0
#define SPK_VERSION 1 /* of the format, in every blob */
#define SPK_MAGIC 0xABu /* the first byte of a blob */
#define SPK_TFLM_OPERATOR "STRIDEPACK_DECODE" /* in .tflite files */

#define SPK_MAX_ELEMENTS 1073741824u
#define SPK_MAX_DIMS 8u
#define SPK_MAX_NAME 65535u
#define SPK_MAX_GROUP_SIZE 255u
#define SPK_MAX_STRIDE 255u
#define SPK_PSR_BLOCK 256u
#define SPK_DCSR_LANES 16u
#define SPK_MAX_SLOPE 17u
#define SPK_RANS_BLOCK 65520u
#define SPK_RANS_LANES 8u
#define SPK_HUFFMAN_MAX_LENGTH 12u
#define SPK_HUFFMAN_MAX_GAPS 63u

/* Bits beside the wire id of the format, in byte 2 of a blob. */
#define SPK_FLAG_TILED 0x20u
#define SPK_FLAG_LIVE 0x40u
#define SPK_FLAG_PREDICTED 0x80u

/* Every format, for use as SPK_FORMATS(X) with X(name, NAME, wire id). */
#define SPK_FORMATS(X) \
  X(dense, DENSE, 1) \
  X(psr, PSR, 2) \
  X(rle, RLE, 3) \
  X(dcsr, DCSR, 4) \
  X(hybrid, HYBRID, 5) \
  X(bitmap, BITMAP, 6) \
  X(rans, RANS, 7) \
  X(huffman, HUFFMAN, 8)

#define SPK_FORMAT_DENSE 1u
#define SPK_FORMAT_PSR 2u
#define SPK_FORMAT_RLE 3u
#define SPK_FORMAT_DCSR 4u
#define SPK_FORMAT_HYBRID 5u
#define SPK_FORMAT_BITMAP 6u
#define SPK_FORMAT_RANS 7u
#define SPK_FORMAT_HUFFMAN 8u

/* SPK_IF_<NAME>(code): the code, or nothing where SPK_WITHOUT_<NAME> is defined. */
#ifdef SPK_WITHOUT_DENSE
#define SPK_IF_DENSE(code)
#else
#define SPK_IF_DENSE(code) code
#endif
#ifdef SPK_WITHOUT_PSR
#define SPK_IF_PSR(code)
#else
#define SPK_IF_PSR(code) code
#endif
#ifdef SPK_WITHOUT_RLE
#define SPK_IF_RLE(code)
#else
#define SPK_IF_RLE(code) code
#endif
#ifdef SPK_WITHOUT_DCSR
#define SPK_IF_DCSR(code)
#else
#define SPK_IF_DCSR(code) code
#endif
#ifdef SPK_WITHOUT_HYBRID
#define SPK_IF_HYBRID(code)
#else
#define SPK_IF_HYBRID(code) code
#endif
#ifdef SPK_WITHOUT_BITMAP
#define SPK_IF_BITMAP(code)
#else
#define SPK_IF_BITMAP(code) code
#endif
#ifdef SPK_WITHOUT_RANS
#define SPK_IF_RANS(code)
#else
#define SPK_IF_RANS(code) code
#endif
#ifdef SPK_WITHOUT_HUFFMAN
#define SPK_IF_HUFFMAN(code)
#else
#define SPK_IF_HUFFMAN(code) code
#endif
#ifdef SPK_WITHOUT_TRANSFORMS
#define SPK_IF_TRANSFORMS(code)
#else
#define SPK_IF_TRANSFORMS(code) code
#endif

typedef enum spk_status {
  SPK_OK = 0, /* ok */
  SPK_ERROR_ARGUMENT = 1, /* a required pointer is null, or source and destination overlap */
  SPK_ERROR_TRUNCATED = 2, /* the data are shorter or longer than their header says */
  SPK_ERROR_MAGIC = 3, /* the data do not start with a stridepack magic */
  SPK_ERROR_VERSION = 4, /* the data were written by another version of the format */
  SPK_ERROR_FORMAT = 5, /* the format id is unknown */
  SPK_ERROR_UNSUPPORTED = 6, /* the format is known but was left out of this build */
  SPK_ERROR_HEADER = 7, /* a header field is out of range or contradicts another */
  SPK_ERROR_CHECKSUM = 8, /* the CRC-32 does not match */
  SPK_ERROR_DESTINATION = 9, /* the destination is smaller than the decoded data */
  SPK_ERROR_TILE = 10, /* there is no tile of that number */
  SPK_ERROR_STREAM = 11, /* a stream ends early, goes on too long or points outside the tensor */
  SPK_ERROR_NOT_FOUND = 12, /* there is no tensor of that name or number */
  SPK_ERROR_READ = 13, /* the function that reads an external memory has failed */
  SPK_ERROR_WINDOW = 14 /* the window of a reader is too small for what it has to hold */
} spk_status;

/* Every status, for use with X(enumerator, name). */
#define SPK_STATUSES(X) \
  X(SPK_OK, "ok") \
  X(SPK_ERROR_ARGUMENT, "argument") \
  X(SPK_ERROR_TRUNCATED, "truncated") \
  X(SPK_ERROR_MAGIC, "magic") \
  X(SPK_ERROR_VERSION, "version") \
  X(SPK_ERROR_FORMAT, "format") \
  X(SPK_ERROR_UNSUPPORTED, "unsupported") \
  X(SPK_ERROR_HEADER, "header") \
  X(SPK_ERROR_CHECKSUM, "checksum") \
  X(SPK_ERROR_DESTINATION, "destination") \
  X(SPK_ERROR_TILE, "tile") \
  X(SPK_ERROR_STREAM, "stream") \
  X(SPK_ERROR_NOT_FOUND, "not_found") \
  X(SPK_ERROR_READ, "read") \
  X(SPK_ERROR_WINDOW, "window")

#endif
