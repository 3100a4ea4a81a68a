-- The application's role owns no table and so can index none. This function, its owner's, makes one kind of index and no other: that
-- over the vectors of a model, as vectorstore/indexes.py describes it.
CREATE FUNCTION tvdb.make_vector_index(model text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    -- Parallel processes would take the memory of the graph from /dev/shm, which in a container may be far too small.
    SET max_parallel_maintenance_workers = 0
AS $$
DECLARE
    mock   boolean := starts_with(model, 'mock-');
    name   text := concat_ws('_', 'vector_rows', CASE WHEN mock THEN 'halfvec' ELSE 'signs' END,
        left(btrim(regexp_replace(lower(model COLLATE "C"), '[^a-z0-9]+', '_', 'g'), '_'), 32),
        left(encode(sha256(convert_to(model, 'UTF8')), 'hex'), 6));
    types  text;
    wanted bigint;
BEGIN
    IF model IS NULL OR model !~ '^[ -~]{1,80}$' THEN
        RAISE EXCEPTION 'No name of a model.' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Two creators of the same index would deadlock.
    PERFORM pg_advisory_xact_lock(1752068983);
    SELECT quote_ident(nspname) INTO STRICT types
        FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'vector';
    -- Memory for the whole graph, as one that outgrows it is built many times slower: what is indexed of a row, and its links.
    SELECT least(count(*) * CASE WHEN mock THEN 4300 ELSE 1100 END / 1048576, 2000) INTO wanted
        FROM tvdb.vector_rows WHERE embedding_model = model;
    IF pg_size_bytes(current_setting('maintenance_work_mem')) < wanted * 1048576 THEN
        PERFORM set_config('maintenance_work_mem', wanted || 'MB', true);
    END IF;
    EXECUTE format(
        CASE WHEN mock
            THEN 'CREATE INDEX IF NOT EXISTS %1$I ON tvdb.vector_rows USING hnsw ((embedding::%2$s.halfvec(1536)) %2$s.halfvec_cosine_ops)'
                 ' WITH (m = 16, ef_construction = 200) WHERE embedding_model = %3$L'
            ELSE 'CREATE INDEX IF NOT EXISTS %1$I ON tvdb.vector_rows USING hnsw (signs %2$s.bit_hamming_ops)'
                 ' WITH (m = 16, ef_construction = 100) WHERE embedding_model = %3$L'
        END, name, types, model);
    RETURN name;
END $$;
COMMENT ON FUNCTION tvdb.make_vector_index(text) IS 'makes the index over the vectors of a model if it is missing; its name';
REVOKE ALL ON FUNCTION tvdb.make_vector_index(text) FROM PUBLIC;
