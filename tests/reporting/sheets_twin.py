"""A Google Sheets server on loopback for real gspread: token, metadata, append, read, update."""

import json
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import gspread
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

GOOGLE = "https://sheets.googleapis.com"


@cache
def _key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


class SheetsTwin:
    """Keeps one spreadsheet; `faults` are (status, body, after the effect) for the next appends."""

    def __init__(self, *faults: tuple[int, str, bool], titles: tuple[str, ...] = ()) -> None:
        self.faults = list(faults)
        self.sheets: dict[str, list[list[str]]] = {title: [] for title in titles}
        self.token_answer: tuple[int, Any] = (200, {"access_token": "token", "expires_in": 3600})
        self.open_answer: tuple[int, Any] | None = None
        self.appends = 0
        self.hosts: list[str] = []

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def account(self) -> dict[str, str]:
        """A service account whose token comes from this server."""
        return {
            "type": "service_account",
            "client_email": "robot@example.test",
            "private_key": _key(),
            "private_key_id": "1",
            "token_uri": f"{self.base}/token",
        }

    @property
    def http_client(self) -> type[gspread.HTTPClient]:
        """A client that reaches this server where it means Google's."""
        base = self.base

        class Loopback(gspread.HTTPClient):
            def request(self, method: str, endpoint: str, *given: Any, **more: Any) -> Any:  # noqa: ANN401 — gspread's own signature.
                more["headers"] = {**(more.get("headers") or {}), "connection": "close"}
                return super().request(method, endpoint.replace(GOOGLE, base), *given, **more)

        return Loopback

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Carry out one request."""
        if path == "/token":
            return self.token_answer
        if path.endswith(":append"):
            return self._append(path, body)
        if path.endswith(":batchUpdate"):
            title = json.loads(body)["requests"][0]["addSheet"]["properties"]["title"]
            self.sheets[title] = []
            return 200, {"replies": [{"addSheet": {"properties": self._properties(title)}}]}
        if "/values/" in path:
            return self._values(method, path, body)
        if self.open_answer is not None:
            return self.open_answer
        sheets = [{"properties": self._properties(title)} for title in self.sheets]
        return 200, {"spreadsheetId": "book", "properties": {"title": "book"}, "sheets": sheets}

    def _properties(self, title: str) -> dict[str, Any]:
        grid = {"rowCount": 1000, "columnCount": 8}
        return {"sheetId": 1, "title": title, "index": 0, "gridProperties": grid}

    def _range(self, path: str) -> tuple[str, str]:
        whole = unquote(path.partition("/values/")[2].removesuffix(":append"))
        title, _, cells = whole.rpartition("!")
        return title.strip("'"), cells

    def _append(self, path: str, body: bytes) -> tuple[int, Any]:
        self.appends += 1
        status, said, after = self.faults.pop(0) if self.faults else (200, "", True)
        if after:
            self.sheets[self._range(path)[0]] += json.loads(body)["values"]
        return status, said if status != 200 else {"updates": {}}

    def _values(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        title, cells = self._range(path)
        rows = self.sheets[title]
        if method == "PUT":
            rows[:1] = json.loads(body)["values"]
            return 200, {"updatedRows": 1}
        if cells.startswith("H"):
            column = [[row[7] for row in rows]]
            return 200, {"range": cells, "majorDimension": "COLUMNS", "values": column}
        return 200, {"range": cells, "majorDimension": "ROWS", "values": rows[:1]}


def _handler(twin: SheetsTwin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            twin.hosts.append(self.headers.get("host", ""))
            status, content = twin.answer(self.command, urlsplit(self.path).path, body)
            data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 — names that the library calls.

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
