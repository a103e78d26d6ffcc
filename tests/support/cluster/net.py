"""The network of the cluster: a switch, and a machine behind each of its cables.

As root on Linux each machine is a network namespace, and cutting its cable is real: nothing comes
and nothing is answered. Elsewhere the machines are addresses of this one, and what stands behind a
cut cable is stopped (SIGSTOP): the kernel still takes connections, and nobody answers.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


class Machine:
    """One server: where it is reached, and what runs on it."""

    def __init__(self, net: Net, name: str, number: int) -> None:
        self.net, self.name = net, name
        self.address = f"{net.prefix}.{number}"
        self.namespace = f"{net.tag}{name}"
        self.cable = f"{net.tag}{number}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        if net.real:
            _ip("netns", "add", self.namespace)
            _ip("link", "add", self.cable, "type", "veth", "peer", "name", "eth0",
                "netns", self.namespace)  # fmt: skip
            _ip("link", "set", self.cable, "master", net.switch, "up")
            self._inside("addr", "add", f"{self.address}/24", "dev", "eth0")
            self._inside("link", "set", "eth0", "up")
            self._inside("link", "set", "lo", "up")

    @property
    def prefix(self) -> list[str]:
        """What a command line begins with to run there."""
        return ["ip", "netns", "exec", self.namespace] if self.net.real else []

    def start(
        self, label: str, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path
    ) -> None:
        """Start a program there; its name is what it is killed by."""
        with log.open("ab") as output:
            self.running[label] = subprocess.Popen(
                [*self.prefix, *command], cwd=cwd, env={**env, "PATH": _PATH},
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    def kill(self, label: str) -> None:
        """End it as a power cut would."""
        process = self.running.pop(label)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self, label: str) -> None:
        """End it as its service manager would."""
        process = self.running.pop(label)
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def cut(self) -> None:
        """Pull the cable."""
        if self.net.real:
            _ip("link", "set", self.cable, "down")
        else:
            self._signal(signal.SIGSTOP)

    def mend(self) -> None:
        """Put it back."""
        if self.net.real:
            _ip("link", "set", self.cable, "up")
        else:
            self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        for process in self.running.values():
            os.killpg(process.pid, number)

    def _inside(self, *words: str) -> None:
        _ip("-n", self.namespace, *words)


class Net:
    """All machines."""

    def __init__(self) -> None:
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        allowed = root and not os.environ.get("CLUSTER_PLAIN") and shutil.which("ip", path=_PATH)
        numbers = random.sample(range(200), 3)
        #: Another run, or one that was killed, may have the first number.
        made = next((n for n in numbers if allowed and self._make(n)), None)
        self.real = made is not None
        number = numbers[0] if made is None else made
        self.tag, self.switch = _names(number)
        self.prefix = f"10.219.{number}" if self.real else f"127.77.{number}"
        self.machines: dict[str, Machine] = {}
        #: The switch has an address of its own: the tests are reached and reach others by it.
        self.here = f"{self.prefix}.1"

    def add(self, name: str) -> Machine:
        """One more machine."""
        made = self.machines[name] = Machine(self, name, 11 + len(self.machines))
        return made

    def _make(self, number: int) -> bool:
        tag, switch = _names(number)
        try:
            _ip("link", "add", switch, "type", "bridge")
        except subprocess.CalledProcessError:
            return False
        try:
            _ip("addr", "add", f"10.219.{number}.1/24", "dev", switch)
            _ip("link", "set", switch, "up")
            _ip("netns", "add", f"{tag}try")
            _ip("netns", "del", f"{tag}try")
        except subprocess.CalledProcessError:
            _ip("link", "del", switch)
            return False
        return True

    def remove(self) -> None:
        """Kill what still runs, take everything down."""
        for machine in self.machines.values():
            for label in [*machine.running]:
                machine.mend()
                machine.kill(label)
        if self.real:
            for machine in self.machines.values():
                _ip("netns", "del", machine.namespace)
            _ip("link", "del", self.switch)


@contextlib.contextmanager
def network() -> Iterator[Net]:
    """A network of one's own, gone at the end."""
    made = Net()
    try:
        yield made
    finally:
        made.remove()


def _names(number: int) -> tuple[str, str]:
    """What the namespaces' names begin with, and the switch."""
    return f"ad{number}", f"ad{number}sw"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, env={"PATH": _PATH}, capture_output=True, timeout=30)


def until(true: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Ask again until it is so."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(Exception):
            if true():
                return
        assert time.monotonic() < end, f"it did not come to that: {what}"
        time.sleep(0.05)
