"""How long a server is left alone."""

from __future__ import annotations

import pytest

from channels.backoff import pause_after
from channels.email.faults import Busy, LoginRefused, MailFault, Unreachable
from workflow.errors import DeskError, SettingsError, StoreError


@pytest.mark.parametrize(
    ("fault", "what", "first", "longest"),
    [
        (Unreachable("x"), "cannot connect", 1, 300),
        (Busy("x"), "is asked to wait", 15, 300),
        (LoginRefused("x"), "cannot log in", 30, 1800),
        (MailFault("x"), "cannot receive", 1, 300),
        (SettingsError("x"), "is not set up", 1, 300),
        (StoreError("x"), "cannot store", 5, 5),
    ],
)
def test_pauses_double_up_to_a_limit_with_jitter(
    fault: DeskError, what: str, first: float, longest: float
) -> None:
    for failures in (1, 2, 3, 9, 5000, 10**9):
        expected = min(first * 2.0 ** min(failures - 1, 20), longest)
        found = [pause_after(fault, failures) for _ in range(20)]
        assert {pause.what for pause in found} == {what}
        assert all(0.8 * expected <= pause.seconds <= 1.2 * expected for pause in found)
        assert len({pause.seconds for pause in found}) > 1


def test_a_server_that_asks_for_time_gets_it() -> None:
    assert pause_after(Busy("x", 900.0), 1).seconds == 900.0
    assert pause_after(Busy("x", 2.0), 1).seconds > 2.0
