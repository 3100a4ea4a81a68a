ALTER TABLE tvdb.vector_rows ADD COLUMN mode text GENERATED ALWAYS AS (
    CASE WHEN embedding_model IS NULL THEN NULL
         WHEN provisional THEN 'provisional'
         WHEN embedding_model LIKE 'mock-%' THEN 'mock'
         ELSE 'real' END) STORED;
COMMENT ON COLUMN tvdb.vector_rows.mode IS 'where the vector is from: real (the provider), mock (MOCK mode), provisional (the mock, standing in)';
CREATE INDEX vector_rows_provisional ON tvdb.vector_rows (document_key) WHERE provisional;
