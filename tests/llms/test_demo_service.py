"""What the Demo model says that it was sent."""

from llms.calls.demo import answer_of


def test_it_counts_one_message_of_one_word():
    answer = answer_of("echo", [{"role": "system", "content": "Help."}, {"role": "user", "content": "Hello"}])
    assert "- 1 message of this chat, 1 word\n- a system message of 1 word\n" in answer
