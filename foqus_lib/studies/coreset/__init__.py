"""The coreset grid, Tables I to V: select with one network, train another on what was kept.

grid    the chapters' trials and options      bench    what every job is told
run     records, then trials                  records  evidence and networks as artifacts
draw    evidence -> coreset of a trial        scale    does a network learn at all?
room    what a record will take of memory and of a disk
own     a coreset of somebody's own signals: own_folder its files, own_evaluation whether it helps
"""
