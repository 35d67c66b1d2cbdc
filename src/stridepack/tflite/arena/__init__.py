# SPDX-License-Identifier: Apache-2.0
"""The tensor arena of TensorFlow Lite Micro: how large it is, and what packing adds to it."""
