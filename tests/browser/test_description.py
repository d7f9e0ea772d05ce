"""The browsable description of the API: under the site's policy, with only our own files."""

from playwright.sync_api import Browser

from tests.conformity import document


def test_the_page_shows_every_call_and_loads_nothing_from_other_hosts(browser: Browser, server: str) -> None:
    complaints: list[str] = []
    asked: list[str] = []
    page = browser.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))

    answer = page.goto(f"{server}/api/v2/docs/")
    page.wait_for_selector(".opblock")

    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert page.locator(".opblock").count() == sum(len(calls) for calls in document()["paths"].values())
    page.locator("[id$=remettre_un_lot] .opblock-summary-control").click()
    page.wait_for_selector("text=Idempotency-Key")
    assert page.locator(".response-col_status >> text=429").count() == 1
    assert [one for one in asked if not one.startswith((server, "data:"))] == []
    assert complaints == []
    page.close()
