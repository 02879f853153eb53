"""Workflows drawn: where boxes and lines go, worked out once for page, report and SVG alike.

layers     in which column each box stands, and where long lines pass through
order      how the boxes of a column follow each other, so that few lines cross
place      coordinates
folding    which tasks belong to a nested workflow, which is one box until it is opened
drawing    all of it together
"""

from flowweaver.report.graph.drawing import Drawing, draw, lay_out

__all__ = ["Drawing", "draw", "lay_out"]
