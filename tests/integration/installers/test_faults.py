"""Whatever goes wrong, the port goes on serving the old certificate, and the answer says why."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import subprocess

import pytest

from agents.network.installers import placement
from agents.network.installers.contract import Status, Step
from agents.network.installers.rollout import Limits
from agents.network.installers.server_lock import server_lock
from tests.real_servers.certificates import self_signed

pytestmark = pytest.mark.server


async def assert_untouched(bench):
    """The old certificate is served by the old files, and nothing lies about."""
    assert (await bench.served()).fingerprint == bench.old.fingerprint
    assert bench.site.key.read_bytes() == bench.old.key_pem()
    assert bench.leftovers() == []
    assert bench.server.is_running()


@contextlib.contextmanager
def small_file_system(folder, options="size=64k"):
    """Mount a tmpfs over a folder for the time of a test, with the files it had."""
    content = {path.name: path.read_bytes() for path in folder.iterdir()}
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], check=True)
    try:
        for name, data in content.items():
            (folder / name).write_bytes(data)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_key_of_another_certificate_is_refused(bench):
    new = bench.authority.leaf("a.test")

    outcome = await bench.rollout().install(bench.request(new, key=bench.old.der[2]))

    assert (outcome.status, outcome.reason) == (Status.REFUSED, "KeyDiffersFromCertificate")
    await assert_untouched(bench)


async def test_a_certificate_for_another_name_is_refused(bench):
    outcome = await bench.rollout().install(bench.request(bench.authority.leaf("other.test")))

    assert (outcome.status, outcome.reason) == (Status.REFUSED, "NameNotCovered")
    await assert_untouched(bench)


async def test_an_expired_certificate_is_refused(bench):
    outcome = await bench.rollout().install(bench.request(bench.authority.leaf("a.test", days=-1)))

    assert (outcome.status, outcome.reason) == (Status.REFUSED, "CertificateExpired")
    await assert_untouched(bench)


async def test_a_node_that_does_not_exist_is_refused(bench):
    outcome = await bench.rollout().install(bench.request(bench.authority.leaf("a.test"), name="z.test"))

    assert (outcome.status, outcome.reason) == (Status.REFUSED, "NodeNotFound")


async def test_a_path_outside_the_local_policy_is_refused(bench):
    rollout = bench.rollout(allowed=lambda path: path.suffix != ".key")

    outcome = await rollout.install(bench.request(bench.authority.leaf("a.test")))

    assert (outcome.status, outcome.reason) == (Status.REFUSED, "PathNotAllowed")
    await assert_untouched(bench)


async def test_the_policy_is_asked_about_what_a_link_leads_to(bench, tmp_path):
    elsewhere = tmp_path / "elsewhere.pem"
    bench.site.certificate.rename(elsewhere)
    bench.site.certificate.symlink_to(elsewhere)
    rollout = bench.rollout(allowed=lambda path: path.parent == bench.site.key.parent)

    outcome = await rollout.install(bench.request(bench.authority.leaf("a.test")))

    assert (outcome.status, outcome.reason) == (Status.REFUSED, "PathNotAllowed")


async def test_a_broken_configuration_next_door_is_refused_in_the_servers_words(bench):
    (bench.server.directory / "sites" / "neighbour.conf").write_text("NoSuchDirective on;\n")

    outcome = await bench.rollout().install(bench.request(bench.authority.leaf("a.test")))

    assert (outcome.status, outcome.reason) == (Status.REFUSED, "ConfigurationCheckFailed")
    assert "nosuchdirective" in outcome.words.lower()
    assert "neighbour.conf" in outcome.words
    await assert_untouched(bench)


async def test_a_neighbours_mismatched_key_is_found_before_a_reload_would_end_the_server(bench):
    """Apache's own check passes here, and `graceful` would end the whole server."""
    bench.server.sites[1].key.write_bytes(self_signed("b.test").key_pem())

    outcome = await bench.rollout().install(bench.request(bench.authority.leaf("a.test")))

    assert (outcome.status, outcome.reason) == (Status.REFUSED, "ConfigurationCheckFailed")
    assert "b.key" in outcome.words
    await assert_untouched(bench)


async def test_a_key_that_another_node_uses_with_its_own_certificate_is_not_replaced(bench):
    extra = bench.server.sites[1]
    text = bench.server.config.read_text().replace(str(extra.key), str(bench.site.key))
    extra.certificate.write_bytes(bench.site.certificate.read_bytes() + b"\n")
    bench.server.config.write_text(text)

    outcome = await bench.rollout().install(bench.request(bench.authority.leaf("a.test")))

    assert (outcome.status, outcome.reason) == (Status.REFUSED, "FileShared")
    await assert_untouched(bench)


async def test_a_server_that_is_down_is_refused(bench):
    bench.server.stop()

    outcome = await bench.rollout().install(bench.request(bench.authority.leaf("a.test")))

    assert (outcome.status, outcome.reason) == (Status.REFUSED, "NodeNotReachable")
    assert bench.leftovers() == []


async def test_a_full_disk_leaves_the_old_state(bench):
    with small_file_system(bench.site.certificate.parent):
        ballast = bench.site.certificate.parent / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        bench.site.key.chmod(0o600)

        outcome = await bench.rollout().install(bench.request(bench.authority.leaf("a.test")))

        assert (outcome.status, outcome.reason) == (Status.REFUSED, "DiskFull")
        await assert_untouched(bench)


async def test_a_read_only_folder_leaves_the_old_state(bench):
    folder = bench.site.certificate.parent
    with small_file_system(folder, "size=1m"):
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)

        outcome = await bench.rollout().install(bench.request(bench.authority.leaf("a.test")))

        assert (outcome.status, outcome.reason) == (Status.REFUSED, "TargetNotWritable")
        assert "Read-only" in outcome.message
        await assert_untouched(bench)


async def test_a_file_that_is_a_mount_point_of_its_own_can_not_be_swapped_and_is_left(bench):
    """As containers mount single secrets: writable beside it, but not replaceable."""
    target = bench.site.certificate
    subprocess.run(["mount", "--bind", str(target), str(target)], check=True)
    try:
        outcome = await bench.rollout().install(bench.request(bench.authority.leaf("a.test")))
    finally:
        subprocess.run(["umount", "-l", str(target)], check=True)

    assert not outcome.succeeded
    assert outcome.reason == "TargetNotWritable"
    await assert_untouched(bench)


async def test_a_disk_that_fails_between_the_two_swaps_is_undone(bench, monkeypatch):
    real = placement.replace_file

    def fail(source, target):
        if target == bench.site.certificate and source.name.endswith(".new"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(target))
        real(source, target)

    monkeypatch.setattr(placement, "replace_file", fail)

    outcome = await bench.rollout().install(bench.request(bench.authority.leaf("a.test")))

    assert (outcome.status, outcome.reason) == (Status.ROLLED_BACK, "TargetNotWritable")
    await assert_untouched(bench)


async def test_a_configuration_that_breaks_while_files_are_swapped_is_undone_without_a_reload(bench):
    neighbour = bench.server.directory / "sites" / "neighbour.conf"

    def break_it(step, detail):
        if step is Step.CHECK:
            neighbour.write_text("NoSuchDirective on;\n")

    outcome = await bench.rollout(on_step=break_it).install(bench.request(bench.authority.leaf("a.test")))

    assert (outcome.status, outcome.reason) == (Status.ROLLED_BACK, "ConfigurationCheckFailed")
    assert outcome.fingerprint == bench.old.fingerprint
    await assert_untouched(bench)


def wrapper(bench, tmp_path, body):
    """Run the server's program through a script."""
    script = tmp_path / "control"
    script.write_text(f'#!/bin/sh\nREAL="{bench.server.program}"\n{body}\nexec "$REAL" "$@"\n')
    script.chmod(0o755)
    path = bench.state_dir / "servers.toml"
    path.write_text(path.read_text().replace(f'"{bench.server.program}"', f'"{script}"'))


async def test_a_reload_that_hangs_is_killed_and_undone(bench, tmp_path):
    wrapper(bench, tmp_path, 'case "$*" in *graceful|*reload) sleep 600;; esac')
    bench.command_timeout_s = 1

    outcome = await bench.rollout().install(bench.request(bench.authority.leaf("a.test")))

    assert (outcome.status, outcome.reason) == (Status.ROLLED_BACK, "CommandTimedOut")
    await assert_untouched(bench)


async def test_a_reload_that_fails_is_undone_in_the_commands_words(bench, tmp_path):
    wrapper(bench, tmp_path, 'case "$*" in *graceful|*reload) echo "no thanks" >&2; exit 3;; esac')

    outcome = await bench.rollout().install(bench.request(bench.authority.leaf("a.test")))

    assert (outcome.status, outcome.reason) == (Status.ROLLED_BACK, "ReloadFailed")
    assert outcome.words == "no thanks"
    await assert_untouched(bench)


async def test_a_reload_that_does_nothing_is_found_by_the_handshake(bench, tmp_path):
    wrapper(bench, tmp_path, 'case "$*" in *graceful|*reload) exit 0;; esac')
    limits = Limits(verify_s=1, roll_back_s=5)

    outcome = await bench.rollout(limits=limits).install(bench.request(bench.authority.leaf("a.test")))

    assert (outcome.status, outcome.reason) == (Status.ROLLED_BACK, "VerificationFailed")
    assert "OtherCertificateServed" in outcome.message
    await assert_untouched(bench)


async def test_a_server_that_dies_at_the_reload_is_started_with_the_old_files(bench, tmp_path):
    """What Apache does when its certificate and key don't match; here whatever the server is."""
    stopping = '$(echo "$*" | sed -E "s/(graceful|reload)\\$/stop/")'
    wrapper(bench, tmp_path, f'case "$*" in *graceful|*reload) exec "$REAL" {stopping};; esac')

    outcome = await bench.rollout().install(bench.request(bench.authority.leaf("a.test")))

    assert (outcome.status, outcome.reason) == (Status.ROLLED_BACK, "VerificationFailed")
    assert "PortClosed" in outcome.message
    await assert_untouched(bench)


async def test_apache_that_kills_itself_by_a_key_swapped_behind_our_back_is_started_again(bench):
    """The real death: a neighbour's key is exchanged after the last check, `graceful` ends the server."""
    neighbour = bench.server.sites[1].key
    good = neighbour.read_bytes()

    def sabotage(step, detail):
        if step is Step.ACTIVATE:
            neighbour.write_bytes(self_signed("b.test").key_pem())
        if step is Step.ROLL_BACK:
            neighbour.write_bytes(good)

    outcome = await bench.rollout(limits=Limits(verify_s=2, roll_back_s=15), on_step=sabotage).install(
        bench.request(bench.authority.leaf("a.test"))
    )

    assert outcome.status is Status.ROLLED_BACK
    if bench.server.kind == "apache":
        assert "PortClosed" in outcome.message
        assert "AH02565" in outcome.words
    await assert_untouched(bench)


async def test_a_roll_back_that_can_not_be_proven_keeps_its_checkpoint_and_is_settled_later(bench):
    neighbour = bench.server.directory / "sites" / "neighbour.conf"

    def break_it(step, detail):
        if step is Step.VERIFY:
            bench.server.stop()
            neighbour.write_text("NoSuchDirective on;\n")

    outcome = await bench.rollout(on_step=break_it, limits=Limits(verify_s=1, roll_back_s=1)).install(
        bench.request(bench.authority.leaf("a.test"))
    )
    assert (outcome.status, outcome.reason) == (Status.ROLL_BACK_FAILED, "VerificationFailed")
    assert bench.leftovers() == ["t-1.json"]

    neighbour.unlink()
    (settled,) = await bench.rollout().recover()

    assert settled.status is Status.ROLLED_BACK
    await assert_untouched(bench)


async def test_a_second_install_waits_for_the_lock_and_gives_up(bench):
    async with server_lock(bench.server.config, timeout_s=1):
        outcome = await bench.rollout(limits=Limits(lock_s=0.2)).install(
            bench.request(bench.authority.leaf("a.test"))
        )

    assert (outcome.status, outcome.reason) == (Status.REFUSED, "ServerBusy")
    await assert_untouched(bench)


@pytest.mark.parametrize("step", [Step.STAGE, Step.CHECK, Step.VERIFY])
async def test_a_cancelled_install_rolls_back_before_it_ends(bench, step):
    reached = asyncio.Event()

    def notice(now, detail):
        if now is step:
            reached.set()

    work = asyncio.create_task(
        bench.rollout(on_step=notice).install(bench.request(bench.authority.leaf("a.test")))
    )
    await reached.wait()
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work

    if step is not Step.VERIFY:  # a reload that is under way is seen through: its result is known soon
        await assert_untouched(bench)
    assert bench.leftovers() == []


async def test_a_transaction_name_can_not_leave_the_state_folder(bench):
    request = bench.request(bench.authority.leaf("a.test"), transaction="../t")

    outcome = await bench.rollout().install(request)

    assert (outcome.status, outcome.reason) == (Status.REFUSED, "TransactionMalformed")
    await assert_untouched(bench)
