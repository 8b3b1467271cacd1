"""What a class needs beside the book: exercises that answer back, homework, slides."""

from foqus_lib.course.checking import check

__all__ = ["check"]
