# For those who type make; book.py does the work.
book: ; python3 book.py build
test: ; python3 book.py test
clean: ; python3 book.py clean
.PHONY: book test clean
