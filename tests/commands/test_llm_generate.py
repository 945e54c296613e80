import io
import re
import sys

import pytest
from django.core.management import call_command

from creative_services.core.errors import ProviderConnectionError
from creative_services.models import Llms
from creative_services.testing import Failure, FakeProvider, LlmsFactory, Reply, override_llms
from tests.commands.running import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def row():
    return LlmsFactory(name="Mini", model="mini", cost_per_1k_input=0.001, cost_per_1k_output=0.002)


@pytest.fixture
def provider(row):
    with override_llms() as provider:
        yield provider


@pytest.mark.parametrize("how", [(), ("--stream",)])
def test_the_text_goes_to_stdout_and_the_summary_to_stderr(provider, how):
    provider.answer_with(Reply(["Once ", "upon"]))

    done = run("llm_generate", "Tell", *how)

    assert done.out == "Once upon\n"
    assert done.err.startswith("Mini (openai mini): 3 + 5 tokens, $0.000013, ")
    assert done.err.endswith(" s\n")
    assert done.code == 0


def test_the_text_is_there_while_the_provider_still_talks(provider):
    seen = []

    class Watched(io.StringIO):
        def flush(self):
            seen.append(self.getvalue())

    provider.answer_with(Reply(["Once ", "upon"], pause=0.05))

    call_command("llm_generate", "Tell", "--stream", stdout=Watched(), stderr=io.StringIO())

    assert seen[:2] == ["Once ", "Once upon"]


def test_the_options_reach_the_provider(provider):
    run("llm_generate", "Tell", "--tier", "standard", "--system", "Be brief", "--max-tokens", "7")

    body = provider.requests[0].json
    assert [message["content"] for message in body["messages"]] == ["Be brief", "Tell"]
    assert 7 in body.values()


def test_a_dash_reads_the_prompt_from_stdin(provider, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("From a pipe"))

    run("llm_generate", "-")

    assert provider.prompts == ["From a pipe"]


def test_a_prompt_that_is_no_text_is_refused(provider, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), "utf-8"))

    assert "not text" in run("llm_generate", "-").error
    assert provider.requests == []


def test_an_llm_can_be_chosen_by_its_id(provider):
    dear = LlmsFactory(model="dear", tier="premium")

    run("llm_generate", "Tell", "--llm-id", str(dear.pk))

    assert provider.models == ["dear"]


def test_what_the_provider_did_not_report_is_a_question_mark(provider):
    provider.answer_with(Reply("Once", usage=None, finish_reason="length"))

    assert "? + ? tokens, cost unknown, " in (err := run("llm_generate", "Tell").err)
    assert err.endswith("ended by length\n")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["Tell", "--tier", "premium"], "NoLLMAvailableError: No active LLM in tier 'premium'"),
        (["Tell", "--llm-id", "999999"], "LLMNotFoundError: There is no active LLM with id 999999."),
        (["   "], "InvalidRequestError: `prompt` is empty."),
        (["Tell", "--max-tokens", "-3"], "InvalidRequestError: `max_tokens`"),
    ],
)
def test_what_cannot_be_is_one_clear_line(provider, words, error):
    done = run("llm_generate", *words)

    assert done.code == 1
    assert done.error.startswith(error)
    assert done.out == ""
    assert provider.requests == []


def test_a_refusal_of_the_provider_is_one_clear_line():
    LlmsFactory()
    with override_llms(provider=FakeProvider(Failure(401))):
        done = run("llm_generate", "Tell")

    assert done.code == 1
    assert done.error.startswith("AuthenticationError: ")
    assert "\n" not in done.error


def test_a_stream_that_breaks_leaves_its_text_on_a_line_of_its_own(provider):
    provider.answer_with(Reply(["Once ", "upon"], ending=ProviderConnectionError("The connection was reset.")))

    done = run("llm_generate", "Tell", "--stream")

    assert done.out == "Once upon\n"
    assert done.error.startswith("ProviderConnectionError: ")


def test_an_interrupt_stops_quietly(provider):
    def interrupt(request):
        raise KeyboardInterrupt

    provider.answer_with(interrupt)

    done = run("llm_generate", "Tell")

    assert (done.code, done.error) == (130, "Stopped.")


def test_explaining_prints_who_would_be_asked_and_asks_nobody(provider, row):
    dear = LlmsFactory(name="Dear", model="dear", cost_per_1k_input=9)
    blind = LlmsFactory(name="Unpriced", model="blind", cost_per_1k_input=None, max_tokens=9)
    lost = LlmsFactory(name="Lost", model="lost", cost_per_1k_input=0, api_key=None)

    done = run("llm_generate", "Tell", "--explain", "--max-tokens", "500")

    keyless, first, second, third = done.out.splitlines()
    assert keyless.startswith(f"   #{lost.pk} Lost (standard, openai lost): not asked: 'Lost' has no API key")
    assert re.fullmatch(rf"-> #{row.pk} Mini \(standard, openai mini\): at most \$0\.001\d+", first)
    assert second.startswith(f"   #{dear.pk} Dear (standard, openai dear): at most $")
    assert third == f"   #{blind.pk} Unpriced (standard, openai blind): cost unknown"
    assert (done.code, done.err) == (0, "")
    assert provider.requests == []


def test_explaining_names_the_cost_of_who_is_passed_by_for_a_while(provider, row):
    dear = LlmsFactory(name="Dear", model="dear", cost_per_1k_input=9)
    provider.answer_with({"mini": Failure(401), "dear": "Hi"})
    run("llm_generate", "Tell")

    cooling, first = run("llm_generate", "Tell", "--explain").out.splitlines()

    assert re.fullmatch(rf"   #{row.pk} Mini .*: at most \$0\.\d+, not asked: .*401.*", cooling)
    assert first.startswith(f"-> #{dear.pk} Dear ")


def test_explaining_a_call_that_nobody_can_serve_fails(provider, row):
    Llms.objects.update(api_key=None)

    refused = run("llm_generate", "Tell", "--explain")
    nobody = run("llm_generate", "Tell", "--explain", "--tier", "premium")

    assert "not asked" in refused.out
    assert nobody.out == ""
    assert {refused.error, nobody.error} == {"There is no LLM that would be asked."}
    assert (refused.code, nobody.code) == (1, 1)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["Tell", "--llm-id", "999999"], "LLMNotFoundError: There is no active LLM with id 999999."),
        ([" "], "InvalidRequestError: `prompt` is empty."),
    ],
)
def test_explaining_what_cannot_be_is_one_clear_line(provider, words, error):
    assert run("llm_generate", *words, "--explain").error == error


def test_explaining_is_no_stream(provider):
    assert "not allowed with" in run("llm_generate", "Tell", "--explain", "--stream").error


def test_a_stream_that_breaks_is_not_begun_anew(provider):
    LlmsFactory(model="dear", cost_per_1k_input=9)
    provider.answer_with({"mini": Reply(["Once "], ending="cut"), "dear": "Whole"})

    done = run("llm_generate", "Tell", "--stream")

    assert done.out == "Once \n"
    assert done.error.startswith("MalformedResponseError: ")
    assert provider.models == ["mini"]
