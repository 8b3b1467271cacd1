"""The mathematics of the six companion systems, a file or package each: arrays or modules in, out.

No file, no store, no progress: a study in studies/ calls it, as the coreset grid calls selection/.
"""
