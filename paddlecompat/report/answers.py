"""What a release means for a use on a machine.

All joins of records, bugs, builds and field reports are made here. Pure functions: the same facts
give the same answer on the terminal, on the pages and in `reports/answers.json`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from paddlecompat.fixtures.bugs import Bug
from paddlecompat.fixtures.builds import SYSTEM_NAMED, Build
from paddlecompat.fixtures.forms import Kind, in_order, pip_install
from paddlecompat.fixtures.published import FieldReport
from paddlecompat.fixtures.releases import Release
from paddlecompat.fixtures.uses import Use
from paddlecompat.records.judging import Judgement, severity_of
from paddlecompat.records.record import UNSOUND, PropertyResult, Record
from paddlecompat.report.facts import SEVERITIES, Answer, Facts, Question, Worst

KERNEL = "unwritten output"
"""The cause of the field reports that bear on an answer: the defect that this project is about."""
NO_HEAD = "PaddleDetection"
"""How the message begins of a property that is unsupported because PaddleDetection is missing."""


@cache
def answer(question: Question, facts: Facts) -> Answer:
    """The answer. Raises StopIteration where the release or the use is not known."""
    release, use = facts.release(question.release), facts.use(question.use)
    if question.capability is None:
        return on_cpu(question, release, use, facts)
    build = build_asked_about(question, release)
    if build is None:
        return without_build(question, release, facts)
    if refused := without_code(question, release, build, facts):
        return refused
    return lost_numbers(question, release, build, facts) or on_gpu(
        question, release, build, use, facts
    )


def build_asked_about(question: Question, release: Release) -> Build | None:
    """The build that is named, else that which pip finds on PyPI, or that which fits the card.

    A version that several builds have names none of them.
    """
    shared = {build.public for build in release.gpu_builds if build.public != build.version}
    if question.build and question.build not in shared:
        return release.gpu_build(question.build)
    if question.how == "pinned":
        return release.build_for(question.system, question.capability or "")
    made = (build for build in release.gpu_builds if build.on(question.system))
    return next((build for build in made if build.index == "pypi"), None)


# On the CPU


def on_cpu(question: Question, release: Release, use: Use, facts: Facts) -> Answer:
    """What the cell of that kind came to."""
    kind: Kind = "fresh" if question.how == "fresh" else "cpu"
    if (kind, question.system) == ("cpu", "windows"):
        kind = "windows"
    found = facts.records_of(kind, release.version, question.system)
    measured = [record for record in found if record.properties]
    if not measured:
        if lost := lost_numbers(question, release, release.cpu_builds[0], facts):
            return lost
        command = f"nox -s {kind}-{release.version}"
        return Answer(worst="unknown", basis="unknown", reason="not measured", finds_out=command)
    record = measured[0]
    made = answer_of(record, use, facts)
    if record.resolution:
        return made
    install = release.install_command(release.cpu_builds[0], question.system)
    return made.model_copy(update={"install": install})


def answer_of(record: Record, use: Use, facts: Facts) -> Answer:
    """The worst of what the use's properties came to in one cell."""
    judgement = facts.judgements[record.file_name]
    results = [result for result in record.properties if use.needs(result.key)]
    failed = [result for result in results if result.outcome in UNSOUND]
    held = [result for result in results if result.outcome == "holds"]
    bugs = bugs_in(judgement, failed)
    new = [result for result in failed if result.key not in judgement.causes]
    found = [severity_of(result, judgement.causes.get(result.key)) for result in failed]
    untested = [r for r in results if lacks_the_head(r)]
    newer = facts.newer_than(record, use)
    right: Worst = "unknown" if untested or newer else "right"
    worst = min(found, key=SEVERITIES.index) if found else right
    if not (found or held):
        return Answer(worst="unknown", basis="unknown", reason="not measured")
    return Answer(
        worst=worst,
        basis="measured by others" if record.provenance == "sent in" else "measured",
        reason="failed" if found else "in part" if untested or newer else "held",
        untested=len(untested),
        not_asked=len(newer),
        finds_out=f"nox -s {record.cell}" if newer and not found else "",
        build=record.build.version if record.build else None,
        bugs=[bug.id for bug in bugs],
        new=len(new),
        properties=len(held),
        calls=sum(result.calls for result in results),
        install=mending(record, bugs),
        records=[record.file_name],
    )


def bugs_in(judgement: Judgement, failed: Iterable[PropertyResult]) -> list[Bug]:
    """The bugs that explain these failures, the worst first."""
    causes = (judgement.causes.get(result.key) for result in failed)
    bugs = {cause.id: cause for cause in causes if isinstance(cause, Bug)}
    return sorted(bugs.values(), key=lambda bug: SEVERITIES.index(bug.severity))


def mending(record: Record, bugs: Iterable[Bug]) -> str:
    """The command that mends an environment in which numbers do not come back, or which fails to
    import; '' where it is not known, or nothing is to be mended.
    """
    pins = [bug.pin for bug in bugs if bug.pin]
    if record.resolution and (record.resolution.refused or record.lost):
        return record.resolution.command
    return pip_install(*pins) if pins else ""


def lacks_the_head(result: PropertyResult) -> bool:
    """Whether it was not tested for want of PaddleDetection, which says nothing of the release."""
    return result.outcome == "unsupported" and result.message.startswith(NO_HEAD)


# On a card


def without_build(question: Question, release: Release, facts: Facts) -> Answer:
    """No build of the release is for the card, or PyPI has none for pip."""
    codes = filter(None, (build.on(question.system) for build in release.gpu_builds))
    return Answer(
        worst="unknown",
        basis="from the wheel" if any(code.source == "wheel" for code in codes) else "unknown",
        reason="no build",
        **taking(nearest_build(question, release, facts), question, facts),
    )


def without_code(question: Question, release: Release, build: Build, facts: Facts) -> Answer | None:
    """What a build comes to on a card that its wheel has no code for; None where it has some."""
    code, capability = build.on(question.system), question.capability
    if code is None or capability is None or code.source != "wheel" or code.runs_on(capability):
        return None
    return Answer(
        worst="error" if release.failed_launches else "silent",
        basis="from the wheel",
        reason="no code",
        build=build.version,
        has=code.sm,
        cuda=build.cuda,
        noticed=release.failed_launches,
        threads=facts.threads_of(release.version, "no code for the card"),
        **taking(nearest_build(question, release, facts), question, facts),
    )


def nearest_build(question: Question, release: Release, facts: Facts) -> Build | None:
    """The release's build with code for the card, else that of the nearest release with one."""
    found = (
        other.build_for(question.system, question.capability or "")
        for other in (release, *facts.fixture.nearest_first(release.version))
    )
    return next(filter(None, found), None)


def taking(build: Build | None, question: Question, facts: Facts) -> dict[str, Any]:
    """The fields of an answer that say to take this listed build instead; none without one."""
    if build is None:
        return {}
    release = next(r for r in facts.fixture.release if build in r.builds)
    return {"instead": build.version, "install": release.install_command(build, question.system)}


def lost_numbers(question: Question, release: Release, build: Build, facts: Facts) -> Answer | None:
    """What pip installs beside the build makes garbage of numbers, before a device sees them.

    None where that is not so. It was measured on the CPU under Linux: the code is the same.
    """
    fresh = facts.records_of("fresh", release.version, "linux") if question.how == "fresh" else []
    record = next((record for record in fresh if record.lost), None)
    if record is None:
        return None
    bugs = bugs_in(facts.judgements[record.file_name], record.lost)
    command = record.resolution.command if record.resolution else ""
    return Answer(
        worst="silent",
        basis="measured elsewhere",
        reason="failed",
        build=build.version,
        cuda=build.cuda,
        bugs=[bug.id for bug in bugs],
        new=0 if bugs else len(record.lost),
        install=re.sub(r"paddlepaddle(-gpu)?==", f"{build.distribution}==", command),
        threads=facts.threads_of(release.version, "numpy 2"),
        records=[record.file_name],
    )


def on_gpu(question: Question, release: Release, build: Build, use: Use, facts: Facts) -> Answer:
    """What was measured with the build on such a card, else what others reported of its like."""
    install = release.install_command(build, question.system)
    tagged = f" -- --build {build.version}" if build.public != release.version else ""
    for record in facts.records_of("gpu", release.version, question.system):
        if record.device and record.device.capability == question.capability:
            return answer_of(record, use, facts).model_copy(update={"install": install})
    seen = [r for r in facts.reports if bears_on(r, question, build, use)]
    wrong = [r for r in seen if r.seen == "wrong" and r.os and r.cause == [KERNEL]]
    right = [r for r in seen if r.seen == "right"]
    unknown = Answer(
        worst="unknown",
        basis="unknown",
        reason="not measured",
        build=build.version,
        cuda=build.cuda,
        wrong=len(wrong),
        right=len(right),
        unclear=len(seen) - len(wrong) - len(right),
        threads=list(dict.fromkeys(report.link for report in seen)),
        install=install,
        finds_out=f"nox -s gpu-{release.version}{tagged}",
    )
    wheel = facts.wheel(build.version, question.system) if use.reports else None
    known: dict[str, Any] = {"wheel": wheel.answer if wheel else None}
    if wheel and wheel.answer == "live":
        known |= {"worst": "silent", "basis": "from the wheel", "reason": "live"}
    elif wrong and (wheel is None or wheel.answer == "not read"):
        known |= {"worst": "silent", "basis": "reported", "reason": "reported wrong"}
        known |= taking(right_build(question, facts), question, facts)
    elif shown := on_host_half(question, build, use, facts):
        known |= {"worst": shown[0].severity, "basis": "measured on the host half"}
        known |= {"reason": "failed", "bugs": [bug.id for bug in shown]}
    elif right:
        known |= {"worst": "right", "basis": "reported", "reason": "reported right"}
    else:
        on_cpu = {"how": "pinned", "system": "linux", "capability": None, "build": None}
        known["on_the_cpu"] = answer(question.model_copy(update=on_cpu), facts).worst
    return unknown.model_copy(update=known)


def on_host_half(question: Question, build: Build, use: Use, facts: Facts) -> list[Bug]:
    """The bugs that concern the use and that the build's host half shows, the worst first."""
    found = [
        bug
        for bug in facts.known.bug
        for where in bug.expected
        if facts.shows_on_host(where, build.version, question.system)
        and any(map(use.needs, where.properties))
    ]
    return sorted(found, key=lambda bug: SEVERITIES.index(bug.severity))


def bears_on(report: FieldReport, question: Question, build: Build, use: Use) -> bool:
    """Whether it tells of the defect, or of its absence, in builds of this kind.

    The defect is in the host's half of a build (PaddlePaddle/Paddle#44181): the card does not
    matter, the system and the compiler of the CUDA version do. Where a build without code for the
    card may have been at fault alone, the report says nothing of the defect.
    """
    system = SYSTEM_NAMED.get((report.os or question.system).lower())
    about = KERNEL in report.cause or (report.seen == "right" and bool(report.cause))
    return (
        about
        and report.concerns(question.release)
        and system == question.system
        and (not report.cuda or major(build.cuda) in map(major, report.cuda))
        and bool(set(report.groups) & set(use.reports))
    )


def major(cuda: str | None) -> str:
    """'11' of '11.2'."""
    return (cuda or "").partition(".")[0]


def right_build(question: Question, facts: Facts) -> Build | None:
    """The build of a later release to take: one that is right, else one not known to be wrong.

    Of several the oldest, as it is the least of a change.
    """
    later = [r for r in facts.fixture.release if in_order(r.version) > in_order(question.release)]
    found: dict[str, Build] = {}
    for release in later:
        build = release.build_for(question.system, question.capability or "")
        asked = question.model_copy(update={"release": release.version, "how": "pinned"})
        if build and (worst := answer(asked, facts).worst) in ("right", "unknown"):
            found.setdefault(worst, build)
    return found.get("right") or found.get("unknown")
