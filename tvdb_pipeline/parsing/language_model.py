"""A small English model that lives in this repository, in the place where unstructured looks for a downloaded one.

Belongs here: tokens, sentences and verbs, good enough for unstructured's title and narrative rules, and the switches
that keep unstructured off the network. Does not: reading documents.

unstructured fetches `en_core_web_sm` at the first sentence it meets. A parse that depends on the network, and gives
other chunks where the model happens to be installed, is not repeatable; so this model is used everywhere, installed or
not.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_QUIET = {"DO_NOT_TRACK": "1", "SCARF_NO_ANALYTICS": "1", "UNSTRUCTURED_DISABLE_NOTICE": "1"}

_AUXILIARIES = _words(
    """am is are was were be been being has have had having do does did done isn't aren't wasn't weren't hasn't
    haven't"""
)
_MODALS = _words("can cannot could may might must shall should will would")
_SUBJECTS = _words("i we you they he she it who which that")
_VERBS = _words(
    """accept add agree allow apply arise ask attach avoid become begin believe belong bring buy call cause choose come
    comply consist contact contain continue decide deny depend describe determine enclose ensure enter exceed exclude
    exist expire explain extend fail file find follow give go happen hold include incur indicate inform issue keep know
    lead learn leave let lose maintain make mean meet need notify obtain occur offer own perform prepare prevent proceed
    produce protect prove provide reach read receive refer reimburse reject remain remember remove replace require
    respond retain see seek sell send settle shows show sign speak specify submit take tell terminate think understand
    use verify waive want write"""
)
# Nouns as often as verbs in policies ("claim limit"): taken for verbs only where the word before says so.
_VERBS_OR_NOUNS = _words(
    """act answer benefit cancel change charge check claim cost cover date deposit drive estimate experience limit live
    name order pay plan print process question rate refund renew repair report request review risk say start state stop
    transfer travel value visit work"""
)
_IRREGULAR = _words(
    """became began brought bought came chose fell felt found gave given got held kept knew known left lost made meant
    met paid said sold sent shown spoke stood taken took told thought understood went won wrote written"""
)
_NOT_VERBS = _words(
    """anything building ceiling during evening everything heading hundred king meeting morning nothing ring sibling
    something spring string thing wedding wing aged beloved naked indeed"""
)


_LONGEST_RUN = 200
_RUN = re.compile(r"\S{201,}")


@lru_cache(maxsize=1)
def prepare() -> None:
    """Put the model in place for this process, before the first text is partitioned; later calls do nothing."""
    os.environ.update(_QUIET)
    from unstructured.nlp import tokenize

    tokenize._get_nlp = _model  # pyright: ignore[reportPrivateUsage]
    for name in ("_process_cached", "word_tokenize", "pos_tag", "_tokenize_for_cache"):
        # Another import may already have tagged text with a downloaded model.
        getattr(tokenize, name).cache_clear()


@lru_cache(maxsize=1)
def _model() -> Language:
    import spacy
    from spacy.language import Language

    Language.component("tvdb_verbs", func=_tag_verbs)
    model = spacy.blank("en")
    model.add_pipe("sentencizer")
    model.add_pipe("tvdb_verbs")
    words = model.tokenizer

    def shortened(text: str) -> Doc:
        # What is told apart by this is the kind of an element, never its text. Time grows with the square of a run of signs.
        return words(_RUN.sub(lambda run: run[0][:_LONGEST_RUN], text))

    model.tokenizer = shortened
    return model


def _tag_verbs(doc: Doc) -> Doc:
    before = ""
    # Headings do not end with a full stop: in a sentence that does, "pays" or "covers" is taken for its verb.
    is_sentence = len(doc) > 4 and doc.text.rstrip().endswith((".", "!", "?", ";"))
    for token in doc:
        # A month is not a modal, and a name at the start of a heading is not a verb in -ing.
        word = token.lower_ if token.i == 0 or not token.is_title else token.text
        certain = _is_verb(word, before)
        token.tag_ = "VB" if certain or (is_sentence and token.i and _base_forms(word) & _VERBS_OR_NOUNS) else "XX"
        if not word.endswith("ly") and word != "not":
            before = word.lower()
    return doc


def _is_verb(word: str, before: str) -> bool:
    if not word.isalpha() and "'" not in word:
        return False
    if word in _AUXILIARIES or word in _IRREGULAR:
        return True
    base = _base_forms(word)
    if base & _VERBS:
        return True
    if before in _MODALS or (before in _SUBJECTS and base & _VERBS_OR_NOUNS):
        return word.islower()
    if before == "to" and base & _VERBS_OR_NOUNS:
        return True
    return len(word) > 4 and word.islower() and word.endswith(("ed", "ing")) and word not in _NOT_VERBS


def _base_forms(word: str) -> set[str]:
    forms = {word}
    if word.endswith("s"):
        forms.add(word[:-1])
    if word.endswith("es"):
        forms.add(word[:-2])
    if word.endswith("ies"):
        forms.add(word[:-3] + "y")
    return forms
