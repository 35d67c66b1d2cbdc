# SPDX-License-Identifier: Apache-2.0
"""All that is known of .tflite files and of TensorFlow Lite Micro.

`model.py` reads a file into objects of `schema.py`, every size and index checked, and writes it
again; `census.py` counts what a file describes before it is copied. `constants.py` finds the int8
weights in it; `graph.py` puts DECODE operators in and takes them out, `decode.py` reads them,
`operators.py` says which operators cannot read what they write; `types/` holds the DECODE types;
`pack.py` puts it all together; `interpreter.py` runs models.
"""
