"""One chapter, one folder here: which trials there are, how one is run. `catalog` lists them."""
