"""The composition root: settings in, the whole application out."""

import gc
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from functools import lru_cache

import anyio.to_thread
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy.exc import SQLAlchemyError

from admin.app import AdminOptions, create_admin
from admin.bot_side import BotSide, Buttons, Finding, MenuSide, NotDone, PhonePart, Piece, Trial
from bot import commands, connection, menu, rehearsal
from bot.alerts import ROBOT_ORIGIN, Alerter, SendFailed
from bot.conversation import Dialogue
from bot.outbox import Deliverer
from bot.pace import Pace
from bot.refusals import Refusals
from bot.settings import PART_LIMIT_BYTES, Account, BotSettings, account
from bot.webhook import ANSWER_WITHIN_S, BodyTooLarge, webhook_router
from bot.wechat.client import ApiClient
from bot.wechat.envelope import Envelope, Mode
from bot.wechat.errors import CallError
from bot.wechat.messages import Text
from bot.wechat.tokens import ProcessTokens, RedisTokens
from knowledge import alert_settings, classifier, jobs, retention, staff, training, working
from knowledge.answering import Matcher
from knowledge.database import WITHIN_A_REPLY, Database
from knowledge.encryption import Encryption
from knowledge.errors import InvalidInput, SecretUnreadable
from knowledge.migrations import is_current
from knowledge.models import AlertChannel
from knowledge.settings import KnowledgeSettings
from knowledge.standing import StandingRules
from knowledge.working_days import local_day, now_utc

log = structlog.get_logger()

# Requests handled at once per process, each with at most one connection: threads and pool must agree,
# or a request waits for a connection longer than WeChat waits for it (style.md §10).
THREADS = 20
# How soon a running server notices newly published content, in seconds.
_LOOK_EVERY_S = 0.5
# Between batches of the daily clean-up, and how soon a new day is noticed, in seconds.
_CLEAN_UP_EVERY_S = 5.0
# After a training that failed, the next try waits this long: look-up goes on meanwhile.
_TRAIN_AGAIN_AFTER = timedelta(minutes=2)


def create_app(
    account: Account,
    database: Database,
    *,
    base_url: str = "",
    now: Callable[[], datetime] = now_utc,
    matcher: Matcher | None = None,
    standing: StandingRules | None = None,
    trains: bool = True,
    works: bool = True,
    client: ApiClient | None = None,
    pace: Pace | None = None,
    retention_days: int = 0,
    answer_within_s: float = ANSWER_WITHIN_S,
    robot_origin: str = ROBOT_ORIGIN,
    is_alone: bool = True,
) -> FastAPI:
    """The application: webhook, workbench and health pages over one database, whose schema must be current.

    `trains`: whether a classifier for newly published content is trained, `works`: whether jobs that wait are done,
    each in a process of its own. `client`: pushes colleagues' replies (None: they wait for the asker's next message).
    `pace` limits each asker's messages; texts older than `retention_days` are erased daily (0: never).
    `is_alone`: whether it has its process to itself, so that it may arrange the garbage collection as it suits.
    """
    matcher = matcher or Matcher(database)
    standing = standing or StandingRules(database)
    encryption = Encryption(account.secret_key, account.previous_secret_key)
    workbench = f"{base_url.rstrip('/')}/admin" if base_url else ""
    alerter = Alerter(database, encryption, now, workbench=workbench, robot_origin=robot_origin)
    envelope = Envelope(
        token=account.token,
        app_id=account.app_id,
        aes_key=account.aes_key,
        previous_aes_key=account.previous_aes_key,
        mode=Mode(account.mode),
    )

    workers: list[threading.Thread] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        await anyio.to_thread.run_sync(matcher.refresh, local_day(now()))
        if is_alone:
            _keep_for_good()
        await anyio.to_thread.run_sync(standing.refresh)
        await anyio.to_thread.run_sync(_renew_secrets, database, encryption)
        stop = threading.Event()
        trainer = _Trainer(database, now) if trains else None
        jobber = _Worker(database, now) if works else None
        watched = (matcher, standing, trainer, jobber, now, stop, is_alone)
        watcher = threading.Thread(target=_watch, args=watched, name="content-watch", daemon=True)
        cleaner = threading.Thread(
            target=_clean_up, args=(database, now, retention_days, stop), name="clean-up", daemon=True
        )
        alerts = threading.Thread(target=alerter.run, args=(stop,), name="alerts", daemon=True)
        workers.extend((watcher, cleaner, alerts))
        if client is not None:
            deliverer = Deliverer(database, client, now)
            workers.append(threading.Thread(target=deliverer.run, args=(stop,), name="outbox", daemon=True))
        for worker in workers:
            worker.start()
        yield
        stop.set()
        for worker in workers:
            worker.join()
        if client is not None:
            client.close()

    # No generated API pages: they would load their scripts from outside, and there is no API to show.
    app = FastAPI(title="法问", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    dialogue = Dialogue(database, matcher, now, standing, pace)
    refusals = Refusals()
    app.include_router(webhook_router(envelope, dialogue, refusals, now, answer_within_s))
    public_url = f"{base_url.rstrip('/')}/wechat" if base_url else ""

    def check_connection() -> tuple[Finding, ...]:
        looked = connection.check(database, account, client, public_url=public_url, refusals=refusals)
        found = connection.within(connection.WITHIN_S, looked)
        return tuple(Finding(one.name, one.is_right, one.words) for one in found)

    options = AdminOptions(
        secret_key=account.secret_key,
        encryption=encryption,
        secure_cookies=base_url.startswith("https://"),
        now=now,
        matcher=matcher,
        bot=_bot_side(dialogue, now, check_connection, client, alerter, robot_origin),
    )
    app.mount("/admin", create_admin(database, options))
    app.add_exception_handler(BodyTooLarge, _too_large)

    @app.get("/healthz")
    def healthz() -> Response:
        return PlainTextResponse("ok")

    @app.get("/readyz")
    def readyz() -> Response:
        try:
            ready = is_current(database) and matcher.index.version > 0
        except SQLAlchemyError as error:
            return JSONResponse({"ready": False, "why": type(error).__name__}, status_code=503)
        # A thread ends before its time only by a fault of ours; without it content, replies or alerts stand still.
        if ended := [worker.name for worker in workers if not worker.is_alive()]:
            return JSONResponse({"ready": False, "why": f"ended: {', '.join(ended)}; restart"}, status_code=503)
        return JSONResponse({"ready": ready}, status_code=200 if ready else 503)

    return app


def app_from_environment() -> FastAPI:
    """The application as the environment sets it: what every worker process of `fawen serve` starts."""
    settings, knowledge = BotSettings(), KnowledgeSettings()
    served = account(settings)
    return create_app(
        served,
        Database(knowledge.url, pool_size=THREADS, waits=WITHIN_A_REPLY),
        base_url=settings.base_url,
        client=api_client(served, settings),
        pace=Pace(settings.rate_limit, settings.redis_url),
        retention_days=settings.retention_days,
        robot_origin=settings.robot_origin,
    )


def api_client(served: Account, settings: BotSettings) -> ApiClient | None:
    """The client for WeChat's API; None where no AppSecret is set."""
    if not served.app_secret:
        return None
    tokens = RedisTokens(settings.redis_url, served.app_id) if settings.redis_url else ProcessTokens()
    return ApiClient(served.app_id, served.app_secret, tokens, host=settings.wechat_api)


def _bot_side(
    dialogue: Dialogue,
    now: Callable[[], datetime],
    check_connection: Callable[[], tuple[Finding, ...]],
    client: ApiClient | None,
    alerter: Alerter,
    robot_origin: str,
) -> BotSide:
    """What the workbench shows of the bot, in the workbench's own terms."""

    def on_phone(parts: Iterable[str]) -> tuple[PhonePart, ...]:
        return tuple(
            PhonePart(
                tuple(Piece(one.text, one.taps) for one in rehearsal.shown(part)), len(part.encode()), PART_LIMIT_BYTES
            )
            for part in parts
        )

    def attempt(text: str) -> Trial:
        rehearsed = rehearsal.rehearse(dialogue, text, now())
        return Trial(on_phone(rehearsed.parts), rehearsed.decision, rehearsed.took_ms)

    def send_trial(channel: AlertChannel) -> None:
        try:
            alerter.send_trial(channel)
        except (SendFailed, InvalidInput, SecretUnreadable) as error:
            raise NotDone(str(error)) from error

    return BotSide(
        preview=lambda entry: on_phone(rehearsal.preview(entry)),
        attempt=attempt,
        preview_text=lambda text: on_phone(rehearsal.preview_text(dialogue, text)),
        preview_fixed=lambda text, link: on_phone(rehearsal.preview_fixed(text, link)),
        is_command=_is_command,
        shown=on_phone,
        check_connection=check_connection,
        menu=_menu_side(client),
        preview_correction=lambda text, title: on_phone(rehearsal.preview_correction(text, title)),
        send_trial=send_trial,
        robot_origin=robot_origin,
    )


def _menu_side(client: ApiClient | None) -> MenuSide:
    """The menu's calls, whose errors become the workbench's."""

    def reached() -> ApiClient:
        if client is None:
            raise NotDone(
                "没有设置 FAWEN_WECHAT_APP_SECRET，不能读取和发布菜单：请从公众平台“基本配置”复制 AppSecret，"
                "填入服务器的 .env 文件后重启"
            )
        return client

    def check(buttons: Buttons) -> Buttons:
        try:
            return menu.checked(buttons)
        except menu.MenuError as error:
            raise NotDone(str(error)) from error

    def published() -> Buttons:
        try:
            return reached().menu()
        except CallError as error:
            raise NotDone(f"没有读到微信上的菜单：{error}") from error

    def publish(buttons: Buttons) -> None:
        try:
            reached().publish_menu(buttons)
        except CallError as error:
            raise NotDone(f"没有发布：{error}") from error

    def delete() -> None:
        try:
            reached().delete_menu()
        except CallError as error:
            raise NotDone(f"没有删除：{error}") from error

    return MenuSide(check, published, publish, delete)


def _renew_secrets(database: Database, encryption: Encryption) -> None:
    """Stored secrets come under the key in force, so that the previous one can be taken out of the settings."""
    with database.writing() as session:
        renewals = [
            staff.renew_second_factors(session, encryption),
            alert_settings.renew_secrets(session, encryption),
        ]
    if changed := sum(one.changed for one in renewals):
        log.info("secrets_renewed", count=changed)
    if unreadable := sum(one.unreadable for one in renewals):
        log.warning("secrets_unreadable", count=unreadable)


@lru_cache(maxsize=16384)
def _is_command(word: str) -> bool:
    return not commands.may_be_fixed(commands.interpret(Text(word, None), 0))


class _Trainer:
    """Sees to it that published content gets its classifier: one process of all trains, in a child of its own."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._child: subprocess.Popen[bytes] | None = None
        self._version = 0
        self._not_before: datetime | None = None

    def see_end(self) -> None:
        """See how a training that was started ended, if it has."""
        if self._child is None or (code := self._child.poll()) is None:
            return
        self._child = None
        log.info("classifier_trained" if code == 0 else "training_failed", content_version=self._version, exit=code)
        if code != 0:
            self._not_before = self._now() + _TRAIN_AGAIN_AFTER
        # Also after a success: content that moved on meanwhile was trained and stored under its own version.
        with self._database.writing() as session:
            classifier.release(session, self._version)

    def look(self, version: int) -> None:
        """Start training for a content version if nobody trains."""
        if self._child is not None or (self._not_before and self._now() < self._not_before):
            return
        with self._database.writing() as session:
            claimed = classifier.claim(session, version, self._now())
        if claimed:
            self._version = version
            self._child = training.start(self._database.url)

    def stop(self) -> None:
        """End a training under way and give its claim back, so that the next start takes it up at once."""
        if self._child is None:
            return
        self._child.terminate()
        self._child.wait()
        with self._database.writing() as session:
            classifier.release(session, self._version)


class _Worker:
    """Sees to it that jobs are done: in a child of its own, which ends when none waits."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._child: subprocess.Popen[bytes] | None = None

    def look(self) -> None:
        """Start a child where a job waits and none of ours is at work; of several servers' children one takes it."""
        if self._child is not None:
            code = self._child.poll()
            if code is None:
                return
            self._child = None
            log.info("jobs_done" if code == 0 else "worker_died", exit=code)
        with self._database.reading() as session:
            waits = jobs.is_waiting(session, self._now())
        if waits:
            self._child = working.start(self._database.url)

    def stop(self) -> None:
        """End the child; its job is taken up again when the lease is over."""
        if self._child is not None:
            self._child.terminate()
            self._child.wait()


def _watch(
    matcher: Matcher,
    standing: StandingRules,
    trainer: _Trainer | None,
    worker: _Worker | None,
    now: Callable[[], datetime],
    stop: threading.Event,
    is_alone: bool,
) -> None:
    """Swap in newly published content and rules. A database that is away is waited for: the old index goes on."""
    while not stop.wait(_LOOK_EVERY_S):
        try:
            if matcher.refresh(local_day(now())):
                if is_alone:
                    _keep_for_good()
                log.info("index_swapped", content_version=matcher.index.version, trained=matcher.is_trained)
            if standing.refresh():
                log.info("rules_swapped")
            if trainer:
                trainer.see_end()
            if trainer and not matcher.is_trained and matcher.index.version:
                trainer.look(matcher.index.version)
            if worker:
                worker.look()
        except (SQLAlchemyError, TimeoutError) as error:
            log.warning("content_version_unknown", error=type(error).__name__)
    for child in (trainer, worker):
        if child:
            child.stop()


def _keep_for_good() -> None:
    """Leave the index just built out of the garbage collector's rounds: going through its hundred thousands of
    objects again and again held up a request now and then by 100 ms and more."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _clean_up(database: Database, now: Callable[[], datetime], days: int, stop: threading.Event) -> None:
    """Once a day, and at the start: erase what is older than the retention period, a batch at a time."""
    cleaned: date | None = None
    while not stop.wait(_CLEAN_UP_EVERY_S):
        if cleaned == local_day(now()):
            continue
        try:
            with database.writing() as session:
                changed = retention.clean_up(session, now(), days)
        except (SQLAlchemyError, TimeoutError) as error:
            log.warning("clean_up_postponed", error=type(error).__name__)
            continue
        if changed == 0:
            cleaned = local_day(now())
        else:
            log.info("cleaned_up", rows=changed)


def _too_large(_: Request, __: Exception) -> Response:
    return PlainTextResponse("too large", status_code=413)
