"""One worker module a peer. Each runs in a process of its own and speaks JSON lines (see worker.py)."""
