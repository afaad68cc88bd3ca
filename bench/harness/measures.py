# SPDX-License-Identifier: MIT
"""How a running row is measured. Each step takes a Subject and returns {measure: figure}.

Measures, by the name that they have in the results; STEP is up, down, up4 or down4:

  STEP_gbps           10^9 bits a second that arrived, of 1 or 4 TCP streams; up: client to server
  STEP_cpu_s_per_gb   CPU seconds of the whole machine for each 10^9 bytes that arrived
  up_of_veth, up_cpu_of_veth                    both in relation to the bare link a moment before
  idle_p50_ms, idle_p99_ms, idle_lost           round trips with nothing else on the way
  idle_one_cpu_p50_ms                           the same with all processes on one processor
  loaded_p50_ms, loaded_p99_ms, loaded_lost     round trips during one stream up
  loaded_gbps         that stream, while pings were on the way
  loaded_share        of the same stream just before and after them, so that fast replies are not
                      bought with throughput
  packets_per_s       UDP packets with 64 bytes of data, client to server
  packets_by_window   the same for each number of packets that may be on their way
  pss_mb, rss_peak_mb memory of the larger of the two ends, in 2^20 bytes
  syscalls_per_gb     of both ends, traced
"""

import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import threading
import time

from . import lab as hosts
from . import machine
from .rows import Failed
from .stats import percentile

SPARE_S = 15  # on top of what a measurement takes, before it has failed
IDLE_PING_S = 0.002
LOADED_PING_S = 0.004  # fewer, because what they cost is missing in the stream
IDLE_PIECES = 4  # where the scheduler puts the processes decides a piece, so several are looked at
SLICE_S = 0.5  # of a stream with pings, and without
TICK_S = 0.1  # iperf3's shortest interval


class Subject:
    """A running row between the hosts of `lab`. inner: the congestion control of the streams.
    pairs: how often a stream up is measured next to one over the bare link; 0: there is none."""

    def __init__(self, lab, row, inner, seconds, packets_program, pairs):
        self.lab, self.row, self.inner, self.seconds = lab, row, inner, seconds
        self.packets_program, self.pairs = packets_program, pairs
        self.memory = machine.Memory(row.pids())
        self.figures = {}  # what the steps so far gave


def _gbps(report):
    return report["end"]["sum_received"]["bits_per_second"] / 1e9


@contextlib.contextmanager
def _iperf_server(subject, *more):
    server = subprocess.Popen(
        subject.lab.server.command("iperf3", "-s", "-1", "--forceflush", *more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        for line in server.stdout:
            if "listening" in line:
                break
        yield server
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def _iperf(subject, streams, reverse, address=None):
    """One run of iperf3, to the row's server if no address is given; returns its report."""
    command = subject.lab.client.command(
        *("iperf3", "-c", address or subject.row.server_address, "-J"),
        *("-t", str(subject.seconds), "-P", str(streams), "-C", subject.inner),
        *(["-R"] if reverse else []),
    )
    with _iperf_server(subject):
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=subject.seconds + SPARE_S,
                check=False,
            )
            report = json.loads(done.stdout)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"iperf3 did not end; {subject.row.last_words()}") from error
        except ValueError as error:
            raise Failed(f"iperf3: {done.stderr.strip() or 'no report'}") from error
    if "error" in report:
        raise Failed(f"iperf3: {report['error']}; {subject.row.last_words()}")
    return report


def _transfer(subject, count, reverse, address=None):
    """Gbit/s of one transfer and CPU seconds for each 10^9 bytes."""
    # Memory is read once, late in the transfer, so that reading it costs next to nothing.
    look = threading.Timer(0.75 * subject.seconds, subject.memory.look)
    look.start()
    before = machine.busy_seconds()
    try:
        report = _iperf(subject, count, reverse, address)
    finally:
        look.cancel()
    spent = machine.busy_seconds() - before
    received = report["end"]["sum_received"]["bytes"]
    if received == 0:
        raise Failed(f"iperf3: nothing arrived; {subject.row.last_words()}")
    return _gbps(report), spent / (received / 1e9)


def streams(step, count, reverse):
    """A step: throughput and its price."""

    def measure(subject):
        gbps, price = _transfer(subject, count, reverse)
        return {f"{step}_gbps": gbps, f"{step}_cpu_s_per_gb": price}

    return measure


def up(subject):
    """One stream, and before each the same over the bare link: a ratio of neighbours has nothing
    of what the machine did since the bare link had its turn."""
    if subject.pairs == 0:
        return streams("up", 1, False)(subject)
    pairs = [
        (_transfer(subject, 1, False, hosts.SERVER), _transfer(subject, 1, False))
        for _ in range(subject.pairs)
    ]
    median = statistics.median
    return {
        "up_gbps": median(own[0] for _, own in pairs),
        "up_cpu_s_per_gb": median(own[1] for _, own in pairs),
        "up_of_veth": median(own[0] / bare[0] for bare, own in pairs),
        "up_cpu_of_veth": median(own[1] / bare[1] for bare, own in pairs),
    }


def _start_ping(subject, seconds, interval):
    count = int(seconds / interval)
    return subprocess.Popen(
        subject.lab.client.command(
            *("ping", "-n", "-i", str(interval), "-c", str(count)),
            *("-W", "1", subject.row.server_address),
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class _Echoes:
    """What came back to one ping, or to several."""

    def __init__(self):
        self.times, self.lost = [], 0

    def read(self, ping):
        """Waits for the end of `ping`; returns its times in ms."""
        output, _ = ping.communicate()
        times = [float(ms) for ms in re.findall(r"time=([\d.]+) ms", output)]
        sent = re.search(r"(\d+) packets transmitted, (\d+) received", output)
        if not times or not sent:
            raise Failed(f"ping: {output.strip()[-200:]}")
        self.times += times
        self.lost += int(sent.group(1)) - int(sent.group(2))
        return times

    def found(self, name):
        return {
            f"{name}_p50_ms": percentile(self.times, 0.5),
            f"{name}_p99_ms": percentile(self.times, 0.99),
            f"{name}_lost": self.lost,
        }


def _pin(pids, processors):
    """All threads of `pids`, and ours with what it starts from now on."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            for thread in os.listdir(f"/proc/{pid}/task"):
                os.sched_setaffinity(int(thread), processors)
    os.sched_setaffinity(0, processors)


@contextlib.contextmanager
def one_processor(pids):
    every = os.sched_getaffinity(0)
    try:
        _pin(pids, {max(every)})
        yield
    finally:
        _pin(pids, every)


def idle(subject):
    """As it comes, and on one processor: whether the ends of a tunnel and ping share one decides
    more than the tunnel does, and comes out differently from one second to the next."""
    echoes, middles = _Echoes(), []
    piece = subject.seconds / IDLE_PIECES
    for _ in range(IDLE_PIECES):
        times = echoes.read(_start_ping(subject, piece, IDLE_PING_S))
        middles.append(percentile(times, 0.5))
    with one_processor(subject.row.pids()):
        times = _Echoes().read(_start_ping(subject, subject.seconds / 2, IDLE_PING_S))
    return {
        **echoes.found("idle"),
        "idle_p50_ms": statistics.median(middles),
        "idle_one_cpu_p50_ms": percentile(times, 0.5),
    }


class Arrivals(threading.Thread):
    """Reads what an iperf3 server says of each interval as it ends: (moment, Mbit/s)."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self._server = server
        self.intervals = []
        self.first = threading.Event()

    def run(self):
        for line in self._server.stdout:
            rate = re.search(r"sec .* ([\d.]+) Mbits/sec\s*$", line)
            if rate:
                self.intervals.append((time.monotonic(), float(rate.group(1))))
                self.first.set()

    def gbps(self, begin, end):
        """Of the intervals that lie between; None if there is none."""
        rates = [rate for at, rate in self.intervals if begin + TICK_S <= at <= end]
        return statistics.mean(rates) / 1e3 if rates else None


def share_of_neighbours(slices):
    """slices: Gbit/s without, with, without, with, ... without pings; None where nothing is known.
    The median of what a slice with them has of the mean of its neighbours; None if none has."""
    shares = [
        2 * slices[i] / (slices[i - 1] + slices[i + 1])
        for i in range(1, len(slices) - 1, 2)
        if None not in slices[i - 1 : i + 2] and slices[i - 1] + slices[i + 1] > 0
    ]
    return statistics.median(shares) if shares else None


def _slices(subject, arrivals, echoes):
    """While a stream runs: Gbit/s of its slices, of which every second has pings."""
    bounds = []
    for number in range(4 * subject.seconds + 1):
        begin = time.monotonic()
        if number % 2 == 1:
            echoes.read(_start_ping(subject, SLICE_S, LOADED_PING_S))
        else:
            time.sleep(SLICE_S)
        bounds.append((begin, time.monotonic()))
    return [arrivals.gbps(begin, end) for begin, end in bounds]


def loaded(subject):
    """Pings come and go during one stream, which is compared with itself: between two streams more
    differs than pings."""
    echoes = _Echoes()
    command = subject.lab.client.command(
        *("iperf3", "-c", subject.row.server_address, "-C", subject.inner),
        *("-t", str(10 * subject.seconds + SPARE_S)),
    )
    with _iperf_server(subject, "-i", str(TICK_S), "-f", "m") as server:
        arrivals = Arrivals(server)
        arrivals.start()
        client = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        try:
            if not arrivals.first.wait(SPARE_S):
                raise Failed(f"iperf3: no stream; {subject.row.last_words()}")
            slices = _slices(subject, arrivals, echoes)
            if client.poll() is not None:
                raise Failed(f"iperf3: the stream ended early; {subject.row.last_words()}")
        finally:
            client.kill()
            client.wait()
            server.kill()
            arrivals.join()
    rates = [rate for rate in slices[1::2] if rate is not None]
    share = share_of_neighbours(slices)
    if share is None:
        raise Failed(f"iperf3: nothing arrived; {subject.row.last_words()}")
    return {
        **echoes.found("loaded"),
        "loaded_gbps": statistics.mean(rates),
        "loaded_share": share,
    }


def packets(subject):
    lab = subject.lab
    done = subprocess.run(
        [
            *(subject.packets_program, lab.client.path, lab.server.path),
            *(subject.row.server_address, str(subject.seconds)),
        ],
        capture_output=True,
        text=True,
        timeout=subject.seconds + SPARE_S,
        check=False,
    )
    if done.returncode != 0:
        raise Failed(done.stderr.strip())
    found = json.loads(done.stdout)
    if found["received"] == 0:
        raise Failed(f"no small packet arrived; {subject.row.last_words()}")
    return {
        "packets_per_s": found["packets_per_s"],
        "packets_by_window": found["by_window"],
    }


def syscalls(subject):
    """strace slows a process down and so changes how much it does a call: the figure says what
    order it is of. The link itself has no process."""
    pids = subject.row.pids()
    if not pids:
        return {}
    which = [word for pid in pids for word in ("-p", str(pid))]
    trace = subprocess.Popen(
        ["strace", "-c", "-f", "-qq", *which],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        report = _iperf(subject, 1, False)
    finally:
        trace.send_signal(signal.SIGINT)
        _, table = trace.communicate()
    total = re.search(r"^\s*[\d.]+\s+[\d.]+\s+\d*\s+(\d+)(?:\s+\d+)?\s+total$", table, re.MULTILINE)
    if not total:
        raise Failed(f"strace: {table.strip()[-200:]}")
    gigabytes = report["end"]["sum_received"]["bytes"] / 1e9
    return {"syscalls_per_gb": int(total.group(1)) / gigabytes}


def memory(subject):
    """What the other steps saw; takes no time."""
    found = {"pss_mb": subject.memory.pss_mb, "rss_peak_mb": subject.memory.peak_rss_mb()}
    return {name: figure for name, figure in found.items() if figure is not None}


STEPS = {
    "up": up,
    "down": streams("down", 1, True),
    "up4": streams("up4", 4, False),
    "down4": streams("down4", 4, True),
    "idle": idle,
    "loaded": loaded,
    "packets": packets,
    "memory": memory,
    "syscalls": syscalls,
}
