"""The command line: one command a verb. It parses and prints; what a verb does is decided below."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from headwater import __version__, catalog
from headwater.doors import coco, console, drawings, masks, outputs
from headwater.doors import config as configuration
from headwater.doors.asking import refuse_texts, require, way_on
from headwater.doors.flags import with_flags
from headwater.doors.play import play
from headwater.doors.recommend import recommend
from headwater.doors.serve import serve
from headwater.doors.tune import tune
from headwater.doors.verbs import Verb, Verbs
from headwater.errors import SettingError
from headwater.request import read_config
from headwater.settings import CompareSettings, Settings, ViewSettings

if TYPE_CHECKING:
    from headwater.application import Application


# Plain help: typer's rich panels take longer to import than everything else that `headwater --help` does.
app = typer.Typer(name="headwater", cls=Verbs, rich_markup_mode=None, no_args_is_help=True, add_completion=False)

_FOLDERS = {"Mask": masks.write, "Boxes": drawings.write}
"""What answers are written to a folder by, for the field that they are of."""


def main() -> None:
    """The entry point of the command `headwater`."""
    sys.excepthook = console.tell_bug
    get_command(app)(prog_name="headwater")


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer hands the value over by position
    if wanted:
        console.say(f"headwater {__version__}")
        raise typer.Exit


@app.callback()
def start(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """A foundation model and your data in; a working application out."""
    if debug:
        sys.excepthook = sys.__excepthook__
    console.show_log()


Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, as adapt left it.", show_default=False)]
Offline = Annotated[
    bool | None, typer.Option("--offline/--no-offline", help="Reach no network. As adapt was told, if not given.")
]


@app.command(cls=Verb)
@with_flags(Settings)
def adapt(
    task: Annotated[str | None, typer.Argument(metavar="TASK", help="What is asked: see headwater catalog.")] = None,
    data: Annotated[
        str | None, typer.Argument(metavar="DATA", help="A file, a folder, hub:owner/name, or an environment.")
    ] = None,
    *,
    model: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="A name from the catalog, a hub id, or a folder.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="FOLDER", help="The run folder to write.")] = None,
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings from a YAML file.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the stopped run in FOLDER stood.")] = False,
    **settings: Any,
) -> None:
    """Make an application: adapt a model to your data and measure it."""
    given = {"task": task, "data": data, "model": model, "to": to}
    values = {
        **(read_config(config) if config else {}),
        **{name: value for name, value in given.items() if value is not None},
        **settings,
    }
    require(values, verb="adapt", resume=resume, beside=values)
    folder = values.setdefault("to", outputs.run_folder(values.get("data")))
    try:
        application = _adapt(values, resume=resume)
    except KeyboardInterrupt:
        console.notice(f"Stopped.{way_on(folder, 'adapt')}")
        raise
    console.show_application(application, folder)


app.command(cls=Verb)(tune)
app.command(cls=Verb)(recommend)
app.command(cls=Verb)(play)
app.command(cls=Verb)(serve)


@app.command(cls=Verb)
@with_flags(CompareSettings, of_model=False)
def compare(
    known: Annotated[str, typer.Argument(metavar="SOURCE", help="The data that is known; or the only data there is.")],
    asked: Annotated[str | None, typer.Argument(metavar="TARGET", help="The data of your question.")] = None,
    *,
    model: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="Whose features to look at: as adapt takes it.")
    ] = None,
    task: Annotated[str, typer.Option("--task", metavar="TASK", help="See headwater catalog.")] = "text-classification",
    to: Annotated[Path | None, typer.Option("--to", metavar="FOLDER", help="Where to write the page.")] = None,
    **settings: Any,
) -> None:
    """Measure how far apart two data sets are, and say in which words."""
    from headwater import flow

    folder = outputs.comparison_folder(known, asked) if to is None else to
    outputs.make_writable(folder)
    try:
        found = flow.compare(known, asked, model=model, task=task, to=folder, **settings)
    finally:
        outputs.clear_empty(folder)
    console.say(str(found))
    console.say(f"\nReport: {folder / 'comparison.html'}")


@app.command(cls=Verb)
@with_flags(ViewSettings, of_model=False)
def rank(
    data: Annotated[str, typer.Argument(metavar="DATA", help="A file, a folder, or hub:owner/name.")],
    *,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--models", metavar="NAMES", help="Models with commas between them. Every one at hand if not given."
        ),
    ] = None,
    task: Annotated[
        str, typer.Option("--task", metavar="TASK", help="What is asked: see headwater catalog.")
    ] = "text-classification",
    rows: Annotated[int, typer.Option("--rows", metavar="N", help="How many labelled rows are looked at.")] = 1000,
    to: Annotated[str | None, typer.Option("--to", metavar="FOLDER", help="Where to write the ranking.")] = None,
    **settings: Any,
) -> None:
    """Say which models fit your data, before any is adapted to it."""
    from headwater import flow

    folder = to or outputs.run_folder(data, suffix="-rank")
    try:
        ranking = flow.rank(data, models=models, task=task, rows=rows, to=folder, **settings)
    except KeyboardInterrupt:
        console.notice(f"Stopped. The same command with --to {shlex.quote(folder)} goes on.")
        raise
    console.say(f"\n{ranking}")
    console.say(f"\nPage:   {folder}/ranking.html")
    if ranking.recommended:
        words = ("headwater", "adapt", task, data, "--model", ranking.recommended)
        console.say(f"Next:   {shlex.join(words)}")


@app.command(cls=Verb)
def predict(
    run: Run,
    data: Annotated[str | None, typer.Argument(metavar="DATA", help="A file or a folder.", show_default=False)] = None,
    *,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            metavar="FILE",
            help="A .csv, .tsv, .jsonl, .parquet or .arrow file to write; for boxes also a .json of COCO; a folder for "
            "masks or drawn boxes.",
        ),
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option("--keep", metavar="COLUMN", help="A column of DATA to copy beside the answers.")
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option("--say", metavar="TEXT", help="A text or an observation to answer for, instead of DATA."),
    ] = None,
    offline: Offline = None,
) -> None:
    """Answer for every row of a file, or for texts typed here."""
    if (data is None) == (not text):
        raise SettingError("predict needs either DATA or --say TEXT, and not both", where="headwater predict")
    application = _load(run, offline=offline)
    if text:
        refuse_texts(application.task)
    door = next((door for field, door in _FOLDERS.items() if field in catalog.task(application.task).outputs), None)
    if to is not None and not to.suffix and door is not None:
        console.say(door(application, data, to))
        return
    if to is not None and to.suffix.lower() == coco.SUFFIX and "Boxes" in catalog.task(application.task).outputs:
        console.say(coco.write(application, data, to, keep or ()))
        return
    answers = outputs.answers(application, text if data is None else data, keep or ())
    if to is None:
        shown = outputs.head(answers, console.SHOWN_ROWS)
        console.show_answers(shown, texts=text, names=masks.names_of(application))
    else:
        console.say(outputs.write(answers, to, source=data))


@app.command(cls=Verb)
def evaluate(
    run: Run,
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="A file or a folder with labels, or an environment.", show_default=False),
    ],
    *,
    to: Annotated[Path | None, typer.Option("--to", metavar="FOLDER", help="Where to write the report.")] = None,
    share: Annotated[
        float | None,
        typer.Option(
            "--quarantine-share",
            metavar="X",
            help="Stop when more than this share of rows cannot be read. As adapt was told, if not given.",
        ),
    ] = None,
    offline: Offline = None,
) -> None:
    """Measure an application on labelled data, with intervals and beside baselines."""
    if to is not None:
        outputs.make_writable(to)
    measured = _load(run, offline=offline, quarantine_share=share).evaluate(data)
    console.say(str(measured))
    if to is not None:
        measured.save(to)
        console.say(f"\nReport: {to / 'report.html'}")


@app.command(cls=Verb)
def report(
    run: Run, *, show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False
) -> None:
    """Show what was measured when the application was made."""
    from headwater import artifact, workspace
    from headwater.evaluation.report import PAGE, Report

    if workspace.is_unfinished(run):
        artifact.verified(run)  # says how to go on
    page = run / PAGE
    console.say(str(Report.load(run)))
    console.say(f"\nReport: {page}")
    if show:
        typer.launch(page.resolve().as_uri())


@app.command("catalog", cls=Verb)
def list_catalog(
    task: Annotated[str | None, typer.Argument(metavar="TASK", help="Only this task.", show_default=False)] = None,
) -> None:
    """List the tasks, and the models of each."""
    for entry in catalog.TASKS if task is None else [catalog.task(task)]:
        console.show_task(entry)


@app.command(cls=Verb)
def config(
    task: Annotated[str, typer.Argument(metavar="TASK", help="See headwater catalog.", show_default=False)],
    *,
    model: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="Adds the model's own settings.")
    ] = None,
) -> None:
    """Print a commented configuration file to start from."""
    console.say(configuration.write(task, model).rstrip())


@app.command(cls=Verb)
def doctor(
    *,
    offline: Annotated[bool, typer.Option("--offline", help="Reach no network.")] = False,
    devices: Annotated[bool, typer.Option("--devices", help="Load torch to see which devices it can use.")] = False,
) -> None:
    """Say what is installed, what this machine can do, and how to close each gap."""
    from headwater.doors.doctor import examine

    findings = examine(offline=offline, devices=devices)
    console.show_findings(findings)
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(1)


@app.command(cls=Verb)
def demo(
    task: Annotated[str, typer.Argument(metavar="TASK", help="See headwater catalog.")] = "text-classification",
    *,
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the demonstration lives.")] = Path(
        "runs/demo"
    ),
) -> None:
    """Do the whole job of a task on data that this machine already has."""
    from headwater import flow
    from headwater.doors.demos import demo_of

    asked, folder = demo_of(task), outputs.free(to)
    labelled, held_out = asked.write(folder)
    console.notice(f"{labelled} {asked.rows} to learn from, {held_out} to measure on, in {folder}")
    given: dict[str, Any] = {"test": str(folder / asked.test), "to": folder / "run", "offline": True}
    application = flow.adapt(task, folder / asked.labelled, **given, **asked.settings)
    console.show_application(application, str(folder / "run"))
    console.say(f"\n{asked.heading or f'{asked.rows.capitalize()} that it has not seen'}:")
    answers = outputs.answers(application, folder / asked.unseen, asked.shown)
    console.show_answers(outputs.head(answers, console.SHOWN_ROWS))


def _adapt(values: dict[str, Any], *, resume: bool) -> Application:
    from headwater import flow

    if resume and not {"task", "data"} <= values.keys():
        return flow.resume(values.pop("to"), **values)
    return flow.adapt(**values, resume=resume)


def _load(run: Path, **overruled: Any) -> Application:
    """The application of a run folder, with the settings that are not None in the place of its own."""
    from headwater import options
    from headwater.application import Application

    application = Application.load(run)
    given = {name: value for name, value in overruled.items() if value is not None}
    application.settings = options.check(replace(application.settings, **given))
    return application
