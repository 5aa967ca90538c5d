import pytest

from parvis.client import Backoff, comes_back
from parvis.protocol import CloseCode
from tests.client.stand_ins import Dice


def test_the_bound_of_the_wait_doubles_up_to_a_limit() -> None:
    backoff = Backoff(Dice(), first=0.5, most=5.0)
    assert [backoff.next() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_a_success_starts_the_waits_over() -> None:
    backoff = Backoff(Dice(), first=0.5, most=5.0)
    backoff.next()
    backoff.next()
    backoff.reset()
    assert backoff.next() == 0.5


def test_a_thousand_failures_do_not_overflow() -> None:
    backoff = Backoff(Dice(), most=30.0)
    assert [backoff.next() for _ in range(2_000)][-1] == 30.0


@pytest.mark.parametrize("code", CloseCode)
def test_clients_come_back_as_the_table_of_close_codes_says(code: CloseCode) -> None:
    assert comes_back(code) == code.comes_back


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1011, 3499, 4500])
def test_clients_come_back_after_an_accident(code: int) -> None:
    assert comes_back(code)


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1008, 1009, 3500, 3999, 4400, 4403])
def test_clients_stay_away_after_a_final_code(code: int) -> None:
    assert not comes_back(code)
