"""The two back ends of the query language agree, on random queries and random tickets."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.workflow.query.desks import (
    CONTEXT,
    add_message,
    add_ticket,
    empty_desk,
    insert,
    random_desk,
)
from workflow.query.context import Context
from workflow.query.grammar import QuerySyntaxError, parse
from workflow.query.predicate import compile_predicate
from workflow.query.search import split_words
from workflow.query.sql import compile_sql
from workflow.store.facts import load_facts

ALL_SCOPES = (True, False)


def ids_by_sql(connection, text, scoped=True):
    made = compile_sql(parse(text), CONTEXT, scoped=scoped)
    return {
        row[0]
        for row in connection.execute(
            f"SELECT ticket.id FROM ticket WHERE {made.where}", made.params
        )
    }


def ids_by_predicate(facts, text, scoped=True):
    fits = compile_predicate(parse(text), CONTEXT, scoped=scoped)
    return {ticket.id for ticket in facts if fits(ticket)}


def facts_of(connection):
    ids = [row[0] for row in connection.execute("SELECT id FROM ticket")]
    facts = load_facts(connection, ids)
    assert [ticket.id for ticket in facts] == ids
    return facts


CONDITIONS = re.findall(
    r'(?:[^\s"“]|"[^"]*"|“[^”]*”)+',
    """
    id:1 id:2,5,9 id>4 id<=3 id!=1
    status:open status:new,closed status:unresolved status:any status!=pending status:"on hold"
    status:on-hold,resolved priority:high priority>=high priority<medium priority!=low priority:none
    priority:urgent,unset priority>unset channel:email channel:TELEGRAM channel!=email account:none
    account:support,none account:bot account=bot group:finance group=Finance group:none,finance
    -group:finance assignee:me assignee:none assignee:me,none assignee!=me assignee:ben
    assignee:"none" assignee:"me" assignee:O'Neil level:l1 level:none topic:billing
    topic:none,technical language:de,ja language!=none tag:refund tag=Refund tag:none tag:none,vip
    tag!=refund tag:"none" tag:it's customer:kowal customer:muller customer:MÜLLER customer:"王"
    customer:example.com customer=ana@example.com customer:100%_s customer:orsted customer!=lukasz
    customer:w@example company:globex company:GROSSE company:none company="Globex gmbh"
    company!=globex tier:vip tier:none tier=vip tier:standard,none tier!=vip
    subject:invoice subject:100% subject:_ subject:"\\\\" subject:none subject:RUCK subject=strasse
    subject:返金 subject:возврат from:ana@example.com from:@firma.example from:müller from:ana
    from:B*B from:b_b from!=@example.com due<2h due<=0s due>0s due>=-1d due:none due!=none
    due<2026-03-02 due:today due>tomorrow due>=2026-03-02T09:30Z snoozed<1d snoozed:none
    snoozed>2026-03-01 waiting>1d waiting<=1h waiting:none age>2d age<=1h age>=0s
    created>=2026-03-01 created:yesterday created!=today created<=2026-03-02 updated<1h
    updated<2026-03-01 updated>today sentiment<-0.3 sentiment:none sentiment=0.25 sentiment!=0
    sentiment>=0 sentiment:-0.5,0.25 has:attachment has:draft has:note has:reply has!=note
    urgency:high urgency>=high urgency<critical urgency:none urgency:low,none urgency!=normal
    contacts:2 contacts>=2 contacts<2 contacts!=5 policy:vip policy:"Billing error" policy:none
    policy!=vip is:wants-person is:without-policy is!=wants-person
    has:note,reply is:unresolved is:snoozed is:spam is:merged is:escalated is:breached is:at-risk
    is:overdue is:unassigned is:waiting is:paused is!=snoozed is:at-risk,breached refund ORD-5518
    ord* "charged twice" "order ord-5518" Ruckerstattung RÜCK* große strasse debite nunez возврат
    еще возвра* 返金 返 金 お願い 注文 ord5518 ガラス カラス 환불 환 "주문 5518"
    text:refund,"charged twice"
    text!=refund o'reilly near "no" example.com müller ana “order of” "please refund"
    customer:"ana k" "お願い 注文" "order o"* "order o*"
    """,
)


def queries():
    def combine(inner):
        several = st.lists(inner, min_size=2, max_size=3)
        return st.one_of(
            several.map(
                lambda parts: " ".join(f"({part})" if " OR " in part else part for part in parts)
            ),
            several.map(lambda parts: "(" + " OR ".join(parts) + ")"),
            inner.map(lambda part: f"-({part})"),
            inner.map(lambda part: f"NOT ( {part} )"),
        )

    return st.recursive(st.sampled_from(CONDITIONS), combine, max_leaves=6)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 40), texts=st.lists(queries(), min_size=4, max_size=8))
def test_sql_and_predicate_choose_the_same_tickets(seed, texts):
    connection = random_desk(seed)
    facts = facts_of(connection)
    for text in texts:
        for scoped in ALL_SCOPES:
            assert ids_by_sql(connection, text, scoped) == ids_by_predicate(facts, text, scoped), (
                text
            )
    connection.close()


def test_every_condition_alone_agrees_and_the_tickets_tell_most_apart():
    connection = random_desk(7, tickets=150)
    facts = facts_of(connection)
    everything = {ticket.id for ticket in facts}
    blind = []
    for text in CONDITIONS:
        for negated in (text, f"-({text})"):
            chosen = ids_by_sql(connection, negated, scoped=False)
            assert chosen == ids_by_predicate(facts, negated, scoped=False), negated
        assert chosen == everything - ids_by_sql(connection, text, scoped=False), text
        if not chosen or chosen == everything:
            blind.append(text)
    assert len(blind) < len(CONDITIONS) / 10, f"conditions that choose all or none: {blind}"


@settings(max_examples=300)
@given(st.text(max_size=60) | st.text("aß返\"()-:<>=,*\\ \x00\ud800OR%_#'", max_size=25))
@example("\x00")
@example('subject:"\ud800"')
@example("id:999999999999999999")
@example("﷽" * 500)
@example("subject:" + "﷽" * 490)
@example("a " * 300)
@example("subject:" + ",".join("a" * 299))
@example("-" * 3000 + "a")
@example("(" * 3000)
@example("due<99999999999999999999999999w")
@example("created:9999-12-31")
@example("created:0001-01-01T00:00+14:00")
def test_any_text_is_either_an_error_with_a_sentence_or_runs_the_same_on_both(text):
    problem: QuerySyntaxError | None = None
    try:
        parse(text)
    except QuerySyntaxError as error:
        problem = error
    if problem:
        assert 0 <= problem.position <= len(text)
        assert "character" in str(problem)
        return
    for scoped in ALL_SCOPES:
        assert ids_by_sql(SHARED, text, scoped) == ids_by_predicate(SHARED_FACTS, text, scoped)


SHARED = random_desk(3)
SHARED_FACTS = facts_of(SHARED)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", {"open", "resolved"}),
        ("status:closed", {"closed"}),
        ("-status:open", {"resolved", "closed"}),
        ("is:unresolved", {"open"}),
        ("is:spam", {"spam"}),
        ("is:merged", {"merged"}),
        ("is:spam OR is:merged OR status:any", {"open", "resolved", "closed", "spam", "merged"}),
        ("id>0", {"open", "resolved", "closed", "spam", "merged"}),
        ("priority:medium", {"open", "resolved"}),
    ],
)
def test_the_default_scope_hides_closed_spam_and_merged_unless_named(text, shown):
    connection = empty_desk()
    customer = insert(connection, "customer", name="", company="", tier="", created_at=0)
    kinds = {
        add_ticket(connection, customer): "open",
        add_ticket(connection, customer, status="resolved"): "resolved",
        add_ticket(connection, customer, status="closed"): "closed",
        add_ticket(connection, customer, spam_at=1): "spam",
        add_ticket(connection, customer, merged_into=1): "merged",
    }
    assert {kinds[ticket] for ticket in ids_by_sql(connection, text)} == shown
    assert {kinds[ticket] for ticket in ids_by_predicate(facts_of(connection), text)} == shown
    if not text:
        assert len(ids_by_sql(connection, text, scoped=False)) == 5


def test_me_without_an_agent_is_an_error_with_a_sentence():
    with pytest.raises(QuerySyntaxError, match="assignee:me needs to know who you are"):
        compile_sql(parse("assignee:me"), Context(None, CONTEXT.now))
    with pytest.raises(QuerySyntaxError, match="--agent"):
        compile_predicate(parse("-assignee:me"), Context(None, CONTEXT.now))


def test_what_was_typed_never_stands_in_the_sql():
    made = compile_sql(
        parse('assignee:"x\' OR 1=1 --" tag:evil subject:evil evil customer:evil'), CONTEXT
    )
    assert "evil" not in made.where
    assert "1=1" not in made.where
    assert made.where.count("?") == len(made.params)


def test_facts_come_in_the_order_asked_and_leave_out_what_is_not_there():
    facts = load_facts(SHARED, [5, 999, 2])
    assert [ticket.id for ticket in facts] == [5, 2]
    assert all(ticket.texts == () for ticket in load_facts(SHARED, range(20), texts=False))


def messages_found(connection, text):
    expression, rest = split_words(parse(text))
    made = compile_sql(rest, CONTEXT, scoped=False)
    return {
        row[0]
        for row in connection.execute(
            "SELECT message.id FROM message_fts JOIN message ON message.id = message_fts.rowid"
            " JOIN ticket ON ticket.id = message.ticket_id"
            f" WHERE message_fts MATCH ? AND {made.where}",
            (expression, *made.params),
        )
    }


def test_the_search_of_messages_wants_all_words_in_one_message():
    connection = empty_desk()
    customer = insert(connection, "customer", name="", company="", tier="", created_at=0)
    ticket = add_ticket(connection, customer)
    other = add_ticket(connection, customer, status="closed")
    first = add_message(connection, ticket, "red apple")
    second = add_message(connection, ticket, "green apple pie")
    third = add_message(connection, other, "red car")
    assert messages_found(connection, "red") == {first, third}
    assert messages_found(connection, "red apple") == {first}
    assert messages_found(connection, "apple -pie") == {first}
    assert messages_found(connection, "-pie -car apple") == {first}
    assert messages_found(connection, "red (apple OR car)") == {first, third}
    assert messages_found(connection, "red status:closed") == {third}
    assert messages_found(connection, "apple (pie OR status:closed)") == {first, second}
    assert messages_found(connection, "apple (green pie OR (red -car))") == {first, second}
    # Of the ticket, words may stand in different messages.
    assert ids_by_sql(connection, "red pie") == {ticket}


@pytest.mark.parametrize("text", ["-pie", "status:open", "", "pie OR status:open", "-(a b)"])
def test_without_a_wanted_word_all_stays_with_the_ticket(text):
    assert split_words(parse(text)) == (None, parse(text))
