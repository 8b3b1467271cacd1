"""The grid: which cells there are (cell), what each gave (store), what is left to do (sweep)."""
