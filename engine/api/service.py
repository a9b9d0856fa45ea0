"""What all requests share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, ParamSpec, TypeVar

from starlette.requests import HTTPConnection
from starlette.types import Scope

from engine.access import Key
from engine.api.address import Callers
from engine.api.logs import fault, log
from engine.api.memory import MemoryBudget, RequestMemory
from engine.api.metrics import Metrics
from engine.api.rates import Rates
from engine.api.waking import Waking
from engine.config import Settings
from engine.runtime.keyring import Keyring
from engine.runtime.workspaces import Workspaces

P = ParamSpec("P")
T = TypeVar("T")
Well = Callable[[], bool]

READERS: Final = 16
"""Threads that read the store for requests; fewer than the store has connections for."""


@dataclass
class Service:
    """The workspaces with their keys, and what looks after requests. Close it when done; the workspaces stay open."""

    workspaces: Workspaces
    settings: Settings
    daemon: Well | None = None
    """Whether the daemon beside the service is well; None where it has none."""
    keyring: Keyring = field(init=False)
    rates: Rates = field(init=False)
    metrics: Metrics = field(init=False)
    threads: ThreadPoolExecutor = field(init=False)
    waking: Waking = field(init=False)
    memory: MemoryBudget = field(init=False)
    callers: Callers = field(init=False)

    def __post_init__(self) -> None:
        api = self.settings.api
        self.keyring = Keyring(self.workspaces.desk)
        self.rates = Rates(api.rates, api.keyless_rate)
        self.metrics = Metrics(self.workspaces)
        self.waking = Waking()
        self.memory = MemoryBudget(api.body_memory)
        self.callers = Callers(self.settings.serve)
        self.threads = ThreadPoolExecutor(READERS, thread_name_prefix="lapse-reader")

    def now(self) -> int:
        """Microseconds UTC by the clock of the engines."""
        return self.workspaces.clock.now()

    def request_memory(self) -> RequestMemory:
        """The memory of a request that begins. To be released at its end."""
        return RequestMemory(self.memory, self.settings.api.body_values)

    def is_for_metrics(self, scope: Scope) -> bool:
        """Whether a request came at the port that is for metrics alone."""
        port = self.settings.serve.metrics_port
        return port is not None and (scope.get("server") or ("", None))[1] == port

    def caller_for_log(self, request: HTTPConnection) -> dict[str, str]:
        """The address of who calls, where logs may name people."""
        return {"client": self.callers.of(request)} if self.settings.log_ids else {}

    def recognise(self, text: str) -> Key | None:
        """The key of a text; the engine of its workspace is open then. May read the store."""
        key = self.keyring.recognise(text, self.now())
        if key is not None:
            self.workspaces.engine(key.workspace)
        return key

    async def in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what reads the store, or works for long, without holding up the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, partial(function, *args, **kwargs))

    def close(self) -> None:
        """Finish what is under way."""
        self.threads.shutdown()
        try:
            self.keyring.flush()
        except Exception as error:  # noqa: BLE001 - only when keys were last used is lost
            log.error("store", **fault(error))
