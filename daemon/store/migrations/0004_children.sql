-- A picture may belong to a child dataset; what its record says stands in its parent's, and its steps in the parent's delivery.
ALTER TABLE thumbnails ADD COLUMN part TEXT NOT NULL DEFAULT '';   -- the child's key; empty for the dataset itself
