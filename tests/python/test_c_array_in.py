# SPDX-License-Identifier: Apache-2.0
"""C text in: whatever programs write around a .tflite model, the model is found; or an error."""

import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import stridepack as sp
from stridepack.files.c_array_in import model_in_c

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/resnet8_cifar10_50.tflite"
MODEL = b"\x1c\0\0\0TFL3" + bytes(range(256)) + b"/*\"//'}{\xff"


def hexadecimal(data: bytes) -> str:
    return ", ".join(f"0x{byte:02x}" for byte in data)


def decimal(data: bytes) -> str:
    return ",".join(map(str, data))


def signed(data: bytes) -> str:
    return ", ".join(str(byte - 256 * (byte > 127)) for byte in data)


def octal(data: bytes) -> str:
    return ", ".join(f"0{byte:o}" if byte else "0" for byte in data)


def mixed(data: bytes) -> str:
    spellings = ("0x{0:X}u", "{0}", "0X{0:04x}", "{0}UL", "0x{0:02x}")
    return ", ".join(spellings[i % 5].format(byte) for i, byte in enumerate(data))


WRITERS: list[Callable[[bytes], str]] = [hexadecimal, decimal, signed, octal, mixed]
AROUND = {
    "xxd": "unsigned char model_tflite[] = {{\n  {0}\n}};\nunsigned int model_tflite_len = {1};\n",
    "tflm": '#include "model.h"\nalignas(16) const unsigned char g_model[] = {{{0},}};\n'
    "const int g_model_len = {1};\n",
    "arduino": "const unsigned char m[] PROGMEM __attribute__((aligned(16))) = {{ {0} }};",
    "edge_impulse": "const unsigned char trained_model[{1}] ALIGN(16) = {{ {0}, }};",
    "braces_only": "namespace m {{ alignas(16) constexpr uint8_t model[] {{{0}}}; }}",
    "comments": "/* int old[] = {{1}}; */ // char x[] = {{2, /*\n"
    'const char *s = "a[] = {{3}} /* // \\"";\nint8_t m[/* n */{1}] ='
    " {{ // start\n/**/{0} /* , */}};",
    "among_others": "float f[] = {{1.5f}}; int n[2] = {{1000, 2}}; uint8_t a[] = {{1, 2, 3}};\n"
    "const char c[] = {{'\"', 'b'}}; void f(int x[]) {{ g(); }} uint8_t m[] = {{{0}}};",
    "crlf": "#ifdef A\r\n#endif\r\nunsigned char\r\nm[]\r\n=\r\n{{\r\n{0}\r\n}}\r\n;\r\n",
}


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_found_in_what_programs_write(write: Callable[[bytes], str], around: str) -> None:
    text = around.format(write(MODEL), len(MODEL))
    assert model_in_c(text.encode(), "m.cc") == MODEL


def test_all_digits_in_groups_of_lines() -> None:
    text = re.sub("((?:[^,]*,){12})", r"\1\n  ", hexadecimal(MODEL))
    assert model_in_c(f"unsigned char m[] = {{\n  {text}\n}};".encode(), "m.h") == MODEL


@pytest.mark.parametrize("suffix", [".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".CC"])
def test_read_as_the_model(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
    path = tmp_path / f"model{suffix}"
    path.write_text(AROUND["tflm"].format(hexadecimal(EXAMPLE.read_bytes()), "0"))
    tensors = sp.read_weights(path)
    expected = sp.read_weights(EXAMPLE)
    assert [t.name for t in tensors] == [t.name for t in expected]
    for tensor, other in zip(tensors, expected, strict=True):
        np.testing.assert_array_equal(tensor.values, other.values)
    sp.pack_file(path, tmp_path / "from_text.tflite")
    sp.pack_file(EXAMPLE, tmp_path / "from_file.tflite")
    packed = (tmp_path / "from_text.tflite").read_bytes()
    assert packed == (tmp_path / "from_file.tflite").read_bytes()
    assert len(packed) < EXAMPLE.stat().st_size
    assert sp.verify_files(path, tmp_path / "from_text.tflite", n_inputs=1).ok


def test_what_xxd_writes(tmp_path: Path) -> None:
    if not shutil.which("xxd"):
        pytest.skip("xxd is not installed")
    written = subprocess.run(["xxd", "-i", EXAMPLE], capture_output=True, check=True).stdout
    assert model_in_c(written, "m.c") == EXAMPLE.read_bytes()


def array(name: str, data: bytes) -> str:
    return f"const unsigned char {name}[] = {{{hexadecimal(data)}}};\n"


CUT = f"const unsigned char m[] = {{{hexadecimal(MODEL)}"
N = len(MODEL)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            array("g_a", MODEL) + array("g_b", MODEL + b"\0"),
            rf"2 of its arrays are \.tflite models: g_a \({len(MODEL)} bytes\) and g_b "
            rf"\({len(MODEL) + 1} bytes\)\. Put the one",
        ),
        (
            array("g_image", b"\x1c\0\0\0PNG3") + array("one", b"x"),
            r"no array in it is a \.tflite model.* TFL3.* are g_image \(8 bytes\) and one \(1 byte",
        ),
        ("".join(array(f"a{i}", b"x") for i in range(9)), r"a4 \(1 byte\) and 4 more\."),
        ("", r"It has no array of bytes\. An array looks like"),
        ("int main(void) { return 0; }", r"It has no array of bytes\."),
        (f"/* {array('m', MODEL)}", r"It has no array of bytes\."),
        (CUT, rf"The braces of array m do not end: the text ends after {N - 1} elements\. The"),
        (f"{CUT},\n", rf"The braces of array m do not end: the text ends after {N} elements\. "),
        (f"{CUT}, 256}};", rf"Array m does not hold bytes: its element {N + 1} is 256, and not an"),
        (f"{CUT}, -129}};", rf"its element {N + 1} is -129, and not an integer from -128 to 255\."),
        (f"{CUT}, x}};", rf"its element {N + 1} is x, and not"),
        (f"{CUT},, 1}};", rf"its element {N + 1} is empty, and not"),
        (f"{CUT}, 08, 1, 999", rf"its element {N + 1} is 08, and not"),
        (f"{CUT}, \"x\"}};", rf"its element {N + 1} is \"\", and not"),
        (f"{array('a', b'x')}{CUT}, 1.5f}};", r"are a \(1 byte\)\. Array m .* is 1\.5f, and not"),
        (f"float f[] = {{1.5f}}; {CUT}, y}};", r"Array m does not hold bytes"),
        ("t m[2] = {{1, 2}, {3, 4}};", r"Array m .*: there are braces within its braces\."),
        ("unsigned char m[] = {};", r"Array m is empty\."),
        (
            "const unsigned char m[] = {\n#include \"model.inc\"\n};",
            r"Array m does not hold bytes: its element 1 is #include\"\", and not",
        ),
    ],
)  # fmt: skip
def test_errors(text: str, message: str) -> None:
    with pytest.raises(sp.ModelError, match=f"^m.cc: .*{message}"):
        model_in_c(text.encode(), "m.cc")


def test_our_own_blobs_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", w=np.eye(64, dtype=np.int8))
    sp.pack_file(tmp_path / "w.npz", tmp_path / "w.c")
    with pytest.raises(sp.ModelError, match=r"w\.c: stridepack wrote this .* into a \.spk file"):
        sp.read_weights(tmp_path / "w.c")


PIECES = [b"a[]{", b"a[] = {", b"a[", b"/*", b"*/", b'"', b"'", b"//", b"\\", b"{", b"0x1c,", b"a"]
PIECES += [b"[", b"]", b" ", b"1,", b"}", b"\n", b"\xff\xfe", b"\0", b"a[]a", b"=", b"_1"]


def attempt(text: bytes) -> bytes:
    try:
        return model_in_c(text, "m.cc")
    except sp.ModelError:
        return b""


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("second", [b"", b"*/", b"x", b"}"])
def test_time_grows_with_size_only(piece: bytes, second: bytes) -> None:
    """Half a megabyte of what a regular expression might try again and again."""
    started = time.process_time()
    assert attempt((piece + second) * (500_000 // len(piece + second))) == b""
    assert time.process_time() - started < 5


def test_garbage() -> None:
    generator = random.Random(0)
    good = AROUND["tflm"].format(hexadecimal(MODEL), len(MODEL)).encode()
    found = 0
    for _ in range(3000):
        damaged = bytearray(good)
        for _ in range(generator.randrange(1, 4)):
            at = generator.randrange(len(damaged))
            damaged[at : at + generator.randrange(3)] = generator.choice(PIECES)
        found += attempt(bytes(damaged))[4:8] == b"TFL3"
        attempt(b"".join(generator.choices(PIECES, k=50)))
        attempt(generator.randbytes(100))
    assert 0 < found < 3000


def test_large_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stridepack.files.c_array_in._MAX_TEXT", 100)
    with pytest.raises(sp.ModelError, match=r"m\.cc: it has [\d,]+ bytes\. C text of at most 100"):
        model_in_c(array("m", MODEL).encode(), "m.cc")


def test_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for chunk in (1, 2, 3, 10, 1000):
        monkeypatch.setattr("stridepack.files.c_array_in._CHUNK", chunk)
        assert model_in_c(AROUND["tflm"].format(mixed(MODEL), 1).encode(), "m.cc") == MODEL
