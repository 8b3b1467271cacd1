"""The mathematics of the six companion systems, one file each: arrays or modules in and out.

No file, no store, no progress: a study in studies/ calls it, as the coreset grid calls selection/.
"""
