"""RemoteMonitor: the logs of every epoch, sent to a server."""

from __future__ import annotations

import json
import math
import warnings

import numpy as np

from brisknet.callbacks.base import Callback

__all__ = ["RemoteMonitor"]

# A server that does not answer must not stop training.
TIMEOUT_SECONDS = 10.0


class RemoteMonitor(Callback):
    """Sends {"epoch": ..., and the logs} by HTTP POST to root + path after every epoch, with the standard library only.

    root           address of the server
    path           path there
    field          name of the form's field that holds the JSON text (where send_as_json is False)
    headers        dict of further HTTP headers
    send_as_json   send the JSON text itself (application/json); values that are not finite are sent as null

    Where the server can't be reached, or does not answer within 10 seconds, it warns and training goes on. As in Keras,
    what the server answers is not looked at. ValueError for a root that is no http or https address.
    """

    def __init__(self, root="http://localhost:9000", path="/publish/epoch/end/", field="data", headers=None,
                 send_as_json=False):  # fmt: skip
        super().__init__()
        if not isinstance(root, str) or not root.startswith(("http://", "https://")):
            raise ValueError(f"RemoteMonitor: root must begin with http:// or https://, got {root!r}")
        if headers is not None and not isinstance(headers, dict):
            raise ValueError(f"RemoteMonitor: headers must be a dict of HTTP headers, got {headers!r}")
        self.root, self.path, self.field, self.headers, self.send_as_json = root, path, field, headers, send_as_json

    def on_epoch_end(self, epoch, logs=None):
        send = {"epoch": epoch}
        for name, value in (logs or {}).items():
            send[name] = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
        try:
            self._post(send)
        except OSError as error:
            warnings.warn(f"Could not reach RemoteMonitor root server at {self.root} ({error})", stacklevel=2)

    def _post(self, send: dict) -> None:
        from urllib.error import HTTPError
        from urllib.parse import urlencode
        from urllib.request import Request, urlopen

        if self.send_as_json:
            body, kind = json.dumps({k: _finite(v) for k, v in send.items()}), "application/json"
        else:
            body, kind = urlencode({self.field: json.dumps(send)}), "application/x-www-form-urlencoded"
        request = Request(self.root + self.path, body.encode(), {"Content-Type": kind, **(self.headers or {})}, method="POST")
        try:
            urlopen(request, timeout=TIMEOUT_SECONDS).close()
        except HTTPError as answer:  # the server was reached
            answer.close()


def _finite(value):
    return None if isinstance(value, float) and not math.isfinite(value) else value
