"""An outage in the middle of a run over documents."""

from __future__ import annotations

from pydantic import SecretStr

from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.resilience.outage import faults_of, run


def test_documents_stay_searchable_and_stand_ins_are_replaced(settings: Settings) -> None:
    keyed = settings.model_copy(update={"openai_api_key": SecretStr("sk-outage"), "provider_agreement": "synthetic"})
    figures = run(keyed, documents=20)
    assert faults_of(figures) == []
