"""Excel: a workbook of the deal's layout is checked, read into a `Book` with all its faults, and written again.

`read.read_book` and `write.write_book` are the two verbs; the other modules are their parts.
"""
