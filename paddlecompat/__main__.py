"""What the Nox sessions call. `nox -l` is the door for people."""

from __future__ import annotations

import argparse
import io
import json
import secrets
import sys
from pathlib import Path
from typing import get_args

from paddlecompat.cells import filling, here, matrix, option_set, run_program, sanitizer
from paddlecompat.environments import beside, cuda_libraries, locks, wheels
from paddlecompat.fixtures import expectations, field_reports, folders, releases
from paddlecompat.fixtures.forms import Place
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.machine import gpus, host, interpreters
from paddlecompat.records import bench_results, mutation_results, store
from paddlecompat.records.record import CannotRun
from paddlecompat.report import pages
from paddlecompat.studies import advice, bench, gpu_code, mutation

MUTANTS = (
    "Mutants are those of reports/mutation.md by name, or FILE::NAME for one of your own: a "
    "function of any Python file that is given the true function and returns a faulty one. It "
    "stands in for paddle.masked_select, or for the --target, such as "
    "paddle.nn.functional.cross_entropy."
)


def main() -> int:
    """Run one command. Returns 2 where its arguments, or a file that people edit, are wrong."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console may lack some of the characters
            stream.reconfigure(errors="replace")
    arguments, passed_on = parser().parse_known_args()
    if passed_on and arguments.run is not run_matrix:
        parser().error(f"unknown: {' '.join(passed_on)}")
    arguments.passed_on = passed_on
    try:
        return int(arguments.run(arguments, releases.load()))
    except (ValueError, OSError, CannotRun) as error:  # a full disk, say
        print(f"error: {error}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="paddlecompat", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    sessions = commands.add_parser("sessions", help="the cells and their interpreters, as JSON")
    sessions.set_defaults(run=list_sessions)

    get = commands.add_parser("get-interpreter", help="have uv download an interpreter")
    get.add_argument("version")
    get.set_defaults(run=get_interpreter)

    fill = commands.add_parser(
        "fill",
        help="measure one cell",
        usage="nox -s CELL -- [options]",
        description="Measure one release at one place, as `nox -l` lists them.",
        epilog=MUTANTS,
        parents=[cell_options()],
    )
    fill.add_argument("cell", help=argparse.SUPPRESS)
    fill.add_argument("--environment", type=Path, help=argparse.SUPPRESS)
    fill.add_argument("--prepare", action="store_true", help=argparse.SUPPRESS)
    fill.set_defaults(run=fill_cell)

    ahead = commands.add_parser("fetch", help="fetch a cell's wheel into the cache")
    ahead.add_argument("cell")
    ahead.set_defaults(run=fetch_wheel)

    opens = commands.add_parser(
        "cuda-libraries",
        help="does all that a GPU build loads open?",
        usage="nox -s libraries -- CELL",
        description="Make a GPU cell ready, and open every CUDA library that its release will.",
    )
    opens.add_argument("cell", help="as gpu-2.5.2")
    opens.set_defaults(run=open_cuda_libraries)

    after = "Everything else is passed on to each cell's session: see nox -s cpu-2.3.2 -- --help."
    whole = commands.add_parser("matrix", help="measure every cell", epilog=after)
    whole.add_argument("-j", "--jobs", type=int, default=1, help="cells side by side")
    whole.add_argument("--fresh", action="store_true", help="do not continue an interrupted run")
    whole.set_defaults(run=run_matrix)

    here_ = commands.add_parser(
        "here",
        help="measure what is installed already",
        usage="nox -s here -- [options]",
        description="Put the properties to the Paddle that an interpreter has already, and "
        "install nothing into it.",
    )
    here_.add_argument(
        "--python",
        type=Path,
        metavar="PATH",
        help="the interpreter (default: that "
        "of the active environment, or the first on the PATH, which has Paddle)",
    )
    here_.add_argument("--place", choices=get_args(Place), help="default: gpu where there is one")
    add_choices(here_)
    add_records(here_, beside.HERE)
    here_.set_defaults(run=measure_here)

    table = commands.add_parser(
        "report",
        help="from the records to the table",
        usage="nox -s report -- [PATH ...]",
        description="Take in records from elsewhere, then make the report.",
    )
    table.add_argument("sent", nargs="*", type=Path, metavar="PATH", help="a record, or a folder")
    table.add_argument(
        "--stand-ins",
        type=Path,
        metavar="FOLDER",
        help="make a page there of records made with --stand-in, and publish nothing",
    )
    table.set_defaults(run=report_records)

    helped = commands.add_parser(
        "advice",
        help="does the advice help?",
        usage="nox -s advice -- [options] [RELEASE ...]",
        description="Follow each piece of advice on the CPU, with the defect and without it.",
    )
    helped.add_argument("releases", nargs="*", metavar="RELEASE", help="default: all")
    helped.add_argument("--seed", type=int, default=0, help="of the cases (default: 0)")
    helped.add_argument("--cases", type=int, default=40, help="a run (default: 40)")
    helped.set_defaults(run=measure_advice)

    see = commands.add_parser(
        "mutation",
        help="what the properties can see",
        usage="nox -s mutation -- [options]",
        description="Put each mutant in place, and see which properties kill it.",
        epilog=MUTANTS,
    )
    see.add_argument("releases", nargs="*", help=f"default: {' '.join(mutation.RELEASES)}")
    see.add_argument("--mutant", action="append", metavar="NAME", help="default: the catalogue")
    see.add_argument("--target", metavar="FUNCTION", help="where a mutant of your own stands")
    see.add_argument("--seeds", type=int, default=10, help="how many, from 0 (default: 10)")
    see.add_argument("--profile", choices=tuple(option_set.TIMEOUT), default="standard")
    see.add_argument("-k", dest="keyword", metavar="EXPRESSION", help="some properties only")
    see.add_argument("-j", "--jobs", type=int, default=1, help="attempts side by side")
    see.add_argument("--fresh", action="store_true", help="repeat also what was tried already")
    see.set_defaults(run=measure_mutation)

    speed = commands.add_parser(
        "bench",
        help="how fast the properties are",
        usage="nox -s bench -- [options]",
        description="Time each property: verified calls per CPU second.",
    )
    speed.add_argument("release", nargs="?", default=bench.RELEASE, help="default: %(default)s")
    speed.add_argument("--profile", choices=tuple(option_set.TIMEOUT), default="standard")
    speed.add_argument("-k", dest="keyword", metavar="EXPRESSION", help="some properties only")
    speed.set_defaults(run=measure_speed)

    code = commands.add_parser(
        "read-gpu-code",
        help="check the builds that are listed",
        usage="nox -s builds -- [RELEASE ...]",
        description="Read the GPU code out of each wheel on PyPI. Is it as releases.toml lists it?",
    )
    code.add_argument("releases", nargs="*", metavar="RELEASE", help="default: all")
    code.set_defaults(run=read_gpu_code)

    lock = commands.add_parser("lock", help="lock the cells' environments anew")
    lock.add_argument("releases", nargs="*", help='default: all, and "here": the test tools alone')
    lock.set_defaults(run=lock_releases)
    return top


def cell_options() -> argparse.ArgumentParser:
    """What people write after `--` in `nox -s cpu-2.3.2 -- …`."""
    options = argparse.ArgumentParser(add_help=False)
    add = options.add_argument
    add_choices(options)
    add("--mutant", metavar="NAME", help="put a fault in on purpose, to see it found: see below")
    add("--target", metavar="FUNCTION", help="where a mutant of your own stands: see below")
    add("--timeout", type=float, metavar="SECONDS", help="for one property")
    add("--memory-limit", type=float, metavar="GIB", help="address space of the process")
    add("--require-device", action="store_true", help="a GPU cell without a device is a failure")
    add("--strict", action="store_true", help="a violation that is gone is a failure, too")
    add("--wheel", type=Path, metavar="FILE", help="measure this wheel of the release")
    add("--build", metavar="VERSION", help="GPU: measure this build, as 2.3.2.post112")
    add(
        "--sanitize", choices=get_args(sanitizer.Tool), help="GPU: under NVIDIA's compute-sanitizer"
    )
    add("--stand-in", choices=gpus.STAND_INS, help="GPU: a device that is not there, for tests")
    add_records(options, option_set.RECORDS)
    add("--prune", action="store_true", help="keep no environment once there is a record")
    return options


def add_choices(options: argparse.ArgumentParser) -> None:
    """Which properties are asked, and how often."""
    add = options.add_argument
    profiles = "10, 100 (the default) or 1000 examples a property; ci: 100, the same ones each time"
    add("--profile", choices=tuple(option_set.TIMEOUT), default="standard", help=profiles)
    add("--seed", type=int, help="repeat a run (default: drawn, and kept in the record)")
    add("-k", dest="keyword", metavar="EXPRESSION", help="only the properties whose names match")


def add_records(options: argparse.ArgumentParser, default: Path) -> None:
    """Where the record of the whole suite goes."""
    where = f"keep the record there (default: {filling.shown(default)})"
    options.add_argument("--records", type=Path, metavar="FOLDER", default=default, help=where)


def list_sessions(arguments: argparse.Namespace, fixture: Fixture) -> int:
    cells = releases.cells(fixture)
    found = {v: interpreters.find(v) for v in {c.release.python for c in cells}}
    described = [
        {
            "name": c.name,
            "place": c.place,
            "release": c.release.version,
            "series": c.release.series,
            "python": c.release.python,
            "interpreter": path and str(path),
            "newest": c.release == releases.newest(fixture),
        }
        for c in cells
        for path in [found[c.release.python]]
    ]
    print(json.dumps(described))
    return 0


def get_interpreter(arguments: argparse.Namespace, fixture: Fixture) -> int:
    found = interpreters.download(arguments.version)
    print(found or interpreters.how_to_get(arguments.version))
    return 0


def fill_cell(arguments: argparse.Namespace, fixture: Fixture) -> int:
    wanted = releases.cell_named(arguments.cell, fixture)
    if arguments.prepare:
        return filling.make_ready(wanted, fixture, arguments.environment, arguments.wheel)
    for option in ("build", "sanitize", "stand_in"):
        if getattr(arguments, option) and wanted.place == "cpu":
            raise ValueError(f"--{option.replace('_', '-')} is for GPU cells")
    if arguments.memory_limit is not None and wanted.place == "gpu":
        raise ValueError("--memory-limit is for CPU cells: CUDA reserves more than any machine has")
    options = option_set.Options(
        option_set.Request(
            place=wanted.place,
            profile=arguments.profile,
            seed=seed(arguments),
            keyword=arguments.keyword,
            mutant=arguments.mutant and option_set.known_mutant(arguments.mutant),
            target=arguments.target,
            timeout=arguments.timeout,
            memory_limit=arguments.memory_limit,
            stand_in=arguments.stand_in,
            watch=sanitizer.installed(arguments.sanitize) if arguments.sanitize else None,
        ),
        require_device=arguments.require_device,
        strict=arguments.strict,
        prune=arguments.prune,
        wheel=arguments.wheel,
        build=arguments.build,
        records=arguments.records,
    )
    return filling.fill(wanted, fixture, arguments.environment, options)


def measure_here(arguments: argparse.Namespace, fixture: Fixture) -> int:
    request = option_set.Request(
        place=arguments.place or "cpu",
        profile=arguments.profile,
        seed=seed(arguments),
        keyword=arguments.keyword,
    )
    return here.run(
        here.Options(request, arguments.python, arguments.place, records=arguments.records)
    )


def seed(arguments: argparse.Namespace) -> int | None:
    """The seed to record: the one asked for, none for the derandomised profile, else a new one."""
    if arguments.profile == "ci":
        if arguments.seed is not None:
            raise ValueError("--seed has no effect in the ci profile, which is derandomised")
        return None
    return secrets.randbelow(2**32) if arguments.seed is None else int(arguments.seed)


def fetch_wheel(arguments: argparse.Namespace, fixture: Fixture) -> int:
    print(wheels.fetch(releases.cell_named(arguments.cell, fixture)).path.name)
    return 0


def open_cuda_libraries(arguments: argparse.Namespace, fixture: Fixture) -> int:
    """Each library that the cell's build may ask for; 1 where one does not open."""
    wanted = releases.cell_named(arguments.cell, fixture)
    python = run_program.interpreter_of(wanted, fixture)
    (build, *_) = wheels.choices(wanted)
    found = cuda_libraries.check(python.parents[1], python, build)
    for name, opens in found.items():
        print(f"{'opens' if opens else 'DOES NOT OPEN'}: {name}")
    missing = list(found.values()).count(False)
    print(f"{wanted.name}: {len(found) - missing} of {len(found)} open, without a GPU")
    return int(bool(missing))


def run_matrix(arguments: argparse.Namespace, fixture: Fixture) -> int:
    cell_options().parse_args(arguments.passed_on)
    return matrix.run(fixture, arguments.jobs, arguments.fresh, arguments.passed_on)


def report_records(arguments: argparse.Namespace, fixture: Fixture) -> int:
    if folder := arguments.stand_ins:
        known = expectations.EXPECTATIONS
        print(pages.write(folder, folder / "page", known, fixture, stand_ins=True).text)
        return 0
    taken, refused = store.merge(arguments.sent, option_set.RECORDS)
    for line in taken:
        print(line)
    for line in refused:
        print(f"refused: {line}", file=sys.stderr)
    return write_report(arguments, fixture) or int(bool(refused))


def write_report(arguments: argparse.Namespace, fixture: Fixture) -> int:
    readmes = [folders.ROOT / name for name in ("README.md", "README.zh.md")]
    summary = pages.write(
        option_set.RECORDS,
        option_set.RECORDS.parent,
        expectations.EXPECTATIONS,
        fixture,
        readmes,
        field_reports.FIELD_REPORTS,
    )
    for error in summary.errors:
        print(f"error: {error}", file=sys.stderr)
    print(summary.text)
    return int(bool(summary.errors))


def measure_advice(arguments: argparse.Namespace, fixture: Fixture) -> int:
    status = advice.run(fixture, arguments.releases, arguments.seed, arguments.cases)
    return write_report(arguments, fixture) or status


def measure_mutation(arguments: argparse.Namespace, fixture: Fixture) -> int:
    named = [option_set.known_mutant(name) for name in arguments.mutant or option_set.mutants()]
    asked = option_set.Request(
        "cpu", arguments.profile, keyword=arguments.keyword, target=arguments.target
    )
    request = mutation.Request(named, asked, arguments.seeds, arguments.jobs, arguments.fresh)
    wanted = arguments.releases or list(mutation.RELEASES)
    trials = mutation.measure(fixture, wanted, request)
    whole = not (arguments.mutant or arguments.keyword)
    status = mutation.conclude(trials, mutation_results.REPORT if whole else None)
    return (write_report(arguments, fixture) if whole else 0) or status


def measure_speed(arguments: argparse.Namespace, fixture: Fixture) -> int:
    cpu = host.describe("").cpu
    measured = bench.measure(fixture, arguments.release, arguments.profile, arguments.keyword, cpu)
    bench.conclude(measured, None if arguments.keyword else bench_results.REPORT)
    return 0 if arguments.keyword else write_report(arguments, fixture)


def read_gpu_code(arguments: argparse.Namespace, fixture: Fixture) -> int:
    return gpu_code.check(fixture, arguments.releases)


def lock_releases(arguments: argparse.Namespace, fixture: Fixture) -> int:
    locks.lock(fixture, arguments.releases)
    return 0


if __name__ == "__main__":
    sys.exit(main())
