import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from pycrdt import Doc, Map, Text

from parvis.protocol.errors import Malformed, TooDeep
from parvis.protocol.surrogates import mend
from parvis.protocol.update import STORED, scan
from parvis.server.clock import SystemClock
from parvis.server.firewall.helpers import HelperPool, Shadow
from parvis.server.firewall.process import Confinement
from parvis.server.firewall.scanning import scan_in_helper
from parvis.server.firewall.tasks import TRIAL_APPLY
from parvis.server.ports import (
    HelperDied,
    HelperFailed,
    HelperMissing,
    HelperPanicked,
    HelperStopped,
    HelperTimeout,
)
from tests.clocks import SetClock
from tests.faults.poison import (
    DELETE_OF_ROOT,
    NESTED_ARRAYS,
    PANIC,
    kinds_of_updates,
    nested_maps,
)
from tests.server.firewall.processes import environment_of, helpers_of, wait_for_end

MiB = 1024 * 1024


def typed(text: str, client: int = 7) -> bytes:
    doc: Doc[Any] = Doc(client_id=client)
    content: Text = doc.get("text", type=Text)
    content += text
    return doc.get_update()


def a_long_work() -> bytes:
    """An update whose scan takes seconds: it is long and not plain ASCII."""
    doc: Doc[Any] = Doc(client_id=7)
    values: Map[Any] = doc.get("map", type=Map)
    for _ in range(50):
        values["key"] = [["é"] * 40] * 500
    return b"".join([b"\x01\xd0\x86\x03\x07\x00"] + [b"\x04\x01\x01t\x01a"] * 50_000 + [b"\x00"])


async def run_all_crashes(helpers: HelperPool) -> list[type[BaseException] | None]:
    """Give the three crash inputs of the research to helpers."""
    inputs: list[tuple[list[bytes], bytes]] = [
        ([], NESTED_ARRAYS),
        ([nested_maps(50_000)], DELETE_OF_ROOT),
        ([], PANIC),
    ]
    fates: list[type[BaseException] | None] = []
    for base, update in inputs:
        try:
            await helpers.run("trial", base, update, False)
            fates.append(None)
        except HelperStopped as fate:
            fates.append(type(fate))
    return fates


async def test_the_crash_inputs_end_or_spoil_helpers_only(helpers: HelperPool) -> None:
    assert await run_all_crashes(helpers) == [HelperDied, HelperDied, HelperPanicked]
    # And whoever comes next is served.
    assert await helpers.run("text", typed("still here"), "text") == "still here"


async def test_a_death_says_how_far_the_task_had_come_and_what_it_died_of(
    helpers: HelperPool,
) -> None:
    with pytest.raises(HelperDied, match="SIGSEGV") as death:
        await helpers.run("trial", [typed("one"), typed("two", 8)], NESTED_ARRAYS)
    assert death.value.step == TRIAL_APPLY


async def test_a_panic_names_its_step_and_costs_the_helper(helpers: HelperPool) -> None:
    await helpers.run("merge", [])
    before = helpers_of(os.getpid())
    with pytest.raises(HelperPanicked) as panic:
        await helpers.run("trial", [typed("one")], PANIC)
    assert (panic.value.step, panic.value.kind) == (TRIAL_APPLY, "PanicException")
    assert helpers.idle_helpers == 0
    assert all(wait_for_end(pid) for pid in before)


async def test_an_ordinary_error_is_carried_over_and_the_helper_works_on(
    helpers: HelperPool,
) -> None:
    await helpers.run("merge", [])
    before = helpers_of(os.getpid())
    with pytest.raises(HelperFailed, match="ValueError") as failure:
        await helpers.run("text", b"\xff", "text")
    assert failure.value.kind == "ValueError"
    assert not isinstance(failure.value, HelperPanicked)
    assert helpers_of(os.getpid()) == before


async def test_an_unknown_task_is_an_error_of_the_caller(helpers: HelperPool) -> None:
    with pytest.raises(HelperFailed) as failure:
        await helpers.run("make_coffee")
    assert failure.value.kind == "KeyError"


async def test_work_that_takes_too_long_is_ended() -> None:
    clock = SetClock()
    helpers = HelperPool(1, clock)
    await helpers.run("merge", [])
    (helper,) = helpers_of(os.getpid())
    slow = asyncio.create_task(helpers.run("vet", [a_long_work()] * 20, timeout=5.0))
    await asyncio.sleep(0)  # one turn: the helper has its question
    assert helpers.idle_helpers == 0
    clock.pass_time(5.0)
    with pytest.raises(HelperTimeout, match="longer than 5 s"):
        await slow
    assert wait_for_end(helper)
    assert await helpers.run("text", typed("next"), "text") == "next"
    await helpers.close()


async def test_a_caller_that_gives_up_ends_the_helper_it_waited_for(helpers: HelperPool) -> None:
    await helpers.run("merge", [])
    (helper,) = helpers_of(os.getpid())
    waiting = asyncio.create_task(helpers.run("vet", [a_long_work()] * 20))
    await asyncio.sleep(0)  # one turn: the helper has its question
    assert helpers.idle_helpers == 0
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert wait_for_end(helper)


async def test_a_caller_that_gives_up_while_a_helper_starts_leaves_no_process() -> None:
    before = helpers_of(os.getpid())
    for turns in range(6):
        pool = HelperPool(1, SystemClock())
        work = asyncio.create_task(pool.run("merge", [b"\0\0"]))
        for _ in range(turns):
            await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await pool.close()
        assert helpers_of(os.getpid()) == before, turns


async def test_a_helper_that_eats_memory_is_ended() -> None:
    helpers = HelperPool(1, SystemClock(), confinement=Confinement(address_space=200 * MiB))
    with pytest.raises(HelperStopped) as fate:
        await helpers.run("squash", [typed("x" * 40 * MiB)])
    assert isinstance(fate.value, HelperDied) or fate.value.args[0].count("MemoryError")
    assert helpers.idle_helpers == 0
    assert await helpers.run("text", typed("small"), "text") == "small"
    await helpers.close()


async def test_a_result_over_the_bound_is_refused() -> None:
    helpers = HelperPool(1, SystemClock(), confinement=Confinement(largest_result=1024))
    with pytest.raises(HelperFailed, match="at most 1024 bytes"):
        await helpers.run("merge", [typed("x" * 2000)])
    assert await helpers.run("text", typed("small"), "text") == "small"
    await helpers.close()


async def test_no_more_helpers_run_than_the_pool_may_have() -> None:
    helpers = HelperPool(2, SystemClock())
    before = helpers_of(os.getpid())
    texts = await asyncio.gather(
        *(helpers.run("text", typed(f"text {n}"), "text") for n in range(20))
    )
    assert texts == [f"text {n}" for n in range(20)]
    assert len(helpers_of(os.getpid()) - before) == 2
    await helpers.close()
    assert helpers_of(os.getpid()) == before


async def test_a_helper_with_nothing_to_do_is_ended_after_a_while() -> None:
    clock = SetClock()
    helpers = HelperPool(1, clock, idle=60.0)
    await helpers.run("merge", [])
    (helper,) = helpers_of(os.getpid())
    clock.pass_time(59.0)
    assert helpers.idle_helpers == 1
    clock.pass_time(1.0)
    assert helpers.idle_helpers == 0
    assert wait_for_end(helper)
    await helpers.close()


async def test_a_helper_lost_while_idle_is_not_blamed_on_the_next_task(
    helpers: HelperPool,
) -> None:
    await helpers.run("merge", [])
    (helper,) = helpers_of(os.getpid())
    os.kill(helper, signal.SIGKILL)
    assert wait_for_end(helper)
    assert await helpers.run("text", typed("fine"), "text") == "fine"


async def test_helpers_that_cannot_start_are_missing_not_dead() -> None:
    helpers = HelperPool(1, SystemClock(), confinement=Confinement(address_space=4 * MiB))
    with pytest.raises(HelperMissing):
        await helpers.run("text", typed("x"), "text")
    await helpers.close()


async def test_a_closed_pool_takes_no_more_work(helpers: HelperPool) -> None:
    await helpers.close()
    with pytest.raises(HelperMissing):
        await helpers.run("merge", [])


async def test_losses_are_counted_by_what_they_were() -> None:
    losses: list[str] = []
    helpers = HelperPool(1, SystemClock(), on_loss=losses.append)
    await run_all_crashes(helpers)
    with pytest.raises(HelperFailed):
        await helpers.run("text", b"\xff", "text")
    await helpers.close()
    assert losses == ["died", "died", "panicked"]


def test_helpers_die_with_the_process_that_started_them() -> None:
    code = """if True:
        import asyncio
        from parvis.server.clock import SystemClock
        from parvis.server.firewall.helpers import HelperPool
        async def main():
            helpers = HelperPool(1, SystemClock())
            await helpers.run("merge", [])
            print("ready", flush=True)
            await asyncio.Event().wait()
        asyncio.run(main())
    """
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        (helper,) = helpers_of(worker.pid)
        worker.kill()
        assert wait_for_end(helper)


async def test_helpers_do_not_see_the_settings(
    helpers: HelperPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARVIS_AUTH__APPS__SHOP__SECRET", "a secret that nobody may read")
    await helpers.run("merge", [])
    (helper,) = helpers_of(os.getpid())
    seen = environment_of(helper)
    assert b"PATH=" in seen
    assert b"PARVIS_" not in seen


async def test_a_scan_elsewhere_sees_what_a_scan_here_sees(helpers: HelperPool) -> None:
    for update in kinds_of_updates():
        elsewhere = await scan_in_helper(helpers, update, STORED)
        here = dataclasses.asdict(scan(update, STORED))
        assert dataclasses.asdict(elsewhere) == here | {"cuts_none": mend([update]) == [update]}


async def test_a_scan_elsewhere_refuses_as_a_scan_here_does(helpers: HelperPool) -> None:
    for update, kind in ((NESTED_ARRAYS, TooDeep), (PANIC, Malformed), (b"\xff", Malformed)):
        with pytest.raises(kind) as here:
            scan(update)
        with pytest.raises(kind) as elsewhere:
            await scan_in_helper(helpers, update)
        assert type(elsewhere.value) is type(here.value)
        assert str(elsewhere.value) == str(here.value)


async def test_a_shadow_takes_updates_until_one_breaks_it() -> None:
    shadow = Shadow(SystemClock())
    await shadow.open([nested_maps(50_000)])
    await shadow.apply(typed("harmless"))
    with pytest.raises(HelperFailed) as refusal:
        await shadow.apply(b"\xff")
    assert refusal.value.kind == "ValueError"
    assert shadow.is_open
    with pytest.raises(HelperDied):
        await shadow.apply(DELETE_OF_ROOT)
    assert not shadow.is_open
    with pytest.raises(HelperMissing):
        await shadow.apply(typed("harmless"))
    await shadow.open([])
    await shadow.apply(DELETE_OF_ROOT)
    await shadow.close()


async def test_a_shadow_that_cannot_be_opened_names_the_update_it_stopped_at() -> None:
    shadow = Shadow(SystemClock())
    with pytest.raises(HelperPanicked) as panic:
        await shadow.open([typed("one"), PANIC])
    assert panic.value.step == 1
    assert not shadow.is_open
