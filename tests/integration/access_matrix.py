"""Who may open what: the expectation that every route of the panel has to meet.

A line: method, route, who is answered, with which status (to a form without content), and what
stands in the route where it is not the usual. Who is not named is refused: an officer with 403,
a stranger with the way to the sign-in page; a refused POST leaves the database as it was.

    P Petugas Pengaduan   O Operator   S Sub Koordinator   K Kepala Dinas
    B Kepala Bidang       A Admin TI   - nobody signed in

Statuses: 200 a page, 302/303 led elsewhere, 404 nothing there for anybody, 409/422 a form that is
shown again because it lacks something.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LETTERS: Final = {
    "P": "petugas",
    "O": "operator",
    "S": "subkoordinator",
    "K": "kepala",
    "B": "kabid",
    "A": "admin",
    "-": "",
}

#: What stands for each part of a route, by where the route begins; the longest beginning counts.
#: A word is the name of a place in `tests.support.world`.
PLACES: Final = {
    "/blank-stock": "one",
    "/complaints": "case",
    "/desk/news": "dispatch",
    "/desk/send": "case",
    "/dispatches": "dispatch",
    "/documents": "document",
    "/documents/attach": "case",
    "/messages": "message",
    "/papers": "case",
    "/papers/draft": "certification submit_certification",
    "/papers/return-slip": "returned resubmit",
    "/printing/reprint": "one",
    "/reference": "one",
    "/reference/holidays": "holiday",
    "/reference/office": "office",
    "/reference/regions": "region",
    "/reference/signatories": "signatory",
    "/reference/standard_minutes": "step",
    "/reference/working_hours": "working_hours",
    "/roles": "role",
    "/signing/bring": "signing sign",
    "/user-sign-ins": "user",
    "/users": "user",
}

TABLE: Final = """
GET  /                                          POSKBA   302
GET  /administration/                           A        200
GET  /audit/list/                               A        200
GET  /audit/export                              A        200
GET  /charts/steps/                             SKBA     200
GET  /process/                                  KBA      200
GET  /process/log.csv                           KBA      200
GET  /process/log.xes                           KBA      200
GET  /process/sop.bpmn                          KBA      200
GET  /sop/hidup/                                SKBA     200
POST /sop/hidup/publish                         A        200
GET  /charts/waits/                             SKBA     200
GET  /charts/trend/                             SKBA     200
GET  /charts/pauses/                            SKBA     200
GET  /charts/delivery/                          SKBA     200
GET  /charts/open/                              SKBA     200
GET  /charts/arrivals/                          SKBA     200
GET  /charts/channels/                          SKBA     200
GET  /charts/categories/                        SKBA     200
GET  /charts/kecamatan/                         SKBA     200
GET  /charts/returns/                           SKBA     200
GET  /charts/rounds/                            SKBA     200
GET  /charts/due/                               SKBA     200
GET  /charts/roles/                             SKBA     200
GET  /charts/people/                            KB       200
GET  /charts/cases/                             SKBA     200

GET  /check/                                    -POSKBA  200
POST /check/                                    -POSKBA  422
GET  /check/<code>                              -POSKBA  404    code=made-up

GET  /complaints/list/                          POSK     200
POST /complaints/search                         POSK     303
GET  /complaints/show/<pk>                      POSK     200
GET  /complaints/export                         POS      200
GET  /complaints/add                            P        200
POST /complaints/add                            P        422
POST /complaints/identity                       P        422
GET  /complaints/edit/<pk>                      P        200
POST /complaints/edit/<pk>                      P        409
POST /complaints/start/<pk>                     P        303
GET  /complaints/work/<pk>                      P        200
POST /complaints/work/<pk>                      P        303
POST /complaints/tracking                       POSK     200
POST /complaints/pause/<pk>                     P        303
POST /complaints/reveal/<pk>                    POS      303
POST /complaints/resume/<pk>                    P        303
POST /complaints/action/<string:name>/<pk>      P        303    name=verify_file
POST /complaints/action_post                    POSKBA   404
POST /complaints/batch                          POSK     303

GET  /login/code/                               -        303
GET  /login/code/                               POSKBA   302
POST /login/code/                               -        303
POST /login/code/                               POSKBA   302
GET  /confirm/                                  POSKBA   200
POST /confirm/                                  POSKBA   401

GET  /second-factor/                            POSKBA   200
POST /second-factor/begin                       POSKBA   303
POST /second-factor/confirm                     POSKBA   422
POST /second-factor/recovery                    POSKBA   409
POST /second-factor/remove                      POSKBA   303
POST /second-factor/replace                     POSKBA   303
GET  /sign-in-rules/                            A        200
POST /sign-in-rules/save                        A        303
GET  /user-sign-ins/<pk>                        A        200
POST /user-sign-ins/<pk>/end                    A        303
POST /user-sign-ins/<pk>/let-in                 A        303
POST /user-sign-ins/<pk>/remove-factor          A        303
GET  /sessions/                                 POSKBA   200
GET  /sessions/state                            POSKBA   200
GET  /sessions/state                            -        401
POST /sessions/stay                             POSKBA   200
POST /sessions/stay                             -        401
GET  /sessions/back                             -POSKBA  200
POST /sessions/end/<int:pk>                     POSKBA   404    pk=999999
POST /sessions/end-others                       POSKBA   303
POST /sessions/seen/<int:pk>                    POSKBA   303    pk=999999

GET  /desk/                                     P        200
POST /desk/send/<pk>                            P        303
POST /desk/check                                P        200
GET  /desk/returned                             P        200
GET  /desk/quiet                                P        200
POST /desk/news/<pk>                            P        303

GET  /dispatches/list/                          POS      200
POST /dispatches/search                         POS      303
GET  /dispatches/show/<pk>                      POS      200
GET  /dispatches/edit/<pk>                      P        200
POST /dispatches/edit/<pk>                      P        422
GET  /dispatches/export                         P        200

GET  /documents/list/                           POSK     200
POST /documents/search                          POSK     303
GET  /documents/show/<pk>                       POSK     200
GET  /documents/file/<public_id>                POSK     200
GET  /documents/preview/<public_id>/<int:page>  POSK     200    page=1
GET  /documents/replace/<public_id>             POS      200
POST /documents/replace/<public_id>             POS      422
GET  /documents/attach/<pk>                     POSK     200
POST /documents/attach/<pk>                     POSK     422

GET  /messages/list/                            PS       200
POST /messages/search                           PS       303
GET  /messages/show/<pk>                        PS       200
GET  /messages/whatsapp/<pk>                    P        302
POST /messages/sent/<pk>                        P        303
POST /messages/again/<pk>                       P        303
POST /messages/cancel/<pk>                      P        303

GET  /papers/receipt/<pk>                       POS      200
GET  /papers/return-slip/<pk>                   POS      200
GET  /papers/draft/<pk>                         POS      200
GET  /papers/processing/<pk>                    POS      303
GET  /papers/labels                             POS      200    ?ids=case
GET  /papers/manifest                           POS      303    ?courier=one

GET  /import/                                   P        200
POST /import/                                   P        422
GET  /import/<public_id>                        P        404    public_id=made-up
POST /import/<public_id>/take                   P        404    public_id=made-up
POST /import/<public_id>/drop                   P        404    public_id=made-up
GET  /import/template                           P        200

GET  /queue/                                    POSK     200
POST /queue/pause_step/<key>                    O        303    key=siak_check
POST /queue/resume_step/<key>                   O        303    key=siak_check

GET  /printing/                                 O        200
POST /printing/start                            O        303
GET  /printing/batch/<public_id>                O        200    public_id=print_batch
GET  /printing/file/<public_id>                 O        200    public_id=print_batch
POST /printing/answer/<public_id>               O        422    public_id=print_batch
POST /printing/close/<public_id>                O        303    public_id=print_batch
POST /printing/reprint/<pk>                     O        303

GET  /blank-stock/list/                         OSA      200
GET  /blank-stock/show/<pk>                     OSA      200
GET  /blank-stock/add                           A        200
POST /blank-stock/add                           A        422
GET  /blank-stock/edit/<pk>                     A        200
POST /blank-stock/edit/<pk>                     A        303
GET  /blank-stock/book/<pk>                     O        200
POST /blank-stock/book/<pk>                     O        422
POST /blank-stock/action/<string:name>/<pk>     POSKBA   404
POST /blank-stock/action_post                   POSKBA   404

POST /search/                                   POSK     303
POST /search/find                               POSK     200

GET  /signing/                                  K        200
POST /signing/start                             K        303
GET  /signing/batch/<public_id>                 K        404    public_id=made-up
POST /signing/batch/<public_id>/next            K        404    public_id=made-up
POST /signing/batch/<public_id>/sign            K        404    public_id=made-up
POST /signing/batch/<public_id>/fetch/<int:position>   K   404    position=1
POST /signing/batch/<public_id>/release/<int:position> K   404    position=1
POST /signing/bring/<pk>                        K        422

GET  /reports/                                  PSKB     200
POST /reports/                                  PSKB     422
GET  /reports/<public_id>                       PSKB     404    public_id=made-up
GET  /reports/<public_id>/progress              PSKB     404    public_id=made-up
POST /reports/<public_id>/cancel                PSKB     404    public_id=made-up
GET  /reports/<public_id>/file                  PSKB     404    public_id=made-up

GET  /sop/                                      POSKBA   200

POST /uploads/                                  POSK     422
GET  /uploads/<token>                           POSK     404    token=made-up
POST /uploads/<token>/delete                    POSK     404    token=made-up

GET  /reference/categories/list/                A        200
GET  /reference/categories/show/<pk>            A        200
GET  /reference/categories/add                  A        200
POST /reference/categories/add                  A        422
GET  /reference/categories/edit/<pk>            A        200
POST /reference/categories/edit/<pk>            A        303
POST /reference/categories/action/<string:name>/<pk>        POSKBA 404
POST /reference/categories/action_post          POSKBA   404

GET  /reference/channels/list/                  A        200
GET  /reference/channels/show/<pk>              A        200
GET  /reference/channels/add                    A        200
POST /reference/channels/add                    A        422
GET  /reference/channels/edit/<pk>              A        200
POST /reference/channels/edit/<pk>              A        303
POST /reference/channels/action/<string:name>/<pk>          POSKBA 404
POST /reference/channels/action_post            POSKBA   404

GET  /reference/couriers/list/                  A        200
GET  /reference/couriers/show/<pk>              A        200
GET  /reference/couriers/add                    A        200
POST /reference/couriers/add                    A        422
GET  /reference/couriers/edit/<pk>              A        200
POST /reference/couriers/edit/<pk>              A        303
POST /reference/couriers/action/<string:name>/<pk>          POSKBA 404
POST /reference/couriers/action_post            POSKBA   404

GET  /reference/document_kinds/list/            A        200
GET  /reference/document_kinds/show/<pk>        A        200
GET  /reference/document_kinds/add              A        200
POST /reference/document_kinds/add              A        422
GET  /reference/document_kinds/edit/<pk>        A        200
POST /reference/document_kinds/edit/<pk>        A        303
POST /reference/document_kinds/action/<string:name>/<pk>    POSKBA 404
POST /reference/document_kinds/action_post      POSKBA   404

GET  /reference/holidays/list/                  A        200
GET  /reference/holidays/show/<pk>              A        200
GET  /reference/holidays/add                    A        200
POST /reference/holidays/add                    A        422
GET  /reference/holidays/edit/<pk>              A        200
POST /reference/holidays/edit/<pk>              A        303
POST /reference/holidays/delete/<pk>            A        303
POST /reference/holidays/action/<string:name>/<pk>          POSKBA 404
POST /reference/holidays/action_post            POSKBA   404

GET  /reference/message-texts/list/             A        200
GET  /reference/message-texts/show/<pk>         A        200
GET  /reference/message-texts/edit/<pk>         A        200
POST /reference/message-texts/edit/<pk>         A        303
POST /reference/message-texts/action/<string:name>/<pk>     POSKBA 404
POST /reference/message-texts/action_post       POSKBA   404

GET  /reference/office/list/                    A        302
GET  /reference/office/show/<pk>                A        200
GET  /reference/office/edit/<pk>                A        200
POST /reference/office/edit/<pk>                A        303
POST /reference/office/action/<string:name>/<pk>            POSKBA 404
POST /reference/office/action_post              POSKBA   404

GET  /reference/regions/list/                   A        200
GET  /reference/regions/show/<pk>               A        200
GET  /reference/regions/add                     A        200
POST /reference/regions/add                     A        422
GET  /reference/regions/edit/<pk>               A        200
POST /reference/regions/edit/<pk>               A        303
POST /reference/regions/action/<string:name>/<pk>           POSKBA 404
POST /reference/regions/action_post             POSKBA   404

GET  /reference/signatories/list/               A        200
GET  /reference/signatories/show/<pk>           A        200
GET  /reference/signatories/add                 A        200
POST /reference/signatories/add                 A        422
GET  /reference/signatories/edit/<pk>           A        200
POST /reference/signatories/edit/<pk>           A        303
POST /reference/signatories/action/<string:name>/<pk>       POSKBA 404
POST /reference/signatories/action_post         POSKBA   404

GET  /reference/standard_minutes/list/          A        200
GET  /reference/standard_minutes/show/<pk>      A        200
GET  /reference/standard_minutes/edit/<pk>      A        200
POST /reference/standard_minutes/edit/<pk>      A        303
POST /reference/standard_minutes/action/<string:name>/<pk>  POSKBA 404
POST /reference/standard_minutes/action_post    POSKBA   404

GET  /reference/working_hours/list/             A        200
GET  /reference/working_hours/show/<pk>         A        200
GET  /reference/working_hours/add               A        200
POST /reference/working_hours/add               A        422
GET  /reference/working_hours/edit/<pk>         A        200
POST /reference/working_hours/edit/<pk>         A        303
POST /reference/working_hours/delete/<pk>       A        303
POST /reference/working_hours/action/<string:name>/<pk>     POSKBA 404
POST /reference/working_hours/action_post       POSKBA   404

GET  /users/list/                               A        200
GET  /users/show/<pk>                           A        200
GET  /users/add                                 A        200
POST /users/add                                 A        422
GET  /users/edit/<pk>                           A        200
POST /users/edit/<pk>                           A        422
POST /users/action/<string:name>/<pk>           A        303    name=resetpasswords
POST /users/action_post                         POSKBA   404
GET  /users/userinfo/                           POSKBA   200
GET  /resetpassword/form                        A        200    ?pk=user
POST /resetpassword/form                        A        200    ?pk=user
GET  /resetmypassword/form                      POSKBA   200
POST /resetmypassword/form                      POSKBA   422
GET  /userinfoeditview/form                     POSKBA   200
POST /userinfoeditview/form                     POSKBA   422

GET  /roles/list/                               A        200
GET  /roles/show/<pk>                           A        200
GET  /roles/add                                 A        200
POST /roles/add                                 A        422
GET  /roles/edit/<pk>                           A        200
POST /roles/edit/<pk>                           A        422
POST /roles/action/<string:name>/<pk>           POSKBA   404
POST /roles/action_post                         POSKBA   404

GET  /login/                                    -        200
GET  /login/                                    POSKBA   302
POST /login/                                    -        200
POST /login/                                    POSKBA   302
POST /logout/                                   -POSKBA  303
POST /lang/<string:locale>                      -POSKBA  303    locale=en
"""


@dataclass(frozen=True)
class Line:
    """One expectation."""

    method: str
    rule: str
    letters: str
    status: int
    extra: str = ""

    def url(self, places: dict[str, str]) -> str:
        """The route with a real key in every place."""
        begins = [begin for begin in PLACES if self.rule.startswith(begin)]
        values = {"pk": places[PLACES[max(begins, key=len)]]} if begins else {}
        values |= {"name": "verify_file", "public_id": places["public_id"]}
        name, _, value = self.extra.partition("=")
        if name and not name.startswith("?"):
            values[name] = places.get(value, value)
        url = self.rule
        for converter in ("string:", "path:", "int:"):
            url = url.replace(f"<{converter}", "<")
        for part, text in values.items():
            url = url.replace(f"<{part}>", text)
        assert "<" not in url, f"nothing to put into {url}"
        return f"{url}{name}={places[value]}" if name.startswith("?") else url


def lines() -> list[Line]:
    """The table, line by line."""
    found = []
    for text in filter(None, map(str.strip, TABLE.splitlines())):
        method, rule, letters, status, *extra = text.split()
        assert set(letters) <= set(LETTERS), text
        found.append(Line(method, rule, letters, int(status), *extra))
    return found


def routes() -> dict[tuple[str, str], dict[str, Line]]:
    """For each method and route, the line that answers each letter."""
    table: dict[tuple[str, str], dict[str, Line]] = {}
    for line in lines():
        answered = table.setdefault((line.method, line.rule), {})
        for letter in line.letters:
            assert letter not in answered, f"two answers to {letter}: {line}"
            answered[letter] = line
    return table
