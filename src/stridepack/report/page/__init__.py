"""`report`: one HTML page about a model, and the same numbers as JSON.

`numbers.py` makes the dictionary that --json prints. The page shows that dictionary and nothing
else: `charts.py` draws from it, and `page.html` is the template.
"""

from stridepack.report.page.numbers import model_numbers
from stridepack.report.page.render import render

__all__ = ["model_numbers", "render"]
