"""Once a complaint is registered its receipt is at hand, for who may print it."""

from __future__ import annotations

from tests.support.registration import the_case


def said_after(client, answer) -> str:
    """The messages on the page that a saved form leads to."""
    assert answer.status_code == 303, answer.text[:2000]
    return client.get(answer.location).text.split('class="flashes"')[1].split("<h1")[0]


def test_both_sizes_of_the_receipt_are_offered(login, filled, sent, session) -> None:
    client = login("petugas")
    said = said_after(client, sent(filled(), client=client))
    case = the_case(session)
    assert case.number in said
    for query in ("", "?size=80mm"):
        url = f"/papers/receipt/{case.id}{query}"
        assert f'href="{url}"' in said
        assert client.get(url).mimetype == "application/pdf"


def test_no_receipt_is_offered_to_who_may_not_print_it(
    login, filled, sent, session, without
) -> None:
    without("can_print", "Paper")
    client = login("petugas")
    said = said_after(client, sent(filled(), client=client))
    assert the_case(session).number in said
    assert "/papers/" not in said
