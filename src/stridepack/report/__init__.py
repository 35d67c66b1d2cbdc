# SPDX-License-Identifier: Apache-2.0
"""What people are shown: tables and sentences for a terminal, dictionaries for --json.

Every function here takes numbers and gives text. Nothing here packs, runs or writes anything.
"""
