"""Draws the example documents: one module per family of documents, and the ground truth recorded while drawing."""
