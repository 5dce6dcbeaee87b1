"""What can go wrong between a client and the loopback turbopuffer, on purpose."""

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["status", "hang", "drop", "web_page", "broken_json"]


@dataclass(frozen=True)
class Fault:
    """What happens to one request. `hang`: no answer until the server stops. `drop`: the connection
    is closed without an answer. `web_page`: 200 with HTML, as a captive portal answers."""

    kind: Kind
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "a fault made by the test"


class Faults:
    """The faults of the coming requests, in order. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: deque[Fault] = deque()
        self._always: Fault | None = None

    def next_requests(self, fault: Fault, times: int = 1) -> None:
        with self._lock:
            self._next.extend([fault] * times)

    def every_request(self, fault: Fault | None) -> None:
        """From now on; None ends it."""
        with self._lock:
            self._always = fault

    def take(self) -> Fault | None:
        with self._lock:
            return self._next.popleft() if self._next else self._always
