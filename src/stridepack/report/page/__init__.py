# SPDX-License-Identifier: Apache-2.0
"""`report`: one HTML page about a model, and the same numbers as JSON.

`numbers.py` makes the dictionary that --json prints. The page shows that dictionary and nothing
else: `charts.py` draws from it, and `page.html` is the template. `render.py` and `charts.py` need
the extra stridepack[report], so nothing imports them before a page is asked for.
"""
