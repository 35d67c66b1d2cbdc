# SPDX-License-Identifier: Apache-2.0
"""Generated from spec/spec.toml by spec/generate.py. Do not edit."""

VERSION = 1
MAGIC = 0xAB
TFLM_OPERATOR = "STRIDEPACK_DECODE"

MAX_ELEMENTS = 1073741824
MAX_DIMS = 8
MAX_NAME = 65535
MAX_GROUP_SIZE = 255
MAX_STRIDE = 255
PSR_BLOCK = 256
DCSR_LANES = 16
MAX_SLOPE = 17
RANS_BLOCK = 65520
RANS_LANES = 8
HUFFMAN_MAX_LENGTH = 12
HUFFMAN_MAX_GAPS = 63

# flag -> its bit, beside the wire id of the format
FLAGS = {
    "tiled": 0x20,
    "live": 0x40,
    "predicted": 0x80,
}

# format name -> wire id
FORMATS = {
    "dense": 1,
    "psr": 2,
    "rle": 3,
    "dcsr": 4,
    "hybrid": 5,
    "bitmap": 6,
    "rans": 7,
    "huffman": 8,
}

# status value -> (name, what it means)
STATUS = {
    0: ("ok", "ok"),
    1: ("argument", "a required pointer is null, or source and destination overlap"),
    2: ("truncated", "the data are shorter or longer than their header says"),
    3: ("magic", "the data do not start with a stridepack magic"),
    4: ("version", "the data were written by another version of the format"),
    5: ("format", "the format id is unknown"),
    6: ("unsupported", "the format is known but was left out of this build"),
    7: ("header", "a header field is out of range or contradicts another"),
    8: ("checksum", "the CRC-32 does not match"),
    9: ("destination", "the destination is smaller than the decoded data"),
    10: ("tile", "there is no tile of that number"),
    11: ("stream", "a stream ends early, goes on too long or points outside the tensor"),
    12: ("not_found", "there is no tensor of that name or number"),
    13: ("read", "the function that reads an external memory has failed"),
    14: ("window", "the window of a reader is too small for what it has to hold"),
}
