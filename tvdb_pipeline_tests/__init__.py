"""Tests, mirroring the package; `fake_openai` is a real HTTP server that speaks the embeddings protocol."""
