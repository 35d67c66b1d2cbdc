# SPDX-License-Identifier: Apache-2.0
"""Programs for AVR, and what they say in simavr."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHIP = "atmega2560"  # 256 KiB of Flash and 8 KiB of RAM
PROCESSOR = f"-mmcu={CHIP}"

BEGIN = """
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
static void say(char letter) { while (!(UCSR0A & _BV(UDRE0))) {} UDR0 = (uint8_t)letter; }
"""
# The end of main, which has a status, and a crc of what it decoded to compare with %#x.
END = """
  UCSR0B = _BV(TXEN0);
  say('s'); say((char)('a' + (int)status)); say(crc == %#xul ? 'y' : 'n'); say('\\n');
  cli();
  sleep_mode();
  return 0;
}
"""


def need(*tools: str) -> None:
    """Skip the test where one of these is missing."""
    if missing := [tool for tool in tools if not shutil.which(tool)]:
        pytest.skip(f"{missing[0]} is not installed: apt-get install gcc-avr avr-libc simavr")


def said(program: Path, chip: str = CHIP) -> str:
    """What a program has said when it ended, or when it has not ended for long."""
    command = ["timeout", "60", "simavr", "-m", chip, str(program)]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return result.stdout + result.stderr


def decodes(program: Path, chip: str = CHIP) -> None:
    """The program must end with the status SPK_OK and the right CRC-32."""
    text = said(program, chip)
    found = re.search(r"s([a-z])([yn])", text)
    assert found, text
    assert found.groups() == ("a", "y")
