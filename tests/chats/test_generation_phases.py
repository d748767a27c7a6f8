"""The phases of a generation: which follow which, and that a stream keeps to them."""

import asyncio
from collections.abc import Iterator

import pytest

from chats.generations.phases import TRANSITIONS, Phase
from chats.generations.prompt import Prompt
from chats.generations.requests import StartedGeneration
from chats.generations.stream import GenerationStream
from chats.models import Generation
from llms.callable_model import CallableModel


@pytest.fixture
def stream() -> Iterator[GenerationStream]:
    model = CallableModel("m", "m", "", "s", "openai")
    loop = asyncio.new_event_loop()
    yield GenerationStream(StartedGeneration(Generation(uid="g"), model, Prompt(), None, {}, 0, 1), loop)
    loop.close()


def test_each_phase_leads_to_the_end_and_the_end_nowhere():
    assert TRANSITIONS.keys() == set(Phase)
    leads = {Phase.ENDED}
    while more := {phase for phase, following in TRANSITIONS.items() if following & leads} - leads:
        leads |= more
    assert leads == set(Phase)
    assert not TRANSITIONS[Phase.ENDED]
    # None leads back: nothing can be called, stopped or stored twice.
    order = list(Phase)
    assert all(order.index(one) < order.index(other) for one in Phase for other in TRANSITIONS[one])


def test_any_phase_before_the_end_can_lose_its_process():
    unfinished = set(Phase) - {Phase.ABANDONED, Phase.ENDED}
    assert {phase for phase in Phase if Phase.ABANDONED in TRANSITIONS[phase]} == unfinished


@pytest.mark.parametrize("before", Phase)
@pytest.mark.parametrize("after", Phase)
def test_a_stream_enters_only_a_phase_that_follows(stream: GenerationStream, before: Phase, after: Phase):
    stream.phase = before
    may = after in TRANSITIONS[before]
    assert stream.move_to(after) is may
    assert stream.phase is (after if may else before)


def test_who_stops_before_the_call_keeps_it_from_being_made(stream: GenerationStream):
    assert stream.move_to(Phase.STOPPING)
    assert not stream.move_to(Phase.CALLING) and not stream.move_to(Phase.STOPPING)
    # A server that ends says so, even to who had asked to stop.
    assert stream.move_to(Phase.SHUTTING_DOWN) and stream.move_to(Phase.ENDING)
    assert not stream.move_to(Phase.STOPPING)


@pytest.mark.parametrize("phase", [Phase.UNSTORED, Phase.ENDED])
def test_readers_go_when_the_end_was_sent_whether_or_not_it_is_stored(stream: GenerationStream, phase: Phase):
    async def read() -> list[bytes]:
        return [content async for content in stream.read()]

    async def read_to_the_end() -> list[bytes]:
        reading = asyncio.ensure_future(read())
        await asyncio.sleep(0)
        stream.phase = Phase.ENDING
        stream.send("done", {})
        assert stream.move_to(phase)
        return await reading

    assert stream.loop.run_until_complete(read_to_the_end()) == [b"id: 1\nevent: done\ndata: {}\n\n"]
