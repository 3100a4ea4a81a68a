"""Bytes of one document -> unstructured elements, page by page.

Belongs here: decoding every supported format, OCR, layout, and the worker processes that do it. Does not: where documents
come from, where results are kept, or how text is cut into chunks.
"""
