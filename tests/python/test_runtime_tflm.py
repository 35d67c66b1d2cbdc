# SPDX-License-Identifier: Apache-2.0
"""`stridepack runtime --model` for a .tflite with operators of stridepack: only what they need."""

import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from commands import Call, call
from programs import run, text_size
from tflite_models import dense_layer, sparse

import stridepack as sp
from stridepack.files.c_array import c_array
from stridepack.files.runtime import PACKAGES, Needs, read_needs, write_runtime
from stridepack.files.runtime.library import NOT_IN_TFLM
from stridepack.tflite.pack import pack_tflite
from stridepack.tflite.types.blob import Blob

__all__ = ["call"]

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/resnet8_cifar10_50.tflite"
NO_LIBRARY = Path(__file__).resolve().parents[1] / "firmware/include"
WEIGHTS = sparse(64, 64)
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Wundef", "-Werror")
# What the operator calls: spk_open, spk_decode_s8 and spk_status_name.
MAIN = """\
#include <stdio.h>
#include "spk.h"
static const unsigned char blob[] = {%s};
static int8_t weights[4096];
int main(void) {
  spk_view view;
  spk_status status = spk_open(&view, blob, sizeof blob);
  if (status == SPK_OK) status = spk_decode_s8(&view, weights, sizeof weights);
  if (status == SPK_OK) fwrite(weights, 1, sizeof weights, stdout);
  else puts(spk_status_name(status));
  return 0;
}
"""


def own(path: Path, *formats: str) -> list[bytes]:
    """Write a model with operators of ours to a file. Returns the blobs."""
    packed = pack_tflite(dense_layer(WEIGHTS).to_bytes(), [Blob(name) for name in formats])
    path.write_bytes(packed.data)
    return [payload.encoded for payload in packed.payloads.values()]


@pytest.mark.parametrize(
    ("format", "options"),
    [*((name, ("--amalgamate",)) for name in sp.formats()[1:]), ("hybrid", ()), ("huffman", ())],
)
def test_what_is_written_decodes_the_model(
    tmp_path: Path, call: Call, format: str, options: tuple[str, ...]
) -> None:
    (blob,) = own(tmp_path / "own.tflite", format)
    folder = tmp_path / "spk"
    model = ("--model", tmp_path / "own.tflite")
    code, said, error = call("runtime", folder, "--tflm", *model, *options)
    assert code == 0, error
    assert f"Decoders of {format}: at most" in said
    assert "The operator itself, and what opens blobs, come on top; docs/tflm.md" in said
    assert "Add `--tflm`" not in said
    assert (folder / "tflm/spk_tflm.cc").is_file()
    (tmp_path / "main.c").write_text(MAIN % ",".join(map(str, blob)))
    include = (f"-I{folder}", f"-I{folder}/include")
    run(tmp_path, "cc", *WARNINGS, *include, *folder.rglob("*.c"), "main.c", "-o", "program")
    decoded = subprocess.run([tmp_path / "program"], stdout=subprocess.PIPE, check=True)
    assert decoded.stdout == WEIGHTS.tobytes()


@pytest.mark.parametrize("package", PACKAGES)
def test_parts_that_the_operator_does_not_call_are_left_out(
    tmp_path: Path, call: Call, package: str
) -> None:
    own(tmp_path / "own.tflite", "huffman")
    folder = tmp_path / "spk"
    code, _, error = call(
        "runtime", folder, "--tflm", "--for", package, "--model", tmp_path / "own.tflite"
    )
    assert code == 0, error
    spec = next(folder.rglob("spk_spec.h")).read_text()
    assert "#define SPK_WITHOUT_TRANSFORMS\n" in spec
    assert "#define SPK_WITHOUT_HUFFMAN\n" not in spec
    assert "#define SPK_WITHOUT_RANS\n" in spec
    here = package == "rust"  # the crate calls all parts
    for part in NOT_IN_TFLM:
        assert (f"#define SPK_WITHOUT_{part.upper()}\n" in spec) != here
    files = {path.name: path for path in folder.rglob("*") if path.is_file()}
    assert ("spk_reader.c" in files) == ("spk_in_place.c" in files) == here
    assert "spk_rans.c" not in files
    if here:
        return
    sources = (".c", ".h", ".hpp")
    named = "".join(path.read_text() for path in files.values() if path.suffix not in sources)
    for name in ("spk_reader.c", "spk_reader.h", "spk_rans.c", "stridepack_reader.hpp"):
        assert name not in named.replace("`spk_reader.h`, which", "")  # a macro of README.md
    readme = files["README.md"].read_text()
    assert "has only what one packed model needs: the decoders of huffman." in readme
    assert "Its first comment says how to use it." in readme


def test_transforms_stay_where_a_blob_has_them(tmp_path: Path, call: Call) -> None:
    sp.pack_file(EXAMPLE, tmp_path / "own.tflite", decoder="stridepack")
    needs = read_needs(tmp_path / "own.tflite")
    assert needs == Needs(["huffman", "transforms"], NOT_IN_TFLM)
    code, said, _ = call("runtime", tmp_path / "spk", "--model", tmp_path / "own.tflite")
    assert code == 0
    assert "and what opens blobs and undoes transforms, come on top" in said
    assert "needs the operator of stridepack, too. Add `--tflm` to write its code." in said
    assert not (tmp_path / "spk/tflm").exists()


def test_a_model_in_c_text(tmp_path: Path) -> None:
    """As `pack -o model.cc` writes it, under any name."""
    own(tmp_path / "own.tflite", "bitmap")
    header, source = c_array("g_model", (tmp_path / "own.tflite").read_bytes(), "model.h")
    for name in ("model.cc", "model.c", "array.h"):
        (tmp_path / name).write_text(source)
        assert read_needs(tmp_path / name) == Needs(["bitmap"], NOT_IN_TFLM)
    (tmp_path / "model.h").write_text(header)  # declares the array only
    with pytest.raises(sp.InputError, match=r"none of its arrays is a \.tflite model\. Name"):
        read_needs(tmp_path / "model.h")


def test_what_has_no_operators_of_ours_is_refused(tmp_path: Path, call: Call) -> None:
    dense = tmp_path / "dense.tflite"
    dense.write_bytes(dense_layer(WEIGHTS).to_bytes())
    code, _, said = call("runtime", tmp_path / "spk", "--model", dense)
    assert code == 2
    assert f"`--model {dense}`: this model has no operators that unpack weights, so all" in said
    assert "run `stridepack pack` with `--decoder stridepack` or with an output" in said
    stock = tmp_path / "stock.tflite"
    sp.pack_file(EXAMPLE, stock)
    code, _, said = call("runtime", tmp_path / "spk", "--model", stock)
    assert code == 2
    assert f"`--model {stock}`: TensorFlow Lite Micro's own DECODE operators unpack this" in said
    assert "Call `resolver.AddDecode()` there." in said
    assert "pack the dense model with `--decoder stridepack`" in said
    damaged = tmp_path / "damaged.tflite"
    (blob,) = own(damaged, "rle")
    damaged.write_bytes(damaged.read_bytes().replace(blob, blob[:-1] + bytes([blob[-1] ^ 1])))
    code, _, said = call("runtime", tmp_path / "spk", "--model", damaged)
    assert code == 2
    assert "checksum" in said
    code, _, said = call("runtime", tmp_path / "spk", "--model", tmp_path / "none.tflite")
    assert code == 2
    assert "there is no such file" in said
    assert not (tmp_path / "spk").exists()


def test_how_much_code_the_bundled_model_needs(tmp_path: Path) -> None:
    """Less than half of all decoders, counted as docs/tflm.md counts it."""
    if not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("arm-none-eabi-gcc is not installed")
    sp.pack_file(EXAMPLE, tmp_path / "own.tflite", decoder="stridepack")
    decoders, uncalled = read_needs(tmp_path / "own.tflite")
    sizes = []
    for name, options in (("all", {}), ("less", {"decoders": decoders, "uncalled": uncalled})):
        write_runtime(tmp_path / name, tflm=True, **options)
        flags = ("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard", "-Os", "-ffreestanding")
        include = (f"-I{tmp_path / name}/include", f"-I{NO_LIBRARY}")
        sources = sorted((tmp_path / name / "src").rglob("*.c"))
        run(tmp_path / name, "arm-none-eabi-gcc", "-std=c99", *flags, *include, "-c", *sources)
        objects = sorted(path.name for path in (tmp_path / name).glob("*.o"))
        sizes.append(text_size(tmp_path / name, *objects, tool="arm-none-eabi-size"))
    assert sizes[1] < 0.4 * sizes[0], sizes
