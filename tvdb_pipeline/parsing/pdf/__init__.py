"""PDF -> lines, page by page, through PDFium.

Belongs here: everything that touches PDFium. Does not: layout, which PDF pages and OCR share.
"""
