-- A rewritten table has its indexes built anew. Those over whole vectors take many times longer than those over signs, so they go
-- first, and each model's index is made again as this version makes it, under the name this version gives it.
CREATE TEMPORARY TABLE former ON COMMIT DROP AS
    SELECT c.relname AS name, pg_get_expr(i.indpred, i.indrelid) AS predicate
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
    WHERE i.indrelid = 'tvdb.vector_rows'::regclass AND a.amname = 'hnsw';
DO $$
DECLARE
    index record;
BEGIN
    FOR index IN SELECT name FROM former LOOP
        EXECUTE format('DROP INDEX tvdb.%I', index.name);
    END LOOP;
END $$;

ALTER TABLE tvdb.vector_rows
    ADD COLUMN signs bit(1536) GENERATED ALWAYS AS (binary_quantize(embedding)::bit(1536)) STORED;
COMMENT ON COLUMN tvdb.vector_rows.signs IS 'which components of the embedding are positive: a 32nd of its size, and in the row itself';

DO $$
DECLARE
    index record;
BEGIN
    SET LOCAL max_parallel_maintenance_workers = 0;
    SET LOCAL maintenance_work_mem = '1GB';
    -- A model may have had an index of both former kinds.
    FOR index IN SELECT DISTINCT ON (predicate) name, predicate FROM former WHERE predicate IS NOT NULL LOOP
        IF index.predicate LIKE '%''mock-%' THEN
            EXECUTE format('CREATE INDEX %I ON tvdb.vector_rows USING hnsw ((embedding::halfvec(1536)) halfvec_cosine_ops)'
                           ' WITH (m = 16, ef_construction = 200) WHERE %s',
                           replace(index.name, '_hnsw_', '_halfvec_'), index.predicate);
        ELSE
            EXECUTE format('CREATE INDEX %I ON tvdb.vector_rows USING hnsw (signs bit_hamming_ops)'
                           ' WITH (m = 16, ef_construction = 100) WHERE %s',
                           regexp_replace(index.name, '^vector_rows_(hnsw|halfvec)_', 'vector_rows_signs_'), index.predicate);
        END IF;
    END LOOP;
END $$;
