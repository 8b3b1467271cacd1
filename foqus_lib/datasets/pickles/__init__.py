"""A reader of pickles that executes nothing: grammar, stack machine, values."""
