"""One chapter, one file here: which trials there are, and how one is run. `catalog` lists them."""
