"""What our breakers promise beyond the protocol: an overview for people, and forgetting on request."""

from dataclasses import replace

from creative_services.testing.breaker_story import LLM
from creative_services.testing.contracts import BreakerContract

OTHERS = [replace(LLM, id=number) for number in (2, 3, 4)]


class OverviewContract(BreakerContract):
    def test_an_overview_says_which_are_left_alone_and_why(self):
        self.begin()
        cooling, probed, half_open = OTHERS
        self.fail(times=3, entry=probed)
        self.fail(times=3, entry=half_open)
        self.elapse(10)
        self.admit(probed)
        self.fail(times=3, entry=cooling)

        found = self.breaker.coolings([LLM, *OTHERS])

        assert {llm_id: refusal.seconds for llm_id, refusal in found.items()} == {2: 10, 3: 0}
        assert found[2].reason == "cooling for 10 s more: 503"
        assert found[3].reason == "another call is finding out whether it is well again: 503"

    def test_an_llm_that_is_reset_is_asked_again_and_others_are_not(self):
        self.begin()
        for entry in OTHERS:
            self.fail(times=3, entry=entry)

        assert self.breaker.reset([OTHERS[0], OTHERS[1], LLM])

        assert [self.admit(entry) is None for entry in OTHERS] == [True, True, False]
        self.fail(times=2, entry=OTHERS[0])
        assert self.admit(OTHERS[0]) is None
