"""Pictures of data with Pillow and numpy: about 400x300 pixels, still telling at 200, the same bytes every time."""

from ingestors.rendering.beside import map_beside_curve
from ingestors.rendering.curve import Series, curve
from ingestors.rendering.heat import heatmap
from ingestors.rendering.pictures import montage, picture, thumbnail
from ingestors.rendering.strips import Strip, strips

__all__ = ["Series", "Strip", "curve", "heatmap", "map_beside_curve", "montage", "picture", "strips", "thumbnail"]
