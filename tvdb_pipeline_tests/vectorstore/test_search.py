"""Search: one list a model and one from full text, fused by rank, models never mixed."""

from __future__ import annotations

import numpy as np
import pytest

from tvdb_pipeline.chunking.chunks import Chunk
from tvdb_pipeline.chunking.tokens import count_tokens
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.embedding import cache
from tvdb_pipeline.embedding.client import Vectors
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.embedding.models import DIMENSIONS
from tvdb_pipeline.embedding.requests import Bought, text_hash
from tvdb_pipeline.vectorstore import rows
from tvdb_pipeline.vectorstore.search import Mode, fuse, models_present, search

MODEL_A, MODEL_B = "text-embedding-3-small", "text-embedding-3-large"
FIRE, FLOOD, KEYS = (
    "Fire damage to the roof is covered.",
    "Flooding of a basement is excluded.",
    "Lost keys are replaced.",
)


def store(database: Database, key: str, texts: list[str], model: str | None, vectors: Vectors | None = None) -> None:
    """A document with a vector for each text, those of the mock unless given, or none at all for no model."""
    hashes = [text_hash(text) for text in texts]
    chunks = [Chunk(i, text, count_tokens(text), text_hash(text), i + 1, i + 1, ()) for i, text in enumerate(texts)]
    with database.connection() as conn:
        registry.register(conn, [(key, f"{key}.pdf", None)])
        if model is not None:
            cache.put(conn, model, hashes, MockClient().embed(texts).vectors if vectors is None else vectors)
        rows.swap(conn, key, chunks, {name: Bought(model, False) for name in hashes} if model else {})


def vector(text: str) -> Vectors:
    return MockClient().embed([text]).vectors[0]


def axis(*positions: int) -> Vectors:
    rows_ = np.zeros((len(positions), DIMENSIONS), dtype=np.float32)
    rows_[range(len(positions)), positions] = 1
    return rows_


def keys(database: Database, query: str, vectors: dict[str, Vectors], mode: Mode, k: int = 5) -> list[str]:
    return [passage.key for passage in search(database, query, vectors, k, mode=mode)]


def test_vector_search_ranks_by_cosine_similarity(database: Database) -> None:
    store(database, "a", [FLOOD, FIRE], MODEL_A)
    store(database, "b", [KEYS], MODEL_A)
    found = search(database, "ignored", {MODEL_A: vector("Is fire on the roof covered?")}, 3, mode="vector")
    assert (found[0].key, found[0].path, found[0].page, found[0].text) == ("a", "a.pdf", 2, FIRE)
    assert found[0].embedding_model == MODEL_A
    expected = float(vector(FIRE) @ vector("Is fire on the roof covered?"))
    assert found[0].score == pytest.approx(expected, abs=1e-4)
    assert [passage.score for passage in found] == sorted((passage.score for passage in found), reverse=True)


def test_lexical_search_needs_no_vectors_and_matches_word_forms(database: Database) -> None:
    store(database, "a", [FIRE], None)
    store(database, "b", [FLOOD], None)
    (found,) = search(database, "Are basements flooded?", {}, 5, mode="lexical")
    assert (found.key, found.embedding_model) == ("b", None)
    assert found.score > 0


def test_lexical_search_wants_any_of_the_words_and_prefers_more(database: Database) -> None:
    store(database, "a", ["The roof is covered."], None)
    store(database, "b", ["The roof is covered against fire and hail."], None)
    store(database, "c", ["Nothing of the kind."], None)
    assert keys(database, "roof fire hail volcano", {}, "lexical") == ["b", "a"]


@pytest.mark.parametrize("query", ["", "the of and", "' & | ! ( ) :* \\", "a:*b <-> c", "%s %(x)s"])
def test_any_query_is_answered_without_an_error(database: Database, query: str) -> None:
    store(database, "a", [FIRE], MODEL_A)
    search(database, query, {}, 5, mode="lexical")
    search(database, query, {MODEL_A: vector(query)}, 5, mode="fused")


def test_vectors_of_one_model_never_find_rows_of_another(database: Database) -> None:
    store(database, "a", [FIRE], MODEL_A, axis(7))
    store(database, "b", [FLOOD], MODEL_B, axis(7))
    assert keys(database, "zzz", {MODEL_A: axis(7)[0]}, "vector") == ["a"]
    assert keys(database, "zzz", {MODEL_B: axis(7)[0]}, "vector") == ["b"]
    assert keys(database, "zzz", {MODEL_B: axis(7)[0]}, "fused") == ["b"]
    assert keys(database, "zzz", {"text-embedding-ada-002": axis(7)[0]}, "vector") == []


def test_each_model_is_asked_with_its_own_vector_and_scores_do_not_cross(database: Database) -> None:
    store(database, "a", [FIRE, KEYS], MODEL_A, axis(1, 2))
    store(database, "b", [FLOOD, "Hail is covered."], MODEL_B, axis(3, 4))
    # The best row of B is far from its vector, and still as good as the best of A: only its rank counts.
    far = 0.1 * axis(3)[0] + 0.9 * axis(9)[0]
    found = search(database, "zzz", {MODEL_A: axis(1)[0], MODEL_B: far}, 4, mode="vector")
    assert {(passage.key, passage.page) for passage in found[:2]} == {("a", 1), ("b", 1)}
    assert found[0].score == found[1].score > found[2].score


def test_a_row_without_a_vector_is_found_by_its_words_only(database: Database) -> None:
    store(database, "a", [FIRE], None)
    store(database, "b", [FLOOD], MODEL_A)
    assert keys(database, "roof fire", {MODEL_A: vector("roof fire")}, "vector") == ["b"]
    assert set(keys(database, "roof fire", {MODEL_A: vector("roof fire")}, "fused")) == {"a", "b"}


def test_fused_search_ranks_rows_with_and_without_vectors_together(database: Database) -> None:
    store(database, "words", ["The deductible deductible deductible."], None)
    store(database, "both", ["A deductible applies."], MODEL_A, axis(6))
    store(database, "vector", ["Own share of costs."], MODEL_A, axis(7))
    query = {MODEL_A: 0.6 * axis(7)[0] + 0.5 * axis(6)[0]}
    assert keys(database, "deductible", query, "vector") == ["vector", "both"]
    assert keys(database, "deductible", {}, "lexical") == ["words", "both"]
    # What has no vector to be compared with is ranked by its words alone, and is not put behind for that.
    assert keys(database, "deductible", query, "fused") == ["words", "both", "vector"]


def test_fusion_prefers_what_both_lists_name() -> None:
    words, both, near = ("words", 0), ("both", 0), ("near", 0)
    scores = fuse([[near, both], [words, both]])
    assert scores[both] > max(scores[words], scores[near])


def test_no_more_than_k_passages_are_given(database: Database) -> None:
    store(database, "a", [f"Clause {number} on fire." for number in range(70)], MODEL_A)
    for mode in ("vector", "fused", "lexical"):
        found = search(database, "fire", {MODEL_A: vector("fire")}, 60, mode=mode)  # pyright: ignore
        assert len(found) == 60
        assert len({passage.text for passage in found}) == 60
    assert len(search(database, "fire", {MODEL_A: vector("fire")}, 1, mode="fused")) == 1


def test_the_same_question_has_the_same_answer(database: Database) -> None:
    store(database, "b", [FIRE], MODEL_A)
    store(database, "a", [FIRE], MODEL_A)
    assert keys(database, "fire", {}, "lexical") == keys(database, "fire", {}, "lexical") == ["a", "b"]


def test_an_empty_table_has_no_answer_and_no_models(database: Database) -> None:
    assert search(database, "fire", {MODEL_A: vector("fire")}, 5, mode="fused") == []
    assert models_present(database) == []


def test_the_models_present_are_those_with_vectors(database: Database) -> None:
    store(database, "a", [FIRE, KEYS], MODEL_B)
    store(database, "b", [FLOOD], MODEL_A)
    store(database, "c", ["Hail."], None)
    assert models_present(database) == [MODEL_B, MODEL_A]


def test_fusion_counts_ranks_only() -> None:
    x, y, z = ("x", 0), ("y", 0), ("z", 0)
    scores = fuse([[x, y], [y, z]])
    assert scores[y] == pytest.approx(1 / 62 + 1 / 61)
    assert scores[x] == pytest.approx(1 / 61)
    assert scores[z] == pytest.approx(1 / 62)
    assert sorted(scores, key=lambda row: -scores[row]) == [y, x, z]


def test_fusing_nothing_gives_nothing() -> None:
    assert fuse([]) == {}
    assert fuse([[], []]) == {}


def test_rows_no_query_vector_could_be_compared_with_are_not_put_behind_those_it_could() -> None:
    judged, unjudged = ("a", 0), ("b", 0)
    scores = fuse([[judged], [unjudged, judged]], {unjudged})
    assert scores[unjudged] == 2 / 61
    assert scores[unjudged] > scores[judged]
