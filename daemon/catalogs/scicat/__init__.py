"""SciCat, of the generations 4 and 5."""
