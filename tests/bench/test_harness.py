# SPDX-License-Identifier: MIT
"""What scripts/bench makes of figures: ratios, targets, the order of a run, what it writes."""

import io
import json
import os
import subprocess
import tempfile
import types
import unittest
import xml.dom.minidom

from bench.harness import measures, peers, plan, report, series, stats, targets, tunnel
from bench.harness.results import Results
from bench.harness.rows import Program, Row, Veth


def sample(number, row, name=series.HEADLINE, **figures):
    return {"round": number, "series": name, "row": row, **figures}


# The machine gets slower by the round, the tunnel always has a quarter: medians of each row's
# figures would say 0.2.
SLOWING = [
    sample(0, "veth", up_gbps=80.0),
    sample(0, "wt-openssl", up_gbps=20.0),
    sample(1, "veth", up_gbps=40.0),
    sample(1, "wt-openssl", up_gbps=10.0),
    sample(2, "veth", up_gbps=8.0),
    sample(2, "wt-openssl", up_gbps=2.0),
]


class Stats(unittest.TestCase):
    def test_percentile(self):
        for values, share, expected in (
            ([7], 0.5, 7),
            ([7], 0.99, 7),
            ([3, 1, 2], 0.5, 2),
            ([4, 3, 2, 1], 0.5, 2),
            (range(1, 101), 0.5, 50),
            (range(1, 101), 0.99, 99),
            (range(1, 1001), 0.99, 990),
            (range(1, 101), 1.0, 100),
        ):
            with self.subTest(values=values, share=share):
                self.assertEqual(stats.percentile(values, share), expected)

    def test_spread(self):
        for values, median, low, high in (
            ([5], 5, 5, 5),
            ([3, 1, 2], 2, 1, 3),
            ([4, 1, 3, 2], 2.5, 1, 4),
        ):
            with self.subTest(values=values):
                found = stats.Spread(values)
                self.assertEqual((found.median, found.low, found.high), (median, low, high))

    def test_ratio_is_formed_within_a_round(self):
        found = stats.ratio(SLOWING, series.HEADLINE, "wt-openssl", "veth", "up_gbps")
        self.assertEqual(found.values, [0.25, 0.25, 0.25])

    def test_ratio_leaves_out_rounds_without_a_partner(self):
        lacking = [s for s in SLOWING if (s["round"], s["row"]) != (1, "veth")]
        found = stats.ratio(lacking, series.HEADLINE, "wt-openssl", "veth", "up_gbps")
        self.assertEqual(found.values, [0.25, 0.25])

    def test_nothing_measured_is_no_figure(self):
        for samples in ([], SLOWING[:1], [sample(0, "veth", "default", up_gbps=1.0), SLOWING[1]]):
            self.assertIsNone(
                stats.ratio(samples, series.HEADLINE, "wt-openssl", "veth", "up_gbps")
            )
        self.assertIsNone(stats.spread(SLOWING, series.HEADLINE, "veth", "down_gbps"))

    def test_a_ratio_to_nothing_is_left_out(self):
        self.assertIsNone(stats.ratio_in_rounds({0: 1.0}, {0: 0.0}))

    def test_what_was_measured_next_to_the_bare_link_counts(self):
        paired = [{**s, "up_of_veth": 0.5} if s["row"] == "wt-openssl" else s for s in SLOWING]
        for samples, expected in ((paired, [0.5] * 3), (SLOWING, [0.25] * 3), ([], None)):
            found = stats.of_base(samples, series.HEADLINE, "wt-openssl", "veth", "up_gbps")
            with self.subTest(expected=expected):
                self.assertEqual(found and found.values, expected)
        bare = stats.of_base(paired, series.HEADLINE, "veth", "veth", "up_gbps")
        self.assertEqual(bare.values, [1.0] * 3)

    def test_best_in_rounds(self):
        samples = [
            sample(0, "fastd", packets_per_s=5),
            sample(0, "tinc", packets_per_s=7),
            sample(1, "fastd", packets_per_s=6),
        ]
        found = stats.best_in_rounds(
            samples, series.HEADLINE, ("fastd", "tinc", "absent"), "packets_per_s"
        )
        self.assertEqual(found, {0: 7, 1: 6})


class Targets(unittest.TestCase):
    def test_verdicts(self):
        for at_most, figure, verdict in (
            (False, 0.15, "missed"),
            (False, 0.16, "met"),
            (False, 0.20, "aim met"),
            (True, 0.21, "missed"),
            (True, 0.20, "met"),
            (True, 0.16, "aim met"),
        ):
            must, aim = (0.20, 0.16) if at_most else (0.16, 0.20)
            target = targets.Target("it", "", must, aim, at_most, None)
            with self.subTest(at_most=at_most, figure=figure):
                self.assertEqual(target.verdict(stats.Spread([figure])), verdict)
        self.assertEqual(targets.ALL[0].verdict(None), "not measured")

    def test_an_aim_is_not_easier_than_its_must(self):
        for target in targets.ALL:
            with self.subTest(target=target.what):
                harder = target.aim <= target.must if target.at_most else target.aim >= target.must
                self.assertTrue(harder)

    def test_first_target(self):
        self.assertEqual(targets.ALL[0].find(SLOWING).median, 0.25)


class Loaded(unittest.TestCase):
    def test_a_slice_with_pings_is_compared_with_its_neighbours(self):
        for slices, expected in (
            ([10, 9, 10], 0.9),
            ([10, 9, 8], 1.0),  # the machine became slower meanwhile
            ([10, 9, 10, 8, 10, 1, 10], 0.8),
            ([10, None, 10, 8, 10], 0.8),
            ([None, 9, 10, 8, 10], 0.8),
            ([0, 9, 0], None),
            ([10, None, 10], None),
            ([10], None),
        ):
            with self.subTest(slices=slices):
                self.assertEqual(measures.share_of_neighbours(slices), expected)

    def test_only_intervals_of_a_server_count(self):
        said = (
            "Accepted connection from 10.8.0.2, port 1\n"
            "[ ID] Interval           Transfer     Bitrate\n"
            "[  5]   0.00-0.10   sec   812 MBytes  8000 Mbits/sec                  \n"
            "[  5]   0.10-0.20   sec   812 MBytes  6000 Mbits/sec                  \n"
            "[  5]   0.00-0.20   sec  1.62 GBytes  7000 Mbits/sec                  receiver\n"
        )
        arrivals = measures.Arrivals(types.SimpleNamespace(stdout=io.StringIO(said)))
        arrivals.run()
        self.assertEqual([rate for _, rate in arrivals.intervals], [8000, 6000])
        self.assertTrue(arrivals.first.is_set())

    def test_an_interval_counts_where_it_lies_whole(self):
        arrivals = measures.Arrivals(None)
        arrivals.intervals = [(1.05, 9000), (1.15, 5000), (1.25, 7000), (1.35, 1000)]
        self.assertEqual(arrivals.gbps(1.0, 1.3), 6.0)
        self.assertIsNone(arrivals.gbps(2.0, 3.0))


class Pinned(unittest.TestCase):
    def test_one_processor_for_all_and_then_every_one_again(self):
        before = os.sched_getaffinity(0)
        with subprocess.Popen(["sleep", "60"]) as other:
            self.addCleanup(other.kill)
            with measures.one_processor([other.pid, 2**22 + 1]):
                self.assertEqual(os.sched_getaffinity(other.pid), os.sched_getaffinity(0))
                self.assertEqual(len(os.sched_getaffinity(0)), 1)
            self.assertEqual(os.sched_getaffinity(other.pid), before)
            self.assertEqual(os.sched_getaffinity(0), before)
            other.kill()


class Tcp(Row):
    name, title, outer = "tcp-row", "over TCP", "tcp"


class Udp(Row):
    name, title, outer = "udp-row", "over UDP", "udp"


class Link(Veth):
    pass


class Plan(unittest.TestCase):
    rows = [Link(), Tcp(), Udp()]

    def order(self, **options):
        turns = plan.make(**{"rounds": 2, "rows": self.rows, "quick": False, **options})
        return [(turn.round, turn.series.name, turn.row.name) for turn in turns]

    def test_rows_take_turns(self):
        self.assertEqual(
            self.order(series=[series.BY_NAME["cubic"]]),
            [(n, "cubic", row.name) for n in (0, 1) for row in self.rows],
        )

    def test_a_series_about_outer_tcp_leaves_out_the_others(self):
        self.assertEqual(
            self.order(series=[series.BY_NAME["inner-default"]], rounds=1),
            [(0, "inner-default", "veth"), (0, "inner-default", "tcp-row")],
        )

    def test_system_calls_are_traced_once(self):
        turns = plan.make(3, [series.BY_NAME["cubic"]], self.rows[:1], False)
        self.assertEqual([turn.round for turn in turns if "syscalls" in turn.steps], [2])

    def test_streams_are_paired_with_the_bare_link(self):
        for name, quick, expected in (
            ("cubic", False, {"veth": 0, "tcp-row": 2, "udp-row": 2}),
            ("cubic", True, {"veth": 0, "tcp-row": 1, "udp-row": 1}),
            ("default", False, {"veth": 0, "tcp-row": 1, "udp-row": 1}),
            ("loss-1-cubic", False, {"veth": 0, "tcp-row": 0, "udp-row": 0}),
        ):
            turns = plan.make(1, [series.BY_NAME[name]], self.rows, quick, chosen=True)
            with self.subTest(series=name, quick=quick):
                self.assertEqual({turn.row.name: turn.pairs for turn in turns}, expected)

    def test_a_run_ends_within_the_time_that_its_help_says(self):
        rows = [Veth(), *tunnel.ROWS, *peers.ROWS]
        whole = plan.make(5, series.ALL, rows, False)
        self.assertLess(plan.estimate_s(whole, 2), 55 * 60)
        quick = plan.make(1, [series.BY_NAME[series.HEADLINE]], rows, True)
        self.assertLess(plan.estimate_s(quick, 1), 110)

    def test_an_extra_row_is_in_the_headline_of_a_whole_run_or_asked_for(self):
        class Extra(Udp):
            name, extra = "extra", True

        default = series.BY_NAME["default"]
        headline = series.BY_NAME[series.HEADLINE]
        for one, quick, chosen, expected in (
            (headline, False, False, True),
            (headline, True, False, False),
            (default, False, False, False),
            (headline, True, True, True),
            (default, False, True, True),
        ):
            with self.subTest(series=one.name, quick=quick, chosen=chosen):
                turns = plan.make(1, [one], [Extra()], quick, chosen)
                self.assertEqual(len(turns) == 1, expected)

    def test_bad_ways(self):
        class Compared(Udp):
            name, on_bad_ways = "compared", True

        one = series.BY_NAME["loss-1-cubic"]
        self.assertEqual((one.way.loss_percent, one.way.round_trip_ms), (1, 20))
        turns = plan.make(5, [one], [Compared(), Tcp()], False)
        self.assertEqual([turn.row.name for turn in turns], ["compared"] * one.rounds)
        self.assertEqual(
            plan.estimate_s(turns, 1), len(turns) * (plan.START_S + one.seconds + plan.STEP_S)
        )
        asked = plan.make(1, [one], [Compared(), Tcp()], False, True)
        self.assertEqual([turn.row.name for turn in asked], ["compared", "tcp-row"])

    def test_series_that_say_nothing_new(self):
        for name, default, skipped in (
            ("cubic", "cubic", False),
            ("default", "cubic", True),
            ("outer-default", "cubic", True),
            ("no-offloads", "cubic", False),
            ("default", "bbr", False),
        ):
            with self.subTest(name=name, default=default):
                reason = series.reason_to_skip(series.BY_NAME[name], default)
                self.assertEqual(reason is not None, skipped)


class Missing(unittest.TestCase):
    def test_a_row_without_its_program_says_what_to_install(self):
        class Absent(Program):
            name, programs, package = "absent", ("sh", "no-such-program"), "absent-tools"

        self.assertEqual(
            Absent().missing(),
            "no-such-program not installed (scripts/install-deps absent-tools)",
        )


class Written(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "results/run")
        machine = {
            "processors": 2,
            "processor": "a <processor>",
            "virtual": True,
            "kernel": "6.1",
            "system": "a system",
            "congestion": "bbr",
        }
        self.results = Results(
            f"{self.path}.json",
            {
                "date": "2026-01-01",
                "source": "abc",
                "machine": machine,
                "others": 0.01,
                "rounds": 3,
                "seconds": 2,
                "quick": False,
            },
        )
        for row, title, skipped in (
            ("veth", "bare veth", None),
            ("wt-openssl", "this tunnel", None),
            ("fastd", "fastd & more", "fastd not installed"),
        ):
            self.results.rows[row] = {
                "title": title,
                "outer": None,
                "version": "",
                "skipped": skipped,
            }
        self.results.series[series.HEADLINE] = {"title": "cubic", "skipped": None}
        self.results.samples = SLOWING
        self.results.save()

    def test_results_come_back(self):
        again = Results.load(f"{self.path}.json")
        self.assertEqual(again.samples, SLOWING)
        self.assertEqual(again.head["rounds"], 3)
        self.assertFalse(again.complete)

    def test_another_format_is_refused(self):
        with open(f"{self.path}.json", "w", encoding="utf-8") as file:
            json.dump({"format": 99}, file)
        with self.assertRaisesRegex(ValueError, "format 99"):
            Results.load(f"{self.path}.json")

    def test_tables(self):
        text = report.tables(self.results)
        for expected in (
            "| this tunnel | 0.250 (0.250-0.250) | 10.00 |",
            "| >= 0.16 | >= 0.2 | 0.25 (0.25-0.25) | aim met |",
            "not measured",
            "left out: fastd not installed",
            "was interrupted",
        ):
            self.assertIn(expected, text)

    def test_ways_that_lose_have_a_table_of_their_own_in_mbit(self):
        self.assertNotIn("ways that lose", report.tables(self.results))
        self.results.series["loss-1-bbr"] = {"title": "a bad way", "skipped": None}
        self.results.samples = SLOWING + [
            sample(n, "wt-openssl", "loss-1-bbr", up_gbps=gbps)
            for n, gbps in enumerate((0.0123, 0.03, 0.02))
        ]
        text = report.tables(self.results)
        self.assertIn("| row | loss-1-bbr |", text)
        self.assertIn("| this tunnel | 20.0 (12.3-30.0) |", text)
        self.assertIn("| row | cubic | of veth (range) |\n", text)

    def test_nothing_at_all_is_still_a_report(self):
        self.results.samples = []
        report.write(self.results, self.path)
        self.assertTrue(os.path.exists(f"{self.path}.md"))

    def test_plot_is_xml_with_a_bar_for_each_tunnel(self):
        report.write(self.results, self.path)
        plot = xml.dom.minidom.parse(f"{self.path}.svg")
        self.assertEqual(len(plot.getElementsByTagName("path")), 1)
        self.assertEqual(len(plot.getElementsByTagName("rect")), 2)  # and the background

    def test_docs_change_between_the_marks_alone(self):
        document = f"{self.path}-doc.md"
        with open(document, "w", encoding="utf-8") as file:
            file.write(f"before\n{report.BEGIN}old\n{report.END}after\n")
        for _ in range(2):
            report.write_docs(self.results, document)
            with open(document, encoding="utf-8") as file:
                text = file.read()
            self.assertTrue(text.startswith(f"before\n{report.BEGIN}"))
            self.assertTrue(text.endswith(f"{report.END}after\n"))
            self.assertEqual(text.count("### Targets"), 1)
            self.assertNotIn("old", text)

    def test_docs_without_marks_are_left_alone(self):
        document = f"{self.path}-doc.md"
        with open(document, "w", encoding="utf-8") as file:
            file.write("no marks\n")
        with self.assertRaisesRegex(SystemExit, "needs each of these lines once"):
            report.write_docs(self.results, document)


if __name__ == "__main__":
    unittest.main()
