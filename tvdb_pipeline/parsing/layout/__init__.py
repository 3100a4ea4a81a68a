"""Lines on pages -> elements: reading order, tables, headers and footers, paragraphs, titles and lists.

Belongs here: judgements from the place and size of lines, the same for text layers and OCR. Does not: reading a file.
"""
