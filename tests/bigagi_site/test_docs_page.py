import pytest

pytestmark = pytest.mark.browser


def test_the_api_can_be_read_and_tried_under_the_strict_policy(page):
    page.goto("/api/docs")
    page.locator("#operations-chats-chats_list").wait_for()
    page.locator("#operations-chats-chats_list button.opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table .response-col_status", has_text="200").first.wait_for()
    assert '"results"' in page.locator(".live-responses-table").inner_text()
