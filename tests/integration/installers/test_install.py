"""Installing on real Apache and nginx: what is served afterwards, and what never is."""

from __future__ import annotations

import os
import stat

import pytest

from agents.network.installers.contract import Status, Step
from agents.network.servers.inventory import take_inventory
from tests.real_servers.certificates import self_signed

pytestmark = pytest.mark.server


async def test_inventory_names_nodes_their_files_and_what_they_serve(bench):
    (report,) = await take_inventory([bench.definition], bench.installers)

    assert report.problem == ""
    assert report.version.lower().startswith(bench.server.kind)
    assert [node.names for node in report.nodes] == [("a.test", "www.a.test"), ("b.test",), ("c.test",)]
    first = report.nodes[0]
    assert first.files.certificate == bench.site.certificate
    assert first.files.key == bench.site.key
    assert first.fingerprint == bench.old.fingerprint
    assert [port.served for port in first.ports] == [bench.old.fingerprint]
    assert first.management.manageable
    path, line = first.source.rsplit(":", 1)
    assert path == str(bench.server.config)
    assert (
        "VirtualHost" if bench.server.kind == "apache" else "server"
    ) in bench.server.config.read_text().splitlines()[int(line) - 1]


async def test_a_new_certificate_is_served_after_the_install(bench):
    new = bench.authority.leaf("a.test", "www.a.test")

    outcome = await bench.rollout().install(bench.request(new))

    assert (outcome.status, outcome.reason) == (Status.INSTALLED, "")
    assert outcome.fingerprint == new.fingerprint
    assert outcome.previous_fingerprint == bench.old.fingerprint
    assert [port.served for port in outcome.ports] == [new.fingerprint]
    served = await bench.served()
    assert served.fingerprint == new.fingerprint
    assert len(served.chain) == 2
    assert (await bench.served("b.test")).fingerprint != new.fingerprint
    assert bench.leftovers() == []


async def test_the_old_self_signed_certificate_is_replaced_by_one_with_a_chain(bench):
    self_signed("a.test", days=-1).write(bench.site)
    new = bench.authority.leaf("a.test")

    outcome = await bench.rollout().install(bench.request(new))

    assert outcome.status is Status.INSTALLED
    assert (await bench.served()).fingerprint == new.fingerprint


async def test_owner_group_and_mode_stay_and_the_key_is_never_wider(bench):
    bench.site.certificate.chmod(0o644)
    bench.site.key.chmod(0o644)
    if os.geteuid() == 0:
        os.chown(bench.site.certificate, 1, 2)
        os.chown(bench.site.key, 0, 2)

    await bench.rollout().install(bench.request(bench.authority.leaf("a.test")))

    certificate, key = bench.site.certificate.stat(), bench.site.key.stat()
    assert stat.S_IMODE(certificate.st_mode) == 0o644
    assert stat.S_IMODE(key.st_mode) == 0o640
    if os.geteuid() == 0:
        assert (certificate.st_uid, certificate.st_gid, key.st_gid) == (1, 2, 2)


async def test_a_symbolic_link_stays_and_what_it_leads_to_is_replaced(bench):
    archive = bench.site.key.parent / "archive"
    archive.mkdir()
    bench.site.key.rename(archive / "key1.pem")
    bench.site.key.symlink_to(archive / "key1.pem")
    new = bench.authority.leaf("a.test")

    outcome = await bench.rollout().install(bench.request(new))

    assert outcome.status is Status.INSTALLED
    assert bench.site.key.is_symlink()
    assert (archive / "key1.pem").read_bytes() == new.key_pem()


async def test_the_same_install_again_answers_without_a_reload(bench):
    new = bench.authority.leaf("a.test")
    steps = []
    await bench.rollout().install(bench.request(new))

    again = await bench.rollout(on_step=lambda step, _: steps.append(step)).install(bench.request(new))

    assert again.status is Status.ALREADY_INSTALLED
    assert again.succeeded
    assert Step.ACTIVATE not in steps


async def test_files_that_are_there_but_not_loaded_yet_are_activated(bench):
    new = bench.authority.leaf("a.test")
    new.write(bench.site)

    outcome = await bench.rollout().install(bench.request(new))

    assert outcome.status is Status.INSTALLED
    assert (await bench.served()).fingerprint == new.fingerprint


async def test_the_plan_shows_files_and_commands_and_touches_nothing(bench):
    before = bench.site.key.read_bytes()

    plan = await bench.rollout().plan(bench.request(bench.authority.leaf("a.test")))

    assert {change.configured for change in plan.changes} == {bench.site.key, bench.site.certificate}
    assert all(change.ownership.mode & 0o007 == 0 for change in plan.changes if change.purpose.secret)
    assert [command[-1] for command in plan.commands][1] in {"graceful", "reload"}
    assert plan.warnings == ("the certificate is not for www.a.test",)
    assert (
        plan.lines()[0]
        == f"replace private-key {bench.site.key}, owner {os.getuid()}:{os.getgid()}, mode 0600"
    )
    assert any(line.startswith("run ") and line.endswith(plan.commands[1][-1]) for line in plan.lines())
    assert bench.site.key.read_bytes() == before
    assert bench.leftovers() == []


async def test_rotations_under_load_show_old_or_new_and_not_one_failure(bench, visitors):
    leaves = [bench.authority.leaf("a.test") for _ in range(10)]
    with visitors:
        for number, leaf in enumerate(leaves):
            outcome = await bench.rollout().install(bench.request(leaf, transaction=f"t-{number}"))
            assert outcome.status is Status.INSTALLED, outcome

    assert visitors.failures == []
    known = [bench.old.fingerprint, *(leaf.fingerprint for leaf in leaves)]
    assert set(visitors.seen) <= set(known)
    assert len(set(visitors.seen)) > 5


async def test_two_installs_at_once_on_one_server_take_turns(bench):
    import asyncio

    first, second = bench.authority.leaf("a.test"), bench.authority.leaf("b.test")

    outcomes = await asyncio.gather(
        bench.rollout().install(bench.request(first, transaction="t-1")),
        bench.rollout().install(bench.request(second, name="b.test", transaction="t-2")),
    )

    assert [outcome.status for outcome in outcomes] == [Status.INSTALLED] * 2
    assert (await bench.served("a.test")).fingerprint == first.fingerprint
    assert (await bench.served("b.test")).fingerprint == second.fingerprint
